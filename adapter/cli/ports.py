"""Whether an address can be listened on, before anything is said of it."""

import socket

import click


def check_port(host: str, port: int) -> None:
    """See that nobody else listens there.

    Args:
        host: address to listen on.
        port: to listen on.

    Raises:
        click.ClickException: it cannot be listened on; the message says why, and what to do.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as exc:
        reason = str(exc.strerror).partition(" (")[0].lower()  # it says the address once more
        raise click.ClickException(
            f"Cannot listen on port {port} of {host}: {reason}. Choose another: --port {port + 1}, "
            f"or make run ARGS='--port {port + 1}'."
        ) from exc
