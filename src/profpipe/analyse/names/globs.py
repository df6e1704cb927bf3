"""A thousand globs against one text without trying each in turn."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from profpipe.study.globs import glob

# How many letters of a text choose the globs that may match it.
START = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A glob of a group that may match a text. `glob` is empty where nothing is left to check."""

    group: int
    glob: str

    def matches(self, text: str) -> bool:
        return not self.glob or glob(self.glob).match(text) is not None


@dataclass(frozen=True, slots=True)
class GlobIndex:
    """Numbered groups of globs, sorted by what finds them: most are never looked at for a text they cannot match.

    `exact` = the groups with this text itself. `heads` = globs by the text before their first star: its first letters,
    its length, the text. `parts` = globs without such a head, each after a text that it needs somewhere.
    """

    exact: Mapping[str, frozenset[int]]
    heads: Mapping[str, tuple[tuple[int, Mapping[str, tuple[Candidate, ...]]], ...]]
    parts: tuple[tuple[str, Candidate], ...]

    def matching(self, text: str) -> set[int]:
        """The numbers of the groups with a glob that matches the whole text."""
        found = set(self.exact.get(text, ()))
        for length, heads in self.heads.get(text[:START], ()):
            found |= {c.group for c in heads.get(text[:length], ()) if c.matches(text)}
        for part, candidate in self.parts:
            if part in text and candidate.matches(text):
                found.add(candidate.group)
        return found


def glob_index(groups: Sequence[Iterable[str]]) -> GlobIndex:
    """An index of groups of globs; a group's number is its place in the sequence."""
    exact: dict[str, set[int]] = defaultdict(set)
    heads: dict[str, list[Candidate]] = defaultdict(list)
    parts: list[tuple[str, Candidate]] = []
    for number, group in enumerate(groups):
        for pattern in group:
            head, *rest = re.sub(r"\*+", "*", pattern).split("*")
            if not rest:
                exact[head].add(number)
            elif len(head) >= START:
                heads[head].append(Candidate(number, "" if rest == [""] else pattern))
            else:
                somewhere = not head and (rest == [""] or rest[1:] == [""])
                parts.append((max(head, *rest, key=len), Candidate(number, "" if somewhere else pattern)))
    return GlobIndex({text: frozenset(numbers) for text, numbers in exact.items()}, _by_start(heads), tuple(parts))


def _by_start(
    heads: Mapping[str, Sequence[Candidate]],
) -> dict[str, tuple[tuple[int, Mapping[str, tuple[Candidate, ...]]], ...]]:
    starts: dict[str, dict[int, dict[str, tuple[Candidate, ...]]]] = defaultdict(lambda: defaultdict(dict))
    for head, candidates in heads.items():
        starts[head[:START]][len(head)][head] = tuple(candidates)
    return {start: tuple(sorted(lengths.items())) for start, lengths in starts.items()}
