"""Bytes that no parser may fall over: malformed JSON as JSONTestSuite sorts it, numbers that are none, strings that hurt, depth, bombs."""

import json

MALFORMED_JSON = {
    "nothing": b"",
    "a space": b" ",
    "half an object": b'{"id": "a"',
    "half a string": b'{"id": "a',
    "half an escape": b'{"id": "\\u00',
    "trailing comma": b'{"id": "a",}',
    "two values": b'{"id": "a"}{"id": "b"}',
    "a comment": b'{"id": "a"} // and',
    "single quotes": b"{'id': 'a'}",
    "no quotes": b'{id: "a"}',
    "a control character": b'{"id": "\x01"}',
    "a tab in a string": b'{"id": "\t"}',
    "leading zero": b'{"n": 012}',
    "plus": b'{"n": +1}',
    "hexadecimal": b'{"n": 0x1}',
    "half an exponent": b'{"n": 1e}',
    "NaN": b'{"n": NaN}',
    "Infinity": b'{"n": Infinity}',
    "minus Infinity": b'{"n": -Infinity}',
    "nan": b'{"n": nan}',
    "a byte order mark": b'\xef\xbb\xbf{"id": "a"}',
    "UTF-16": '{"id": "a"}'.encode("utf-16"),
    "no UTF-8": b'{"id": "\xff\xfe"}',
    "overlong": b'{"id": "\xc0\xaf"}',
    "half a surrogate, raw": b'{"id": "\xed\xa0\x80"}',
    "cut UTF-8": b'{"id": "\xe2\x82"}',
    "no UTF-8 in a name": b'{"\xff": 1}',
    "null byte": b'\x00{"id": "a"}',
    "True": b'{"id": True}',
    "unescaped new line": b'{"id": "a\nb"}',
    "a hundred thousand arrays": b"[" * 100_000,
    "a hundred thousand objects": b'{"a":' * 100_000,
    "depth in a field": b'{"id": ' + b"[" * 100_000,
    "depth in an unknown field": b'{"zz": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}

WRONG_JSON = {
    "null": b"null",
    "a number": b"1",
    "a huge number": b'{"n": 1e999999}',
    "digits without end": b'{"n": ' + b"9" * 20_000 + b"}",
    "an array": b"[]",
    "an empty object": b"{}",
    "twice the same name": b'{"id": "a", "id": "b"}',
    "a prototype": b'{"__proto__": {"id": 1}, "constructor": 1}',
}

NAUGHTY = [
    "",
    " ",
    "undefined",
    "null",
    "NaN",
    "-1",
    "1e1000",
    "0x0",
    "\u0000",
    "\u202etest\u202e",
    "\u200b\ufeff",
    "Z̮̞̠͙͔ͅalgo",
    "👩‍👩‍👧‍👦",
    "田中さん",
    "\ud800",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "../../../etc/passwd",
    "%s%s%n",
    "{0.__class__}",
    "$(touch x)",
    "CON",
    "a" * 70_000,
]


def naughty_json(name: str) -> list[bytes]:
    """Objects whose one field holds each of the naughty strings."""
    return [json.dumps({name: text}).encode() for text in NAUGHTY]
