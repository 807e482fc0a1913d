"""The real register, for tests of every folder."""

from pathlib import Path

from consent.register import parse

PATH = Path(__file__).parents[1] / "consent" / "register.toml"
REGISTER = parse(PATH.read_text("utf-8"))
