"""Padme: how long a sealed payload becomes. Refuses to add a length below 4 KiB, so one click looks like many."""

MIN_PADDED_BYTES = 4096  # one page: about two thousand events fit, so most batches of an ordinary hour are this long


def padme_bytes(size_bytes: int) -> int:
    """The padded length of size_bytes: at least 4,096, at most 12 % more, and its own padded length.

    Raises:
        ValueError: a negative size.
    """
    if size_bytes < 0:
        raise ValueError("a size is not negative")
    if size_bytes <= MIN_PADDED_BYTES:
        return MIN_PADDED_BYTES
    exponent = size_bytes.bit_length() - 1
    low_bits = exponent - exponent.bit_length()
    mask = (1 << low_bits) - 1
    return (size_bytes + mask) & ~mask


def is_padded(size_bytes: int) -> bool:
    """Whether a length is one that padding produces."""
    return size_bytes >= MIN_PADDED_BYTES and padme_bytes(size_bytes) == size_bytes
