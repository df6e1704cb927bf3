"""What a traced profiler adds to a cause: built-in functions, and calls of the server's own code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from profpipe.analyse.function_index import Index, Known
from profpipe.analyse.matrix import Matrix, timed_matrix
from profpipe.analyse.statistics.same_calls import same_calls
from profpipe.analyse.statistics.series import rounded
from profpipe.analyse.study_data import StudyData
from profpipe.model.report import CauseCall
from profpipe.units import CALLS

Calls = Mapping[tuple[int, int], float]
# A built-in function is named where its time differs by this part of what its caller's does.
MATTERS = 0.2
MAX_CALLS = 2


@dataclass(frozen=True, slots=True)
class Tracing:
    """A traced profiler's calls of two variants by (caller, callee), per request, and what the callees cost in them."""

    functions: Sequence[Known]
    before: Calls
    after: Calls
    time_before: Calls
    time_after: Calls

    def built_ins(self, callers: Sequence[int], more: bool) -> tuple[CauseCall, ...]:
        """Built-in functions that hold a part of what their callers cost more (or less), those first that are called
        more (or less) often; else the one that holds most."""
        sign = 1 if more else -1
        pairs = self.before.keys() | self.after.keys()
        whole = sum(self._costs(pair, sign) for pair in pairs if pair[1] in callers and pair[0] not in callers)
        costs = {pair: self._costs(pair, sign) for pair in sorted(pairs) if pair[0] in callers}
        found = [p for p, cost in costs.items() if is_built_in(self.functions[p[1]]) and cost > MATTERS * max(whole, 0)]
        found.sort(key=lambda pair: -costs[pair])
        often = [pair for pair in found if self._differs(pair, sign)]
        return tuple(self._call(pair) for pair in (often[:MAX_CALLS] or found[:1]))

    def own_calls(self) -> tuple[CauseCall, ...]:
        """What the server's own code calls more or less often, and not because it is called more often itself."""
        pairs = self.before.keys() | self.after.keys()
        own = [pair for pair in pairs if self.functions[pair[0]].origin == "own" and self._differs(pair, 0)]
        runs = (self._runs(self.before), self._runs(self.after))
        changed = [pair for pair in own if not self._follows(pair, *runs)]
        order = sorted(changed, key=lambda pair: (is_built_in(self.functions[pair[1]]), -self._size(pair), pair))
        return tuple(self._call(pair) for pair in order[:MAX_CALLS])

    def _costs(self, pair: tuple[int, int], sign: int) -> float:
        return sign * (self.time_after.get(pair, 0.0) - self.time_before.get(pair, 0.0))

    def _differs(self, pair: tuple[int, int], sign: int) -> bool:
        before, after = self.before.get(pair, 0.0), self.after.get(pair, 0.0)
        return not same_calls(before, after) and (not sign or sign * (after - before) > 0)

    def _size(self, pair: tuple[int, int]) -> float:
        return abs(self.after.get(pair, 0.0) - self.before.get(pair, 0.0))

    @staticmethod
    def _runs(calls: Calls) -> dict[int, float]:
        """Function -> how often it is called."""
        found: dict[int, float] = {}
        for (_, callee), many in calls.items():
            found[callee] = found.get(callee, 0.0) + many
        return found

    def _follows(self, pair: tuple[int, int], before: Mapping[int, float], after: Mapping[int, float]) -> bool:
        """Whether the call is made as often per call of its caller as before."""
        runs = before.get(pair[0], 0.0), after.get(pair[0], 0.0)
        if not min(runs):
            return runs[0] != runs[1]
        return same_calls(self.before.get(pair, 0.0) / runs[0], self.after.get(pair, 0.0) / runs[1])

    def _call(self, pair: tuple[int, int]) -> CauseCall:
        return CauseCall(
            caller=self.functions[pair[0]].name,
            function=self.functions[pair[1]].name,
            before=rounded(self.before.get(pair, 0.0), 6),
            after=rounded(self.after.get(pair, 0.0), 6),
        )


def tracing_of(functions: Sequence[Known], calls: Matrix, times: Matrix, baseline: str, contender: str) -> Tracing:
    """`calls` and `times` = the matrices of one traced profiler."""
    return Tracing(
        functions=functions,
        before=calls.edges.get(baseline, {}),
        after=calls.edges.get(contender, {}),
        time_before=times.below.get(baseline, {}),
        time_after=times.below.get(contender, {}),
    )


def traced_matrices(
    study: StudyData, index: Index, tables: Mapping[str, Sequence[Matrix]]
) -> tuple[Matrix, Matrix] | None:
    """Calls and times of the first traced profiler that knows both."""
    for profiler in study.profilers:
        if study.instruments[profiler] == "traced" and not study.again(profiler) and tables.get(profiler):
            times = timed_matrix(study, profiler, index)
            if times is not None and times.metric is not CALLS:
                return tables[profiler][0], times
    return None


def is_built_in(known: Known) -> bool:
    """A function without Python source that a Python profiler names by its module."""
    return known.key.language == "python" and known.runtime != "python" and not known.object and bool(known.key.file)
