"""Flame graphs of a given number of nodes: the shape of a deep server's stacks, the same ones every time."""

from __future__ import annotations

import random

from profpipe.model.report import Flame

NAMES = 4000
DEEPEST = 60
METRIC = "perf:cpu_ns"


def tree(nodes: int, seed: int = 1) -> tuple[list[int], list[int], list[float]]:
    """(name, depth, own) in preorder, one root; a step goes deeper a little more often than back, as stacks do."""
    chance = random.Random(seed)
    depth, name = [0], [0]
    for _ in range(nodes - 1):
        last = depth[-1]
        level = last + 1 if chance.random() < 0.55 else chance.randint(max(1, last - 6), max(last, 1))
        depth.append(min(level, DEEPEST))
        name.append(1 + int((NAMES - 1) * chance.random() ** 2))
    own = [chance.randint(1, 30) * 123.456 if chance.random() < 0.5 else 0.0 for _ in range(nodes)]
    return name, depth, own


def pair(nodes: int) -> tuple[Flame, Flame]:
    """A baseline and a contender of as many nodes each: every tenth value differs, every hundredth name is new."""
    name, depth, own = tree(nodes)
    chance = random.Random(2)
    other = [value * chance.random() * 2 if i % 10 == 0 else value for i, value in enumerate(own)]
    renamed = [NAMES + n if i % 100 == 99 else n for i, n in enumerate(name)]
    return _flame("baseline", name, depth, own), _flame("contender", renamed, depth, other)


def _flame(variant: str, name: list[int], depth: list[int], own: list[float]) -> Flame:
    used = sorted(set(name))
    place = {number: index for index, number in enumerate(used)}
    return Flame(
        variant=variant,
        metric=METRIC,
        names=tuple(f"module_{n % 97}::component_{n % 13}::function_{n}" for n in used),
        name_kind=(1,) * len(used),
        function=tuple(place[number] for number in name),
        depth=tuple(depth),
        own=tuple(own),
    )
