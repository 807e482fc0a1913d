"""Sites by host: what a policy may name, and that nothing else is ever one of them."""

import json
import random
import re

import pytest

from consent.hosts import HostError, Sites, is_host, parse
from consent.policy import PolicyError
from consent.policy import parse as parse_policy
from consent.vocabulary import SurfaceId
from tests.policies import as_bytes, policy, surface

CASES = 25_000
"""With as many programs (tests/collectors/test_programs.py) 50,000."""
EXACT = {"github.com": "forge", "app.example.org": "app", "xn--bcher-kva.example": "books", "192.0.2.7": "box", "[2001:db8::7]": "box"}
BELOW = {"atlassian.net": "tickets", "docs.example.org": "docs"}
NAMED = {
    SurfaceId(each): [host for host, of in EXACT.items() if of == each] + [f"*.{name}" for name, of in BELOW.items() if of == each]
    for each in {*EXACT.values(), *BELOW.values()}
}
SITES = Sites.of(NAMED)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"


def truth(host: str) -> str | None:
    """The surface of a host, worked out in another way than the product does."""
    if host in EXACT:
        return EXACT[host]
    if len(host) > 253:
        return None
    names = {surface for name, surface in BELOW.items() if re.fullmatch(rf"(?:{_LABEL}\.)+{re.escape(name)}", host, re.ASCII)}
    return names.pop() if names else None


_LOOK_ALIKES = {"a": "а", "e": "е", "o": "о", "i": "і", "c": "с", "t": "т", "n": "ո", "b": "ƅ", "g": "ɡ", "l": "ⅼ", ".": "。"}
_ODD = ["\u200b", "\u202e", "\x00", "\n", "\r", "\t", " ", "%2e", "%00", "\\", "/", "?", "#", "@", ":", ";", ",", "*", "_", "\u00ad", "．"]


def _homograph(host: str, chance: random.Random) -> str:
    places = [place for place, letter in enumerate(host) if letter in _LOOK_ALIKES]
    place = chance.choice(places) if places else 0
    return host[:place] + _LOOK_ALIKES.get(host[place], "а") + host[place + 1 :]


def _insert(host: str, chance: random.Random) -> str:
    place = chance.randrange(len(host) + 1)
    return host[:place] + chance.choice([*_ODD, "-", ".", "x", "0"]) + host[place:]


def _attack(host: str, chance: random.Random) -> str:  # noqa: C901
    """One trick, drawn by chance."""
    evil = chance.choice(["evil.test", "evil.com", "com", "net", "xn--80ak6aa92e.com", "10.0.0.1"])
    match chance.randrange(18):
        case 0:
            return f"{host}.{evil}"
        case 1:
            return f"{chance.choice(['evil', 'x', 'www', '-'])}{host}"
        case 2:
            return f"{host}."
        case 3:
            return host.upper() if chance.random() < 0.5 else host.title()
        case 4:
            return f"{host}:{chance.choice([80, 443, 8443, '', 0])}"
        case 5:
            return f"{chance.choice(['me', evil, 'a:b'])}@{host}"
        case 6:
            return f"{host}@{evil}"
        case 7:
            return f"https://{host}{chance.choice(['', '/', '/x'])}"
        case 8:
            return _homograph(host, chance)
        case 9:
            return _insert(host, chance)
        case 10:
            return host.replace(".", chance.choice(["-", "..", "。", "", "·"]), 1)
        case 11:
            return _homograph(host, chance).encode("idna", "ignore").decode(errors="ignore") if chance.random() < 0.5 else f"xn--{host}"
        case 12:
            return host[chance.randrange(len(host)) :]
        case 13:
            return host[: chance.randrange(len(host))]
        case 14:
            return f"*.{host}"
        case 15:
            return f"{chance.choice(['xn--a', 'xn--', 'xn--bcher-kva', '-a', 'a-', 'a' * 64, 'ab--c', 'A', ''])}.{host}"
        case 16:
            return ".".join(reversed(host.split(".")))
        case _:
            return ".".join([chance.choice("abz09") * chance.randint(1, 4) for _ in range(chance.randint(1, 3))] + [host])


def _encodes(host: str, chance: random.Random) -> str:
    try:
        return _attack(host, chance)
    except UnicodeError:
        return _homograph(host, chance)


