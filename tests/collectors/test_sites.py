"""Addresses to sites: what comes out is a site that the policy names or nothing, and of the address no byte."""

import random
from urllib.parse import quote

import pytest

from collectors.pipe import SurfaceRule
from collectors.sites import LONGEST_CHARACTERS, Browser, host_of
from consent.vocabulary import SurfaceId

CASES = 10_000
HOSTS = {"forge": ("github.com", "*.example.org"), "wiki": ("wiki.example.net", "xn--bcher-kva.example", "192.0.2.7", "[2001:db8::1]")}
RULES = tuple(SurfaceRule(SurfaceId(name), ("/usr/lib/firefox-esr/firefox-esr",), False, (), hosts) for name, hosts in HOSTS.items())
OURS = ("github.com", "a.example.org", "a.b.example.org", "wiki.example.net", "xn--bcher-kva.example", "192.0.2.7", "[2001:db8::1]")
OTHERS = (
    "example.org github.com.evil.net evil-github.com githubXcom gіthub.com GitHub.com github.com. .github.com git\thub.com localhost "
    "github.com@evil.net evil.net\\@github.com evil.net#github.com evil.net?github.com evil.net/github.com [::1] 192.0.2.8 192.0.2.07 "
    "0xc0000207 3221225991 github.com:evil.net wiki.example.net%2eevil.net xn--githb-7ya.com bücher.example a..example.org -a.example.org"
).split(" ")
SCHEMES = (
    "https:// http:// HTTPS:// ftp:// file:/// about: data:text/html, blob:https:// view-source:https:// moz-extension:// "
    "javascript:// chrome:// resource:// wss:// https: https:/ https:/// //"
).split(" ")
CANARY = "canary7421"


def _tail(chance: random.Random) -> str:
    """A path, a query, a fragment, as they are and as they should not be; the canary in each."""
    word = chance.choice([CANARY, quote(f"{CANARY} ü/"), f"{CANARY}@github.com", f"..%2f{CANARY}", f"{CANARY}=https://github.com/"])
    return chance.choice(
        ["", "/", f"/{word}", f"/?q={word}", f"?{word}", f"#{word}", f"/a/{word}?b={word}#{word}", f":443/{word}", f":8443?{word}"]
    )


def _address(chance: random.Random) -> tuple[str, str | None]:
    """An address, and the host of ours that it really has."""
    ours = chance.random() < 0.5
    host = chance.choice(OURS) if ours else chance.choice(OTHERS)
    scheme = chance.choice(["https://", "http://"]) if chance.random() < 0.8 else chance.choice(SCHEMES)
    before = "" if chance.random() < 0.7 else chance.choice([f"{CANARY}@", f"{CANARY}:{CANARY}@", " ", "\n", "github.com@"])
    tail = _tail(chance) + ("" if chance.random() < 0.8 else chance.choice([" ", "\n", "\x00"]))
    sound = ours and scheme in ("https://", "http://") and not before and not tail.endswith((" ", "\n", "\x00"))
    return scheme + before + host + tail, host if sound else None


def test_of_ten_thousand_addresses_nothing_comes_out_but_the_sites_that_are_named() -> None:
    """Real-looking and hostile ones, seeded: each that truly is of a named host has its surface, every other one has none."""
    chance, browser, wrong, of_ours = random.Random(7), Browser(RULES), [], 0
    for _ in range(CASES):
        address, host = _address(chance)
        rule = browser.rule_of(address)
        meant = None if host is None else ("forge" if host == "github.com" or host.endswith(".example.org") else "wiki")
        of_ours += host is not None
        if (rule and rule.surface) != meant:
            wrong.append((address, rule and rule.surface, meant))
        assert rule is None or rule in RULES
        assert CANARY not in repr(rule) + host_of(address)
    assert wrong == []
    assert of_ours > CASES // 8


@pytest.mark.parametrize(
    "address", ["about:blank", "about:privatebrowsing", "", "https://", "https:///x", None, 7, b"https://github.com/", ("s", "x")]
)
def test_what_is_no_address_of_a_site_is_of_none(address: object) -> None:
    """Of any type, since it is what another process answered."""
    assert host_of(address) == ""
    assert Browser(RULES).rule_of(address) is None


def test_an_address_of_any_length_costs_little() -> None:
    """At the bound it is read, beyond it is not."""
    start = "https://github.com/"
    longest = start + "a" * (LONGEST_CHARACTERS - len(start))
    assert host_of(longest) == "github.com"
    assert host_of(longest + "a") == ""


def test_sites_that_share_a_host_are_none() -> None:
    """The policy's parser refuses them; if they came all the same, no page is of either."""
    again = SurfaceRule(SurfaceId("again"), RULES[0].executables, False, (), ("github.com",))
    assert Browser([*RULES, again]).rule_of("https://github.com/") is None
    assert Browser([SurfaceRule(SurfaceId("bad"), RULES[0].executables, False, (), ("*.com",))]).rule_of("https://a.com/") is None
