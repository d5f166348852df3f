"""A tool server over standard input and output, as settings start one."""

import os

from mcp.server.mcpserver import MCPServer

server = MCPServer("program", log_level="ERROR")


@server.tool()
def get_pid() -> str:
    """Return the number of this process."""
    return str(os.getpid())


@server.tool()
def get_environment() -> str:
    """Return the variables of this process."""
    return "\n".join(f"{name}={text}" for name, text in os.environ.items())


@server.tool()
def die() -> str:
    """End this process."""
    os._exit(1)


if __name__ == "__main__":
    server.run("stdio")
