"""The inspector: what it records, who may see it, and its page in a real browser."""
