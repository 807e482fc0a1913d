"""Lengths and names that a small process has to know, without the cryptography that makes them: loading that costs it 2 MiB. Pure."""

from typing import Annotated

import msgspec

MAX_ENVELOPE_BYTES = 1024 * 1024
"""1 MiB: a working day of events (the bar for 8 h) or some twenty frames. A receiver holds one upload in memory, a laptop on a slow line
sends it within a minute, and GCM must be opened as a whole. nginx's default for a body is the same."""
PUBLIC_BYTES = 1216
"""An X-Wing public key."""
OVERHEAD_BYTES = 1120 + 16  # the KEM's ciphertext and the AEAD's tag

MAX_REASON_BYTES = 2000
"""A reason is a few sentences. Every one is padded to this, so that its length says nothing; a request stays below what a body may have."""
REASON_LENGTH_BYTES = 2
SEALED_BYTES = OVERHEAD_BYTES + REASON_LENGTH_BYTES + MAX_REASON_BYTES
MAX_NAMED = 64
"""Surfaces of one exemption request. Who means more means everything."""
RequestId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
