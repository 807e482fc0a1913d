"""Strings that break whoever reads them: for titles, classes and names that nobody of us is to read. From a seed, each with a canary."""

from collections.abc import Iterator
from random import Random

CANARY = b"zqxvcanary"
LONGEST_BYTES = 64 * 1024

_KNOWN = (
    "undefined",
    "null",
    "NaN",
    "-1",
    "1e309",
    "0x7fffffffffffffff",
    "../../../../etc/passwd\0",
    "%s%s%s%n%n",
    "{0.__class__.__mro__}",
    "${jndi:ldap://127.0.0.1/a}",
    "$(touch owned)`touch owned`;touch owned",
    "' OR 1=1; DROP TABLE events; --",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\x1b]0;owned\x07\x1b[2J\x1b[31m",
    "\r\nSet-Cookie: owned=1\r\n\r\n",
    "Letter – Mousepad",
    "mousepad",
    "Volens",
    "\ufeff\u200b\u200c\u200d\u2060",
    "\u202egnp.exe\u202c\u2066\u2069",
    "العربية עברית\u200f",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349a\u0300\u0301\u0302\u0303",
    "👩\u200d👩\u200d👧\u200d👦🏳\ufe0f\u200d🌈" * 3,
    "ﷺ" * 20,
    "\U0010ffff\ufffe\uffff",
    "I\u0307ıİß",
    "CON PRN AUX NUL COM1",
    "   \t\v\f\x85\u2028\u2029",
)
_NO_TEXT = (
    b"\xff\xfe\x00",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\x80" * 40,
    b"\xe2\x28\xa1",
    b"\x00" * 64,
    bytes(range(256)),
)


def naughty(count: int, seed: int) -> Iterator[bytes]:
    """So many strings; one in a hundred is of the greatest length."""
    random = Random(seed)
    known = [text.encode("utf-8", "surrogatepass") for text in _KNOWN] + list(_NO_TEXT)
    for at in range(count):
        said = (
            b"".join(random.choices(known, k=random.randint(1, 4))) if random.random() < 0.7 else random.randbytes(random.randint(0, 300))
        )
        said = CANARY + said if at % 2 else said + CANARY
        if at % 100 == 99:
            said = (said * (LONGEST_BYTES // len(said) + 1))[:LONGEST_BYTES]
        yield said
