"""A parser whose `parse` takes the wrong arguments, under a name that profpipe-sample has too."""

SAYS: frozenset[str] = frozenset()
RECORD = "none"


def sniff(head: bytes, filename: str) -> bool:
    return True


def parse(raw: object) -> None:
    """Lacks `source`."""
