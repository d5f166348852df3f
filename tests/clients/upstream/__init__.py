"""A chat server for agent clients: strict, with a small brain, and with other servers' habits."""
