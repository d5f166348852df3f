"""What is particular to the store in a Redis server."""
