"""The clients are installed: without them, this is the only one of their tests that fails."""

from tests.clients.install import MISSING, Clients


def test_the_clients_are_installed(clients: Clients) -> None:
    assert clients.are_there, MISSING
