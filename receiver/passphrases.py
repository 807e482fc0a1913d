"""Passphrases, asked on a terminal and nowhere else. Refuses to take one from a pipe, an argument or the environment."""

import os
from collections.abc import Callable

import typer

from receiver.errors import ReceiverError


def ask() -> str:
    """Asks for one, without echo. Raises ReceiverError where there is no terminal."""
    _need_terminal("a passphrase is asked on a terminal, and there is none", "sign on a terminal")
    return str(typer.prompt("Passphrase", hide_input=True))


def new(check: Callable[[str], None]) -> str:
    """Asks for a new one, twice; `check` raises for one that could be guessed. Raises ReceiverError where there is no terminal."""
    _need_terminal("a passphrase is asked on a terminal, and there is none", "run it in a terminal, or say --no-passphrase")
    passphrase = str(typer.prompt("A new passphrase for this key", hide_input=True, confirmation_prompt="Once more"))
    check(passphrase)
    return passphrase


def _need_terminal(what: str, do: str) -> None:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        raise ReceiverError(what, do) from None
