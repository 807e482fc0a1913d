"""What the machine's owner configures: where the receiver is. There is no key that hides, starts or widens anything.

The file is optional; without it there is no receiver, no policy, and therefore nothing is collected.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from agent.errors import AgentError
from transport import jobs

_KEYS = {"receiver": str, "trial": bool}


class SettingsWrong(AgentError):
    """agent.toml cannot be used as it is."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Attributes:
    receiver: The receiver's base URL; None if there is none yet.
    trial: A local trial: throw-away keys, a receiver on this machine's loopback, labelled as such everywhere.
    """

    receiver: str | None = None
    trial: bool = False


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
        if key not in _KEYS or type(value) is not _KEYS[key]:
            raise SettingsWrong(f"{path} has an unknown key or a wrong value: {key}", f"the keys are {', '.join(_KEYS)}")
    settings = Settings(**raw)
    if settings.receiver is not None:
        _check_receiver(path, settings.receiver)
    if settings.trial and not (settings.receiver or "").startswith("http://127.0.0.1:"):
        raise SettingsWrong("a local trial is possible with a receiver on 127.0.0.1 only", "remove the key trial")
    return settings


def _check_receiver(path: Path, url: str) -> None:
    """Raise SettingsWrong unless envelopes may go there at all, and it is written as a policy writes it: no path, no last slash."""
    try:
        jobs.check_url(url)
    except jobs.BadAddress:
        raise SettingsWrong(f"{path} names a receiver that is not on an encrypted line", "begin its address with https://") from None
    if url.count("/") != 2:
        raise SettingsWrong(f"{path} names a receiver with a path", "write its address as https://name, with nothing behind it")
