"""Which URLs and addresses a client may make us fetch: hostile spellings, all of them refused."""

import ipaddress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.fetch.guard import (
    MAX_URL_CHARACTERS,
    RefusedAddressError,
    RefusedUrlError,
    UrlPolicy,
    check_address,
    check_url,
)

STRICT = UrlPolicy()
# As far as a policy can be opened.
OPEN = UrlPolicy(allow_http=True, allow_private=True, allowed_ports=tuple(range(1, 65536)))

PUBLIC = [
    "1.1.1.1",
    "93.184.215.14",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
    "64:ff9b::101:101",  # NAT64 of 1.1.1.1
]
PRIVATE = [
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
    "64:ff9b::10.0.0.1",
]
NEVER = [
    # Cloud metadata
    "169.254.169.254",
    "169.254.170.2",
    "169.254.169.253",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fd00:42::42",
    "fd00:c1::a9fe:a9fe",
    "fe80::a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    # Link-local, with and without a zone
    "169.254.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fe80::1%1",
    "2606:4700:4700::1111%eth0",
    "::1%lo",
    "febf::1",
    # No address of one host
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "224.0.0.1",
    "239.255.255.255",
    "ff02::1",
    "ff0e::1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.0.1",
    "192.88.99.1",
    "fec0::1",
    "100::1",
    "5f00::1",
    "4000::1",
    # Documentation
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "2001:db8::1",
    "3fff::1",
    # IPv4 inside IPv6
    "::ffff:127.0.0.1",
    "::ffff:1.1.1.1",
    "::ffff:a9fe:a9fe",
    "::127.0.0.1",
    "::1.1.1.1",
    "64:ff9b:1::7f00:1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001::1",
    "2002:7f00:1::",
    "2002:101:101::1",
    "2606:4700::5efe:7f00:1",
    "2606:4700::200:5efe:10.0.0.1",
    # No addresses at all
    "",
    "localhost",
    "127.1",
    "0177.0.0.1",
    "0x7f000001",
    "2130706433",
    "1.1.1.1 ",
    "[::1]",
]


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("policy", [STRICT, OPEN], ids=["strict", "open"])
def test_public_address_may_be_connected_to(address: str, policy: UrlPolicy) -> None:
    check_address(address, policy)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_address_is_refused_unless_allowed(address: str) -> None:
    check_address(address, OPEN)

    with pytest.raises(RefusedAddressError):
        check_address(address, STRICT)


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("policy", [STRICT, OPEN], ids=["strict", "open"])
def test_address_is_refused_whatever_is_allowed(address: str, policy: UrlPolicy) -> None:
    with pytest.raises(RefusedAddressError):
        check_address(address, policy)


