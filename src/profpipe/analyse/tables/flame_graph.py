"""Flame graphs per variant, drawn from whole profiles and not from the aligned tables."""

from __future__ import annotations

from collections.abc import Sequence

from profpipe.analyse.names.demangle import normal_name
from profpipe.analyse.names.levels import levels_of, place
from profpipe.analyse.per_request import per_request, served
from profpipe.analyse.statistics.series import rounded
from profpipe.analyse.study_data import StudyData
from profpipe.analyse.valid_runs import good_runs
from profpipe.model.derive import flame as flame_of
from profpipe.model.profile import Profile
from profpipe.model.report import Flame

# The page draws a million boxes without leaving one out; what is over that is folded into the box below it.
MAX_NODES = 1_000_000


class _Tree:
    """Call paths by name, pooled over rounds. Children keep the order of first sight; output is sorted by name."""

    def __init__(self) -> None:
        self.names: dict[tuple[str, int], int] = {}
        self.parent = [-1]
        self.name = [-1]
        self.own = [0.0]
        self.children: list[dict[int, int]] = [{}]

    def child(self, node: int, name: tuple[str, int]) -> int:
        key = self.names.setdefault(name, len(self.names))
        found = self.children[node].get(key)
        if found is None:
            found = self.children[node][key] = len(self.parent)
            self.parent.append(node)
            self.name.append(key)
            self.own.append(0.0)
            self.children.append({})
        return found

    def add(self, profile: Profile, metric: str, language: str, requests: float) -> None:
        graph = flame_of(profile, metric)
        f = profile.functions
        levels = levels_of(profile, language) - {"python"}  # built-ins are drawn with their raw names
        named = [
            (normal_name(n, o, place("", o, r, levels)[2]), r)
            for n, o, r in zip(f.name, f.object, f.runtime.tolist(), strict=True)
        ]
        path = [0]
        for function, depth, own in zip(graph.function.tolist(), graph.depth.tolist(), graph.own.tolist(), strict=True):
            del path[depth + 1 :]
            path.append(self.child(path[-1], named[function]))
            self.own[path[-1]] += per_request(own, requests)

    def pruned(self, limit: int) -> int:
        """Fold the smallest subtrees into their parents until `limit` nodes remain. Returns how many went."""
        total = list(self.own)
        for node in range(len(total) - 1, 0, -1):
            total[self.parent[node]] += total[node]
        excess = len(total) - 1 - limit
        if excess <= 0:
            return 0
        # A child is never larger than its parent and always has the higher number, so whole subtrees go, leaves first.
        for node in sorted(range(1, len(total)), key=lambda n: (total[n], -n))[:excess]:
            self.own[self.parent[node]] += self.own[node]
            del self.children[self.parent[node]][self.name[node]]
        return excess


def variant_flame(study: StudyData, variant: str, profiler: str) -> tuple[Flame, int] | None:
    """The flame graph of a variant, self per request averaged over its valid rounds, and how many nodes were folded.

    None when the profiler's captures have no stacks.
    """
    runs = [r for r in good_runs(study, variant, profiler) if any(p.stacks is not None for p in r.profiles)]
    if not runs:
        return None
    metric = runs[0].profiles[0].metrics[0].key
    requests = served(study, runs)
    tree = _Tree()
    for run in runs:
        for profile in run.profiles:
            if profile.stacks is not None:
                tree.add(profile, metric, study.language_family(variant), requests)
    folded = tree.pruned(MAX_NODES)
    return _flame(tree, variant, f"{profiler}:{metric}"), folded


def _flame(tree: _Tree, variant: str, metric: str) -> Flame:
    names = list(tree.names)
    rank = {key: place for place, key in enumerate(sorted(range(len(names)), key=lambda k: names[k]))}
    function: list[int] = []
    depth: list[int] = []
    own: list[float] = []
    stack: list[tuple[int, int]] = [(node, 0) for node in _ordered(tree, 0, rank)]
    while stack:
        node, level = stack.pop()
        function.append(rank[tree.name[node]])
        depth.append(level)
        own.append(rounded(tree.own[node], 5))
        stack += [(child, level + 1) for child in _ordered(tree, node, rank)]
    shown = sorted(names)
    return Flame(
        variant=variant,
        metric=metric,
        names=tuple(name for name, _ in shown),
        name_kind=tuple(kind for _, kind in shown),
        function=tuple(function),
        depth=tuple(depth),
        own=tuple(own),
    )


def _ordered(tree: _Tree, node: int, rank: dict[int, int]) -> Sequence[int]:
    """Children in reverse order of name, as a stack wants them."""
    return [child for _, child in sorted(tree.children[node].items(), key=lambda item: -rank[item[0]])]