def test_of_25000_hosts_and_tricks_not_one_is_taken_for_a_site_that_it_is_not() -> None:
    """Suffixes, sub-domains, punycode, look-alikes, case, dots, ports, user names, escapes; one trick or three. Seeded."""
    chance = random.Random(20_261_121)
    real = [*EXACT, *BELOW, *(f"a.{name}" for name in BELOW), "www.a-b.docs.example.org"]
    false_yes, false_no, yes = [], [], 0
    for _ in range(CASES):
        host = chance.choice(real)
        for _ in range(chance.choice([0, 1, 1, 1, 2, 3])):
            host = _encodes(host or "a", chance)
        said, true = SITES.allowed(host), truth(host)
        yes += true is not None
        if said is not None and said != true:
            false_yes.append(host)
        if said is None and true is not None and not re.search(r"(^|\.)..--", host):  # of punycode only what IDNA 2008 would write
            false_no.append(host)
    assert false_yes == []
    assert false_no == []
    assert 2_000 < yes < CASES / 2  # the attacks are attacks, and what is allowed is found


def test_a_host_is_of_one_surface_and_the_wildcard_is_of_what_is_below_only() -> None:
    """`*.atlassian.net` is every team's site, and not the company's own page; an exact host is itself alone."""
    assert SITES.allowed("acme.atlassian.net") == SITES.allowed("a.b.atlassian.net") == "tickets"
    assert SITES.allowed("atlassian.net") is SITES.allowed("notatlassian.net") is SITES.allowed("gist.github.com") is None
    assert SITES.allowed("github.com") == "forge"
    assert SITES.allowed("192.0.2.7") == SITES.allowed("[2001:db8::7]") == "box"
    assert SITES.allowed("1.192.0.2.7") is SITES.allowed("2001:db8::7") is None


NO_HOSTS = (
    "GitHub.com github.com. .github.com github..com localhost * *. *.com *.github *.co.uk *.com.au *.github.io *.192.0.2.7 "
    "a.*.com **.example.org github.com:443 me@github.com https://github.com github.com/x gitlab_x.com -a.com a-.com bücher.example "
    "xn--bcher.example xn--a.example ab--c.example 192.0.2.256 192.0.2.07 0x7f.1 1.2.3 2001:db8::7 [2001:DB8::7] [192.0.2.7] "
    "githuƅ.com gіthub.com"
)


@pytest.mark.parametrize("host", [*NO_HOSTS.split(), "", " github.com", "github.com\n", "a" * 64 + ".com", "a." * 127 + "com"])
def test_a_policy_cannot_name_what_is_no_host_or_is_everybody_s(host: str) -> None:
    """One form only, no ports, no single labels, no wildcard below a public name; said in one line, without the host itself."""
    with pytest.raises(HostError) as caught:
        parse(host)
    assert "\n" not in str(caught.value)
    assert not is_host(host)
    with pytest.raises(PolicyError, match=r"host|shown|hosts"):
        parse_policy(as_bytes(policy(surfaces=[surface(category="browser", hosts=[host])])))


def _two(one: list[str], other: list[str] | None, path: str = "/usr/lib/firefox-esr/firefox-esr") -> bytes:
    sites = [surface(id="one", executables=[path], hosts=one), surface(id="two", executables=[path], hosts=other)]
    return json.dumps(policy(surfaces=sites)).encode()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["github.com"], ["github.com"]),
        (["a.example.org"], ["*.example.org"]),
        (["*.example.org"], ["a.b.example.org"]),
        (["*.example.org"], ["*.b.example.org"]),
        (["*.example.org"], ["*.example.org"]),
        (["github.com"], None),
    ],
)
def test_a_browser_s_window_is_of_one_surface_at_most(one: list[str], other: list[str] | None) -> None:
    """Two surfaces of one program share no host, and neither is the whole of it."""
    for pair in ((one, other), (other, one)):
        with pytest.raises(PolicyError, match=r"twice|share|has it|browser"):
            parse_policy(_two(*pair))  # type: ignore[arg-type]


def test_sites_that_share_nothing_may_share_a_browser() -> None:
    """The wildcard and the name that it is below do not meet."""
    read = parse_policy(_two(["example.org", "github.com"], ["*.example.org"]))
    assert [each.hosts for each in read.surfaces.values()] == [("example.org", "github.com"), ("*.example.org",)]
