"""Agent clients, the real programs, through a real adapter to a chat server that forgives nothing.

`upstream/` is that server: strict about what it is asked, clever enough to lead a client through a
tool loop, and in turn as odd as real servers are about how it says things. `install.py` brings the
clients; `drivers/` are small programs in the clients' own languages that tests talk to.
"""
