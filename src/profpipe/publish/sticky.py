"""One comment per report, found by its hidden first line and its author; only one even when two jobs write at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from profpipe.publish.wire import ForgeError


@dataclass(frozen=True, slots=True)
class Comment:
    id: int
    body: str
    author: str
    url: str = ""


class Thread(Protocol):
    """The comments of one pull request."""

    def comments(self) -> Iterator[Comment]: ...

    def create(self, body: str) -> Comment: ...

    def update(self, comment: int, body: str) -> Comment: ...

    def delete(self, comment: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Upserted:
    comment: Comment
    created: bool
    removed: int


def marker(key: str) -> str:
    """The first line of our comment. `key` keeps the reports of one pull request apart."""
    return f"<!-- profpipe:report:{re.sub(r'[^A-Za-z0-9_.-]+', '-', key)[:80] or 'report'} -->"


def upsert(thread: Thread, key: str, body: str, me: str | None, say: Callable[[str], None]) -> Upserted:
    """Create or update the one comment that begins with the marker of `key` and was written by `me`.

    `me` may be a guess or None: the answer to a new comment says who we are. Two jobs that find no comment both
    create one, and both then look again: the oldest stays, with the text of the one who looks last.
    """
    text = f"{marker(key)}\n{body}"
    found = _ours(thread, key, me)
    for comment in found[:1]:
        try:
            kept = thread.update(comment.id, text)
        except ForgeError as error:
            if not error.missing:
                raise
            say(f"comment {comment.id} was deleted meanwhile; writing a new one")
            break
        return Upserted(kept, False, _remove(thread, found[1:]))
    made = thread.create(text)
    found = _ours(thread, key, made.author)
    older = [comment for comment in found if comment.id < made.id]
    if not older:
        return Upserted(made, True, _remove(thread, [c for c in found if c.id != made.id]))
    try:
        kept = thread.update(older[0].id, text)
    except ForgeError as error:
        if not error.missing:
            raise
        return Upserted(made, True, 0)
    return Upserted(kept, False, _remove(thread, [c for c in found if c.id != kept.id]))


def _ours(thread: Thread, key: str, me: str | None) -> list[Comment]:
    """The oldest first. A comment of somebody else that begins alike is not ours to touch."""
    first = marker(key)
    found = [c for c in thread.comments() if c.author == me and c.body.lstrip("\ufeff").startswith(first)]
    return sorted(found, key=lambda comment: comment.id) if me else []


def _remove(thread: Thread, comments: list[Comment]) -> int:
    """How many were still there: another job may have removed them first."""
    removed = 0
    for comment in comments:
        try:
            thread.delete(comment.id)
            removed += 1
        except ForgeError as error:
            if not error.missing:
                raise
    return removed
