"""Words for people that many answers share. Pure."""


def counted(n: int, thing: str) -> str:
    """A number of things: `1 envelope`, `2 envelopes`, `2 batches`."""
    many = f"{thing}es" if thing.endswith("ch") else f"{thing}s"
    return f"{n} {thing if n == 1 else many}"
