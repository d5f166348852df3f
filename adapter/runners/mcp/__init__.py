"""The client of MCP servers, on the official SDK (extra `mcp`).

`runner` has the public face. Nothing is imported here: the settings need `settings` alone, and the
SDK takes most of a second (`sdk` imports it, at first use).
"""
