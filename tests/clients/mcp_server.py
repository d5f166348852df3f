"""A tool server over standard input and output, as clients start one: it knows the weather."""

from mcp.server import MCPServer

server = MCPServer("demo")


@server.tool()
def get_weather(city: str) -> str:
    """Get the current weather in a city."""
    return f"It is sunny in {city}."


if __name__ == "__main__":
    server.run("stdio")
