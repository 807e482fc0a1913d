"""A process whose files would be everybody's if nobody asked for another mode, for as long as a block runs."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def open_umask() -> Iterator[None]:
    """What is made within it has the mode that it was made with; afterwards the process is as it was, for the tests that follow."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)
