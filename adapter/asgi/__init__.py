"""The thin shell: ASGI in, ASGI out."""
