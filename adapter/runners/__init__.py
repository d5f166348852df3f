"""What runs hosted tools: MCP servers and Python functions."""
