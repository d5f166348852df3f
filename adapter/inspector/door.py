"""Who may see the page, and what it records.

Without keys of our own it is for this machine alone: for connections over loopback that ask for it
by a name of this machine. A page of the web can make a browser ask a server on loopback, also under
a name of its own (DNS rebinding), but not under one of ours.

With keys, the files of the page are for everybody, as there is nothing in them; what is recorded is
for who shows a key, and then only what was asked with keys of the same owner.
"""

import ipaddress

from starlette.types import Scope

from adapter.asgi.access.credentials import KEY_OWNER
from adapter.asgi.access.gate import Gate
from adapter.asgi.http import read_headers
from adapter.config import SettingsError
from adapter.errors import InvalidRequestError

# What browsers send with requests that pages of other sites cause (Fetch Metadata).
_OWN_SITES = frozenset({"same-origin", "none"})


class Door:
    """Lets in who may see what is recorded.

    Args:
        gate: of the app: it knows the keys.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    @property
    def needs_key(self) -> bool:
        return self._gate.has_keys

    def check_place(self, scope: Scope) -> None:
        """Refuse whoever is not on this machine, if there are no keys.

        Raises:
            InvalidRequestError: the request comes from elsewhere, or for another name.
        """
        if self.needs_key:
            return
        client = scope.get("client")
        if client is not None and not is_loopback(client[0]):
            raise _refused("The inspector is for this machine only, or for who shows a key.")
        if not is_local_name(read_headers(scope).get("host", "")):
            raise _refused("The inspector is only there under a name of this machine: localhost.")

    async def owner(self, scope: Scope) -> str | None:
        """Return whose requests may be seen; None is all of them.

        Raises:
            AdapterError: nobody's: there is no key, a wrong one, or another site asks.
        """
        headers = read_headers(scope)
        if headers.get("sec-fetch-site", "none") not in _OWN_SITES:
            raise _refused("Pages of other sites may not use the inspector.")
        if not self.needs_key:
            return None
        _, admitted = await self._gate.admit(scope, headers)
        return admitted[KEY_OWNER]


def check_bind(host: str, *, has_keys: bool) -> None:
    """Refuse to show requests to a network without keys.

    Args:
        host: address to listen on.
        has_keys: clients must show keys.

    Raises:
        SettingsError: that would be so.
    """
    if not has_keys and not is_loopback(host):
        raise SettingsError(
            f"The inspector shows whatever is asked, and {host} is not loopback: listen on "
            "127.0.0.1, or set `api_keys` or `api_keys_file`, so that it can ask for a key."
        )


def is_loopback(host: str) -> bool:
    """Tell whether an address, or `localhost`, is of this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def is_local_name(host: str) -> bool:
    """Tell whether a `host` header names this machine, with or without a port."""
    name = host.lower()
    if name.startswith("["):
        return is_loopback(name[1:].partition("]")[0])
    name = name.rpartition(":")[0] or name
    # Names under `localhost` are loopback wherever they are looked up (RFC 6761 §6.3).
    return is_loopback(name.rstrip(".")) or name.endswith(".localhost")


def visible(owner: str | None, of: str | None) -> bool:
    """Tell whether a request can be seen.

    Args:
        owner: whose requests may be seen, as `Door.owner` says.
        of: whom the request belongs to; None is not known, as of one that was not let in.
    """
    return owner is None or owner == of


def _refused(message: str) -> InvalidRequestError:
    return InvalidRequestError(message, status=403, code="inspector_refused")