@given(st.ip_addresses())
def test_no_address_that_python_calls_private_is_public_to_us(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """Two descriptions that must agree: ours may only be the narrower one."""
    try:
        check_address(address, STRICT)
    except RefusedAddressError:
        return
    embedded = ipaddress.ip_address(int(address) & 0xFFFF_FFFF)
    nat64 = address in ipaddress.ip_network("64:ff9b::/96")
    assert (embedded if nat64 else address).is_global


@given(st.ip_addresses(v=4))
def test_address_inside_ipv6_is_never_better_than_itself(address: ipaddress.IPv4Address) -> None:
    """RFC 4291 §2.5.5 (mapped, compatible), RFC 6052 (NAT64), RFC 3056 (6to4), RFC 5214 (ISATAP)."""
    number = int(address)
    forms = [
        ipaddress.IPv6Address((0xFFFF << 32) | number),
        ipaddress.IPv6Address(number),
        ipaddress.IPv6Address((0x0064_FF9B << 96) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
        ipaddress.IPv6Address((0x2606_4700 << 96) | (0x5EFE << 32) | number),
    ]
    allowed = [form for form in forms if _allows(form)]

    assert allowed in ([], [forms[2]])
    assert not allowed or _allows(address)


def _allows(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        check_address(address, STRICT)
    except RefusedAddressError:
        return False
    return True


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1", "64:ff9b::101:101", "127.0.0.1"])
def test_denied_network_is_refused_though_public_or_allowed(address: str) -> None:
    policy = UrlPolicy(
        allow_private=True, denied_networks=("1.1.1.0/24", "2606:4700::/32", "127.0.0.1")
    )

    with pytest.raises(RefusedAddressError):
        check_address(address, policy)


def test_network_that_is_none_makes_no_policy() -> None:
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 network"):
        UrlPolicy(denied_networks=("example.com",))


@pytest.mark.parametrize(
    "given", [{"allowed_ports": [0]}, {"max_redirects": -1}, {"denied_networks": ["10.0.0.1/8"]}]
)
def test_policy_of_a_settings_file_is_checked(given: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, UrlPolicy)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("https://example.com", "https://example.com/", id="no path"),
        pytest.param("https://example.com/a.png", "https://example.com/a.png", id="plain"),
        pytest.param("https://example.com?a=b", "https://example.com/?a=b", id="query alone"),
        pytest.param("HTTPS://EXAMPLE.com/A", "https://example.com/A", id="capitals"),
        pytest.param("https://example.com:443/", "https://example.com/", id="default port"),
        pytest.param("https://example.com/#a", "https://example.com/", id="fragment"),
        pytest.param("https://example.com#@evil/", "https://example.com/", id="user in fragment"),
        pytest.param("https://example.com/@evil", "https://example.com/@evil", id="at in path"),
        pytest.param("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/", id="IDN"),
        pytest.param("https://a_b.example.com/", "https://a_b.example.com/", id="underscore"),
        pytest.param("https://1.1.1.1/", "https://1.1.1.1/", id="IPv4"),
        pytest.param(
            "https://[2606:4700:0:0::1111]/", "https://[2606:4700::1111]/", id="IPv6 made short"
        ),
        pytest.param(
            "https://example.com/%41%2f?X-Sig=a%2Bb%3d&c=%20",
            "https://example.com/%41%2f?X-Sig=a%2Bb%3d&c=%20",
            id="signed, kept to the byte",
        ),
        pytest.param(
            "https://example.com/ü/{a}?ß",
            "https://example.com/%C3%BC/%7Ba%7D?%C3%9F",
            id="encoded where it must be",
        ),
        pytest.param("https://example.com/../a", "https://example.com/../a", id="dots"),
    ],
)
def test_url_is_requested_as_it_was_written(url: str, expected: str) -> None:
    assert str(check_url(url, STRICT)) == expected


NOT_A_URL = [
    # Not absolute, or another scheme
    "",
    "example.com/a.png",
    "//example.com/",
    "https:/example.com/",
    "https:example.com",
    "https:///a.png",
    "https://",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/_",
    "data:image/png;base64,AA==",
    "javascript:alert(1)",
    "unix:///var/run/docker.sock",
    "http\u017f://example.com/",
    "\uff48ttps://example.com/",
    # A user, or what some parser takes for one
    "https://user@example.com/",
    "https://user:secret@example.com/",
    "https://@example.com/",
    "https://example.com:80@127.0.0.1/",
    "https://example.com@127.0.0.1/",
    "https://127.0.0.1\\@example.com/",
    "https://example.com\\.evil.example/",
    "https://example.com/\\evil.example/",
    "https:\\\\example.com/",
    "https://example.com%40127.0.0.1/",
    "https://example.com;@127.0.0.1/",
    "https://example.com&@127.0.0.1/",
    # Control, space and format characters
    " https://example.com/",
    "https://example.com/ ",
    "https://example.com/a b",
    "https://exam\nple.com/",
    "https://exam\tple.com/",
    "https://example.com/\r\nHost: evil",
    "https://example.com/\x00",
    "https://example.com/\x7f",
    "https://example.com/\x85",
    "https://example.com/\u2028",
    "https://example.com/\u200b",
    "https://example.com/\u202egnp.exe",
    "https://example.com/\ufeff",
    "https://example.com/\ud800",
    "https://example.com /",
    "https://example.com\t/",
    # International names and look-alikes
    "https://bücher.example/",
    "https://\u24d4xample.com/",
    "https://example\u3002com/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",
    "https://examp\u212ae.com/",
    "https://ex\u00adample.com/",
    # Names that are none
    "https://example.com./",
    "https://example.com../",
    "https://.example.com/",
    "https://example..com/",
    "https://./",
    "https://-example.com/",
    "https://example-.com/",
    f"https://{'a' * 64}.com/",
    f"https://{'a.' * 130}com/",
    "https://example%2ecom/",
    "https://%31%32%37.0.0.1/",
    "https://127%2e0%2e0%2e1/",
    "https://exa'mple.com/",
    "https://*.example.com/",
    "https://example.com,evil.example/",
    # IPv4 addresses that only some read
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0X7F.1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://127.0.0.01/",
    "https://127.1/",
    "https://127.0.1/",
    "https://1.1.1/",
    "https://1.1.1.1.1/",
    "https://1.1.1.1./",
    "https://256.1.1.1/",
    "https://4294967297/",
    "https://0/",
    "https://0x/",
    "https://a.0x1/",
    "https://example.1/",
    # IPv6 addresses that are none, and zones
    "https://[::1%25eth0]/",
    "https://[::1%eth0]/",
    "https://[fe80::1%25eth0]/",
    "https://[::1/",
    "https://::1/",
    "https://[]/",
    "https://[::1]a/",
    "https://[::1].example.com/",
    "https://[1.1.1.1]/",
    "https://[example.com]/",
    "https://[v1.a]/",
    "https://[:::1]/",
    "https://[1:2:3:4:5:6:7:8:9]/",
    # Ports
    "https://example.com:/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:99999/",
    "https://example.com:100443/",
    "https://example.com:-443/",
    "https://example.com:+443/",
    "https://example.com:443a/",
    "https://example.com:\uff14\uff14\uff13/",
    "https://example.com:443:443/",
]


@pytest.mark.parametrize("url", NOT_A_URL, ids=ascii)
@pytest.mark.parametrize("policy", [STRICT, OPEN], ids=["strict", "open"])
def test_url_is_refused_as_it_is_written(url: str, policy: UrlPolicy) -> None:
    with pytest.raises(RefusedUrlError):
        check_url(url, policy)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0.0.0.0/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[0:0:0:0:0:ffff:7f00:1]/",
        "https://[::FFFF:A9FE:A9FE]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
    ],
)
def test_address_in_a_url_is_checked_as_any(url: str) -> None:
    with pytest.raises(RefusedAddressError):
        check_url(url, STRICT)


