"""Which URLs and addresses may be fetched on behalf of a client. Pure: it resolves nothing.

A URL is checked as text first (`check_url`), and again whatever a redirect names. Its host says
little about where a connection goes, so every address is checked too (`check_address`), at the one
place where sockets are made: what was checked is what is connected to, and a name that resolves
otherwise the second time (DNS rebinding) gains nothing.

There is one parser: what `check_url` returns is what is requested. It is strict instead of clever.
RFC 3986 §3.2, and the spellings of IPv4 addresses that WHATWG URL §3.5 and `inet_aton` read.
"""

import re
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Final
from urllib.parse import quote

import msgspec
from msgspec import Meta
from yarl import URL

Address = IPv4Address | IPv6Address

# Longer than any signed URL of an object store (about 2,000 characters), and what servers read.
MAX_URL_CHARACTERS: Final = 8192

_URL: Final = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)"  # no user, no %-encoding, no zone, ASCII alone
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>(?:[/?#].*)?)",
    re.IGNORECASE | re.ASCII,
)
# RFC 3986 §2: kept as they are, besides letters and digits. `%` is one, so nothing is encoded twice.
_KEPT: Final = "!#$%&'()*+,/:;=?@[]-._~"
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# WHATWG URL §3.5, "ends in a number": resolvers read such a host as an IPv4 address.
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}

# Private use: within reach of this machine, and of no use to a client from outside. Open to who
# sets `allow_private`. IANA's registries of special-purpose addresses, read in November 2026; the
# tables of `ipaddress` differ between Python's versions.
_PRIVATE: Final = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "100.64.0.0/10",  # behind a carrier's NAT; Tailscale, EKS
            "127.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks; stands for any host behind some local proxies
            "::1/128",
            "fc00::/7",
        ),
    )
)
# Never to be fetched from. First the servers of cloud metadata, which give out credentials and are
# not all link-local; then what is no address of one host on the internet.
_NEVER: Final = tuple(
    map(
        ip_network,
        (
            "100.100.100.200/32",  # Alibaba Cloud
            "168.63.129.16/32",  # Azure's host agent, although it looks public
            "fd00:42::42/128",  # Scaleway
            "fd00:c1::a9fe:a9fe/128",  # Oracle Cloud
            "fd00:ec2::/32",  # AWS: metadata, DNS, credentials of pods
            "fd20:ce::254/128",  # Google Cloud
            "169.254.0.0/16",  # link-local: 169.254.169.254 and its like
            "0.0.0.0/8",  # this host
            "192.0.0.0/24",  # protocol assignments; 192.0.0.192 was Oracle's metadata
            "192.0.2.0/24",  # documentation, as the next two
            "198.51.100.0/24",
            "203.0.113.0/24",
            "192.88.99.0/24",  # relays of 6to4
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
            "2001::/23",  # protocol assignments; Teredo, which holds an IPv4 address
            "2001:db8::/32",  # documentation, as the next
            "3fff::/20",
            "2002::/16",  # 6to4, which holds an IPv4 address
        ),
    )
)
# All of IPv6 outside it is of no use, or a way to write IPv4 addresses: `::ffff:0:0/96` (mapped),
# `::/96` (compatible), `64:ff9b:1::/48` (local NAT64), fe80::/10, fec0::/10, ff00::/8.
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
# RFC 6052 §3.1: only for global IPv4 addresses. DNS64 makes it up for hosts that have no IPv6, so
# it is all that a machine without IPv4 gets; it is as good as the address that it holds.
_NAT64: Final = IPv6Network("64:ff9b::/96")
# RFC 5214 §6.1: an IPv4 address behind these 32 bits (the second with the universal bit), ISATAP.
_ISATAP: Final = (0x0000_5EFE, 0x0200_5EFE)


class RefusedUrlError(ValueError):
    """A URL that is not to be fetched, as its text tells; the message goes on from "the URL"."""


class RefusedAddressError(PermissionError):
    """An address that is not to be connected to. An `OSError`, so that other addresses are tried."""


class UrlPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be fetched.

    Attributes:
        allow_http: `http://` too, and not only `https://`.
        allow_private: addresses of the local network and of this machine too. Metadata servers,
            link-local and multicast addresses stay refused.
        allowed_hosts: patterns of the only hosts that may be named, such as `*.example.com` (which
            is not `example.com`); empty is any. Their addresses are checked all the same.
        denied_hosts: patterns of hosts that may not be named; they win.
        denied_networks: addresses that are refused besides, such as `198.51.100.0/24`: public ones
            behind which there is something internal.
        allowed_ports: empty is the scheme's own.
        max_redirects: to follow; each is checked.

    Raises:
        ValueError: a network that is none.
    """

    allow_http: bool = False
    allow_private: bool = False
    allowed_hosts: tuple[str, ...] = ()
    denied_hosts: tuple[str, ...] = ()
    denied_networks: tuple[str, ...] = ()
    allowed_ports: tuple[Annotated[int, Meta(ge=1, le=65535)], ...] = ()
    max_redirects: Annotated[int, Meta(ge=0)] = 3

    def __post_init__(self) -> None:
        for network in self.denied_networks:
            ip_network(network)


def check_url(url: str, policy: UrlPolicy) -> URL:
    """Return the URL to request, without its fragment.

    Raises:
        RefusedUrlError: it is no such URL, or names a scheme, host or port that is not allowed.
        RefusedAddressError: its host is an address that is not allowed.
    """
    if len(url) > MAX_URL_CHARACTERS:
        raise RefusedUrlError(f"is longer than {MAX_URL_CHARACTERS} characters")
    # Format characters (bidirectional marks, zero-width spaces) and lone surrogates do not print.
    if not url.isprintable() or " " in url or "\\" in url:
        raise RefusedUrlError("has spaces, backslashes or control characters; encode them")
    parts = _URL.fullmatch(url)
    if parts is None:
        raise RefusedUrlError(
            "is not an absolute https URL with a plain host: an ASCII name (`xn--` if it is "
            "international) or an address, maybe a port, and no user"
        )
    scheme = parts["scheme"].lower()
    if scheme == "http" and not policy.allow_http:
        raise RefusedUrlError("must begin with https://")
    port = _checked_port(scheme, parts["port"], policy)
    host = _checked_host(parts["host"].lower(), policy)
    authority = host if port == _DEFAULT_PORTS[scheme] else f"{host}:{port}"
    rest = quote(parts["rest"], safe=_KEPT)
    path = rest if rest.startswith("/") else f"/{rest}"
    # `encoded`: as it was written, because a signature may cover it.
    checked = URL(f"{scheme}://{authority}{path}", encoded=True).with_fragment(None)
    assert (checked.scheme, checked.host_subcomponent, checked.port) == (scheme, host, port)
    return checked


def check_address(address: str | Address, policy: UrlPolicy) -> None:
    """Return if this address may be connected to.

    Raises:
        RefusedAddressError: it may not, or it is none.
    """
    try:
        ip = ip_address(address)
    except ValueError as exc:
        raise RefusedAddressError("not an address") from exc
    if not _is_allowed(ip, policy):
        raise RefusedAddressError("address refused")


def _is_allowed(ip: Address, policy: UrlPolicy) -> bool:
    if any(ip in ip_network(network) for network in policy.denied_networks):
        return False
    if any(ip in network for network in _NEVER):
        return False
    if isinstance(ip, IPv6Address):
        if ip.scope_id is not None:  # a zone: which link, so link-local
            return False
        if ip in _NAT64:
            return _is_allowed(IPv4Address(int(ip) & 0xFFFF_FFFF), policy)
        if (int(ip) >> 32) & 0xFFFF_FFFF in _ISATAP:
            return False
    if any(ip in network for network in _PRIVATE):
        return policy.allow_private
    return isinstance(ip, IPv4Address) or ip in _GLOBAL_UNICAST


def _checked_port(scheme: str, port: str | None, policy: UrlPolicy) -> int:
    number = int(port) if port is not None else _DEFAULT_PORTS[scheme]
    if number not in (policy.allowed_ports or (_DEFAULT_PORTS[scheme],)):
        raise RefusedUrlError("names a port that is not allowed")
    return number


def _checked_host(host: str, policy: UrlPolicy) -> str:
    """Return the host as a URL holds it: in lower case, an IPv6 address in its one short form."""
    if host.startswith("["):
        name = _literal(host[1:-1], IPv6Address, policy)
        host = f"[{name}]"
    elif _NUMBER.fullmatch(host.rpartition(".")[2]):
        name = _literal(host, IPv4Address, policy)
    else:
        name = host
        _check_name(name, policy)
    if _matches(name, policy.denied_hosts):
        raise RefusedUrlError("names a host that is not allowed")
    if policy.allowed_hosts and not _matches(name, policy.allowed_hosts):
        raise RefusedUrlError("names a host that is not allowed")
    return host


def _literal(text: str, kind: type[Address], policy: UrlPolicy) -> str:
    try:
        ip = kind(text)  # four decimal numbers without leading zeros, or RFC 4291 §2.2
    except ValueError as exc:
        raise RefusedUrlError("holds an address that is not written as usual") from exc
    check_address(ip, policy)
    return str(ip)


def _check_name(name: str, policy: UrlPolicy) -> None:
    labels = name.split(".")  # a trailing dot leaves an empty one
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise RefusedUrlError("has a host that is no host name")
    # Resolvers look a single label up in the local domains.
    if len(labels) == 1 and not policy.allow_private and name not in policy.allowed_hosts:
        raise RefusedUrlError("names a host without a domain")


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)
