"""SR-20: which endpoints may be posted to."""

import ipaddress

import pytest

from perdure.runtime.endpoint_addresses import (
    AllowedEndpoints,
    EndpointRefusedError,
    invoke_url,
)


def test_nothing_is_allowed_by_default() -> None:
    with pytest.raises(EndpointRefusedError, match=r"orders\.example\.org:443 is not allowed"):
        AllowedEndpoints().check_url("https://orders.example.org")


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("orders.example.org", "https://orders.example.org"),
        ("orders.example.org", "http://ORDERS.example.org.:8080/prefix"),
        ("Orders.Example.org:8080", "http://orders.example.org:8080"),
        ("orders.example.org:443", "https://orders.example.org"),
        ("orders.example.org:80", "http://orders.example.org"),
        ("*.svc.cluster.local", "http://orders.shop.svc.cluster.local"),
        ("127.0.0.1", "http://127.0.0.1:1"),
        ("127.0.0.1:1", "http://127.0.0.1:1"),
        ("10.0.0.0/8", "http://10.1.2.3"),
        ("10.0.0.0/8:8080", "http://10.1.2.3:8080"),
        ("::1", "http://[::1]:1"),
        ("[::1]:1", "http://[::1]:1"),
        ("fd00::/8", "http://[fd00::2]"),
        ("169.254.169.254", "http://169.254.169.254"),
    ],
)
def test_what_is_listed_is_allowed(entry: str, url: str) -> None:
    AllowedEndpoints([entry]).check_url(url)


@pytest.mark.parametrize(
    ("entry", "url", "message"),
    [
        ("orders.example.org", "https://example.org", "not allowed"),
        ("orders.example.org", "https://evil-orders.example.org", "not allowed"),
        ("orders.example.org", "https://orders.example.org.evil.test", "not allowed"),
        ("orders.example.org:8080", "http://orders.example.org", "not allowed"),
        ("*.example.org", "https://example.org", "not allowed"),
        ("*.example.org", "https://evilexample.org", "not allowed"),
        ("10.0.0.0/8", "http://11.0.0.1", "not allowed"),
        ("10.0.0.0/8", "http://orders.example.org", "not allowed"),
        ("0.0.0.0/0", "http://169.254.169.254/latest/meta-data", "no public address"),
        ("169.254.0.0/16", "http://169.254.170.2", "no public address"),
        ("::/0", "http://[fd00:ec2::254]", "no public address"),
        ("::/0", "http://[::ffff:127.0.0.1]", "no public address"),
        ("127.0.0.1", "http://2130706433", "no address, and no name"),
        ("127.0.0.1", "http://127.1", "no address, and no name"),
        ("127.0.0.1", "http://0x7f000001", "no address, and no name"),
        ("h", "ftp://h", "not an http:// or https:// URL"),
        ("h", "http://", "not an http:// or https:// URL"),
        ("h", "http://user:password@h", "no user or password"),
        ("h", "http://h@127.0.0.1", "no user or password"),
        ("h", "http://h/?x=1", "a query or a fragment"),
        ("h", "http://h/#x", "a query or a fragment"),
        ("h", "http://h/a b", "characters that no URL has"),
        ("h", "http://h/\r\nX: y", "characters that no URL has"),
        ("h", "http://h\\@evil.test/", "characters that no URL has"),
        ("h", "http://hé", "characters that no URL has"),
        ("h", "http://h:99999", "is no URL"),
        ("h", "http://[::1", "is no URL"),
        ("h", "http://h/" + "x" * 2_048, "2,057 characters; the limit is 2,048"),
    ],
)
def test_what_is_not_listed_is_refused(entry: str, url: str, message: str) -> None:
    with pytest.raises(EndpointRefusedError, match=message):
        AllowedEndpoints([entry]).check_url(url)


PRIVATE = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.1.1",
    "169.254.169.254",
    "192.0.2.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:db8::1",
]


@pytest.mark.parametrize("text", PRIVATE)
def test_a_listed_name_reaches_no_address_that_is_not_public(text: str) -> None:
    allowed = AllowedEndpoints(["orders.example.org"])
    address = ipaddress.ip_address(text)
    with pytest.raises(EndpointRefusedError, match="no public address"):
        allowed.check_address("orders.example.org", address, 443)


@pytest.mark.parametrize("text", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_a_listed_name_reaches_public_addresses(text: str) -> None:
    AllowedEndpoints(["h"]).check_address("h", ipaddress.ip_address(text), 443)


def test_a_private_network_that_is_listed_is_reached_by_name() -> None:
    allowed = AllowedEndpoints(["h", "10.0.0.0/8:8080"])
    allowed.check_address("h", ipaddress.ip_address("10.1.1.1"), 8080)
    allowed.check_address("h", ipaddress.ip_address("::ffff:10.1.1.1"), 8080)
    with pytest.raises(EndpointRefusedError):
        allowed.check_address("h", ipaddress.ip_address("10.1.1.1"), 22)


@pytest.mark.parametrize(
    "entry", ["", "*", "h:", "h:0", "h:65536", "h:x", "10.0.0.1/8", "a/b", "*h", "http://h", "a b"]
)
def test_an_entry_that_means_nothing_is_an_error(entry: str) -> None:
    with pytest.raises(ValueError, match=r"is no host|end with a port|before a dot"):
        AllowedEndpoints([entry])


@pytest.mark.parametrize(
    ("url", "posted"),
    [
        ("http://h:1", "http://h:1/2015-03-31/functions/function/invocations"),
        ("http://h:1/", "http://h:1/2015-03-31/functions/function/invocations"),
        ("http://h/p", "http://h/p/2015-03-31/functions/function/invocations"),
        (
            "http://h/2015-03-31/functions/orders/invocations",
            "http://h/2015-03-31/functions/orders/invocations",
        ),
    ],
)
def test_where_invocations_are_posted(url: str, posted: str) -> None:
    assert invoke_url(url) == posted