@pytest.mark.parametrize("url", ["https://localhost/", "https://intranet/a.png", "https://db/"])
def test_name_without_a_domain_is_refused_unless_private_or_listed(url: str) -> None:
    name = url.split("/")[2]

    with pytest.raises(RefusedUrlError, match="without a domain"):
        check_url(url, STRICT)
    assert check_url(url, UrlPolicy(allow_private=True)).host == name
    assert check_url(url, UrlPolicy(allowed_hosts=(name,))).host == name


@pytest.mark.parametrize(
    ("url", "changes", "allowed"),
    [
        pytest.param("http://example.com/", {}, False, id="http"),
        pytest.param("http://example.com/", {"allow_http": True}, True, id="http allowed"),
        pytest.param("http://example.com:443/", {"allow_http": True}, False, id="http at 443"),
        pytest.param("https://example.com:80/", {"allow_http": True}, False, id="https at 80"),
        pytest.param("https://example.com:8443/", {}, False, id="port"),
        pytest.param(
            "https://example.com:8443/", {"allowed_ports": (8443,)}, True, id="port allowed"
        ),
        pytest.param(
            "https://example.com/", {"allowed_ports": (8443,)}, False, id="not the default then"
        ),
        pytest.param(
            "https://a.example.com/", {"allowed_hosts": ("*.example.com",)}, True, id="pattern"
        ),
        pytest.param(
            "https://example.com/", {"allowed_hosts": ("*.Example.com",)}, False, id="its domain"
        ),
        pytest.param(
            "https://badexample.com/",
            {"allowed_hosts": ("*.example.com",)},
            False,
            id="another with its end",
        ),
        pytest.param(
            "https://example.com.evil.net/",
            {"allowed_hosts": ("example.com",)},
            False,
            id="another with its beginning",
        ),
        pytest.param(
            "https://EXAMPLE.com/", {"denied_hosts": ("example.COM",)}, False, id="denied"
        ),
        pytest.param(
            "https://a.example.com/",
            {"allowed_hosts": ("*.example.com",), "denied_hosts": ("a.*",)},
            False,
            id="denied wins",
        ),
        pytest.param("https://1.1.1.1/", {"denied_hosts": ("1.1.1.1",)}, False, id="IPv4 denied"),
        pytest.param(
            "https://[2606:4700:0::1]/",
            {"denied_hosts": ("2606:4700::1",)},
            False,
            id="IPv6 denied in any spelling",
        ),
    ],
)
def test_policy_decides(url: str, changes: dict[str, object], *, allowed: bool) -> None:
    policy = msgspec.structs.replace(STRICT, **changes)
    if allowed:
        assert check_url(url, policy)
    else:
        with pytest.raises(RefusedUrlError):
            check_url(url, policy)


def test_listed_host_may_still_not_be_a_refused_address() -> None:
    with pytest.raises(RefusedAddressError):
        check_url("https://127.0.0.1/", UrlPolicy(allowed_hosts=("127.0.0.1",)))


def test_url_may_be_as_long_as_a_signed_one_but_not_longer() -> None:
    url = "https://example.com/".ljust(MAX_URL_CHARACTERS, "a")

    assert str(check_url(url, STRICT)) == url
    with pytest.raises(RefusedUrlError, match="is longer than 8192 characters"):
        check_url(f"{url}a", STRICT)


@given(st.text() | st.text(st.characters(max_codepoint=127)).map("https://{}/".format))
def test_any_text_is_a_url_to_request_or_refused(text: str) -> None:
    try:
        checked = check_url(text, OPEN)
    except (RefusedUrlError, RefusedAddressError):
        return
    assert check_url(str(checked), OPEN) == checked
    assert str(checked).isascii()


@pytest.mark.parametrize("secret", ["https://user:secret@example.com/", "ftp://secret/"])
def test_refusal_does_not_quote_the_url(secret: str) -> None:
    with pytest.raises(RefusedUrlError) as caught:
        check_url(secret, STRICT)

    assert "secret" not in str(caught.value)
