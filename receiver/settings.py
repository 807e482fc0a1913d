"""The receiver's settings file, `receiver.toml`. Refuses a key that it does not know and a value that makes no sense."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from receiver.errors import ReceiverError


class Settings(BaseModel):
    """What can be set. Bounds are in docs/receiver.md."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    trial: bool = False
    """Throw-away keys: serves on loopback only."""
    max_in_flight: int = Field(default=32, ge=1, le=1024)
    """Uploads at once, each at most 1 MiB of memory; one more gets 503."""
    upload_deadline_s: int = Field(default=60, ge=1, le=600)
    """An upload that takes longer is cut: 1 MiB in a minute is 140 kbit/s."""
    drain_s: int = Field(default=30, ge=1, le=600)
    """How long SIGTERM waits for uploads in flight."""
    reserve_bytes: int = Field(default=64 * 1024 * 1024, ge=0)
    """Below this much free disk nothing more is stored, so that erasing goes on working."""
    slots_replica: str | None = Field(default=None, pattern=r"^/", max_length=4000)
    """A second folder for slots, on another disk; `volens-receiver repair` makes it. Without it slots have one copy, in no backup."""
    backups_kept_days: int = Field(default=7, ge=0, le=366)
    """How long ordinary backups live; erasure receipts name the day."""
    late_days: int = Field(default=31, ge=1, le=366)
    """How late a day's identities may be registered and its envelopes sent: as long as an agent keeps an envelope that it cannot send."""
    lease_s: int = Field(default=86_400, ge=60, le=7 * 86_400)
    """Life of a signed timestamp: for so long agents may collect when this receiver is gone."""
    lease_renewed_s: int = Field(default=3600, ge=1)
    """How often it is signed anew."""


def read(path: Path) -> Settings:
    """The settings in a file.

    Raises:
        ReceiverError: unreadable, not TOML, an unknown key, a bad value.
    """
    try:
        return Settings.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise ReceiverError(f"{path} cannot be read ({error.strerror})", "make the folder with `volens-receiver init`") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise ReceiverError(f"{path} is not TOML", "mend it, or remove what was changed") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ReceiverError(f"{path}: {place}: {first['msg']}", "docs/receiver.md lists every setting") from None
