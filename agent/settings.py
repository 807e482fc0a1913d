"""What the machine's owner configures: where the receiver is. There is no key that hides, starts or widens anything.

The file is optional; without it there is no receiver, no policy, and therefore nothing is collected.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from agent.errors import AgentError
from transport import allowance, jobs

_KEYS = {"receiver": str, "receiver_pin": str, "trial": bool, "daily_notice": bool, "bytes_a_day": int, "bytes_a_month": int}
_MOST = {"bytes_a_day": allowance.DAY_BYTES, "bytes_a_month": allowance.MONTH_BYTES}
_PIN = re.compile(r"[0-9a-f]{64}")


class SettingsWrong(AgentError):
    """agent.toml cannot be used as it is."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Attributes:
    receiver: The receiver's base URL; None if there is none yet.
    receiver_pin: SHA-256 of the one public key (SubjectPublicKeyInfo) that the receiver may have, lower-case hexadecimal; None for any
        key with a trusted certificate.
    daily_notice: The notice has to be acknowledged on each day, whatever the policy says: a machine in a place whose law asks for it.
    trial: A local trial: throw-away keys, a receiver on this machine's loopback, labelled as such everywhere.
    bytes_a_day: The most that may leave in a day (UTC); from allowance.LEAST_BYTES to what it is without it.
    bytes_a_month: The same of a month.
    """

    receiver: str | None = None
    receiver_pin: str | None = None
    trial: bool = False
    daily_notice: bool = False
    bytes_a_day: int = allowance.DAY_BYTES
    bytes_a_month: int = allowance.MONTH_BYTES

    @property
    def limits(self) -> allowance.Limits:
        """The most that may leave."""
        return allowance.Limits(self.bytes_a_day, self.bytes_a_month)


def read(path: Path) -> Settings:
    """The settings in this file; the defaults if there is none. Raises SettingsWrong for anything that is not understood."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise SettingsWrong(f"{path} cannot be read: {error.strerror}", "mend or remove it") from None
    except ValueError:  # not UTF-8, or not TOML
        raise SettingsWrong(f"{path} is not TOML", "mend or remove it") from None
    for key, value in raw.items():
        _check_one(path, key, value)
    settings = Settings(**raw)
    if settings.receiver is not None:
        check_receiver(path, settings.receiver)
    if settings.receiver_pin is not None:
        check_pin(path, settings)
    if settings.trial and not (settings.receiver or "").startswith("http://127.0.0.1:"):
        raise SettingsWrong("a local trial is possible with a receiver on 127.0.0.1 only", "remove the key trial")
    return settings


def _check_one(path: Path, key: str, value: object) -> None:
    if key not in _KEYS or type(value) is not _KEYS[key]:
        raise SettingsWrong(f"{path} has an unknown key or a wrong value: {key}", f"the keys are {', '.join(_KEYS)}")
    if isinstance(value, int) and key in _MOST and not value <= _MOST[key]:
        raise SettingsWrong(f"{path}: {key} can only be lowered, from {_MOST[key]}", "give a smaller number of bytes, or remove it")
    if isinstance(value, int) and key in _MOST and value < allowance.LEAST_BYTES:
        raise SettingsWrong(
            f"{path}: {key} is less than one envelope takes, so that nothing would ever be sent",
            f"give at least {allowance.LEAST_BYTES}, or remove it",
        )


def check_pin(path: Path, settings: Settings) -> None:
    """Raise SettingsWrong unless the pin is one, and there is an encrypted line that it is of use on. `path`: where it was said."""
    if _PIN.fullmatch(settings.receiver_pin or "") is None:
        raise SettingsWrong(f"{path}: receiver_pin is not 64 hexadecimal digits in lower case", "take it from whoever runs the receiver")
    if not (settings.receiver or "").startswith("https://"):
        raise SettingsWrong(f"{path}: receiver_pin is of no use without an https:// receiver", "remove it, or name the receiver")


def check_receiver(path: Path, url: str) -> None:
    """Raise SettingsWrong unless envelopes may go there at all, and it is written as a policy writes it: no path, no last slash."""
    try:
        jobs.check_url(url)
    except jobs.BadAddress:
        raise SettingsWrong(f"{path} names a receiver that is not on an encrypted line", "begin its address with https://") from None
    if url.count("/") != 2:
        raise SettingsWrong(f"{path} names a receiver with a path", "write its address as https://name, with nothing behind it")
