"""Did the load generator do what the figures say it did? Pure arithmetic over what loads report of themselves."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from profpipe.analyse.study_data import StudyData
from profpipe.model.audit import Audit, Check
from profpipe.model.run import LoadResult
from profpipe.units import count, duration_ns, percent

# Little's law holds exactly over a whole load; clocks read at two places, and requests cut off at its end, blur it.
TOO_MANY, TOO_FEW = 1.05, 0.5
OWN_PROCESSOR = 0.90
LATE_US, LATE_SHARE = 1000.0, 0.10
RECONNECTED = 0.01
# Header lines such as Date and Server differ by some bytes between servers that answer alike.
SIZE_SHARE, SIZE_BYTES = 0.05, 64.0
SAME_RATE, OTHER_COST = 0.02, 1.15


@dataclass(frozen=True, slots=True)
class Seen:
    """A load, the variant that it was on, and the CPU seconds that the server used in it; None where unknown."""

    variant: str
    load: LoadResult
    server_cpu_s: float | None = None


Found = tuple[bool | None, str]


def audit_of(study: StudyData) -> Audit | None:
    """The audit of a study's clean loads; None where it has none."""
    labels = {variant.id: variant.label for variant in study.record.variants}
    loads = []
    for run in study.runs:
        record = run.record
        if not record.valid or study.instruments.get(record.profiler) != "clean":
            continue
        used = None if record.usage is None or record.usage.cpu_ns is None else record.usage.cpu_ns / 1e9
        costs = {"load": used, "throughput": None, "latency": None}
        found = {"load": record.load, "throughput": record.throughput, "latency": record.latency}
        name = labels.get(record.variant, record.variant)
        loads += [Seen(name, load, costs[key]) for key, load in found.items() if load is not None]
    return audit(loads) if loads else None


def audit(loads: Sequence[Seen]) -> Audit:
    """All checks of all loads. A check fails when one load fails it, and its words name the worst."""
    return Audit(checks=tuple(_check(key, title, look(loads)) for key, title, look in CHECKS))


def _check(key: str, title: str, found: Found) -> Check:
    return Check(key=key, title=title, passed=found[0], words=found[1])


def mean_us(load: LoadResult) -> float | None:
    """The mean latency: of the histogram where there is one, else what the tool says."""
    if load.latency is None or not load.latency.total:
        return load.mean_us
    found = zip(load.latency.values_us, load.latency.counts, strict=True)
    return sum(value * many for value, many in found) / load.latency.total


def in_flight(load: LoadResult) -> float | None:
    """Requests outstanding on average, by Little's law: answers a second x mean latency."""
    mean, answers = mean_us(load), load.served
    if load.latency is None and load.sent is not None:
        answers = min(load.sent, load.served + sum(m for kind, m in load.errors.items() if kind.startswith("status")))
    return None if mean is None or load.seconds <= 0 else answers / load.seconds * mean / 1e6


def _answered(loads: Sequence[Seen]) -> Found:
    bad = [seen for seen in loads if seen.load.failed or seen.load.errors or not seen.load.served]
    if not bad:
        return True, f"{count(sum(seen.load.served for seen in loads))} requests, each answered as expected"
    worst = max(bad, key=lambda seen: seen.load.failed)
    kinds = ", ".join(f"{kind}: {many:,}" for kind, many in worst.load.errors.items()) or "no answer was counted"
    all_of_it = worst.load.served + worst.load.failed
    return False, f"{worst.load.failed:,} of {all_of_it:,} requests on {worst.variant} failed ({kinds})"


def _no_more(loads: Sequence[Seen]) -> Found:
    """More requests outstanding than connections: pipelining, invented latencies, or a wrong count."""
    known = _flights(loads)
    if not known:
        return None, "no load says its connections and its mean latency"
    seen, flight, connections = max(known, key=lambda each: each[1] / each[2])
    words = f"{count(flight)} requests outstanding on average over {connections} connections on {seen.variant}"
    if flight <= TOO_MANY * connections:
        return True, words
    return False, f"{words}: its rate, its latencies or its connections are not what it says (Little's law)"


def _no_fewer(loads: Sequence[Seen]) -> Found:
    """Fewer outstanding than half of the connections of a closed loop: the client did not keep them busy."""
    known = [each for each in _flights(loads) if each[0].load.loop == "closed"]
    if not known:
        return None, "no closed loop says its connections and its mean latency"
    seen, flight, connections = min(known, key=lambda each: each[1] / each[2])
    words = f"{count(flight)} of {connections} connections waited for an answer on average on {seen.variant}"
    if flight >= TOO_FEW * connections:
        return True, words
    return False, f"{words}: the load generator did not keep them busy, so that rate is its own"


def _flights(loads: Sequence[Seen]) -> list[tuple[Seen, float, int]]:
    found = ((seen, in_flight(seen.load), seen.load.connections) for seen in loads if seen.load.correction == "none")
    return [(seen, flight, many) for seen, flight, many in found if flight is not None and many]


def _held(loads: Sequence[Seen]) -> Found:
    known = [(seen, seen.load.reconnects) for seen in loads if seen.load.reconnects is not None]
    if not known:
        return None, "no load counts the connections that were opened again"
    closed = {seen.variant for seen, many in known if many > RECONNECTED * max(seen.load.served, 1)}
    every = {seen.variant for seen, _ in known}
    if not closed:
        return True, "every connection was kept for the whole load"
    seen, many = max(known, key=lambda each: each[1] / max(each[0].load.served, 1))
    words = f"{seen.variant} closed {many:,} connections in {seen.load.served:,} answers"
    if closed == every:
        return True, f"{words}, and so did every variant: connecting is a part of each request"
    return False, f"{words}, others did not: its cost per request holds that of connecting"


def _own_cpu(loads: Sequence[Seen]) -> Found:
    known = [(seen, share) for seen in loads if (share := _client_share(seen.load)) is not None]
    if not known:
        return None, "no load says how much processor time its generator used"
    seen, share = max(known, key=lambda each: each[1])
    words = f"the load generator used at most {percent(share, 0)} of its processors (on {seen.variant})"
    return share < OWN_PROCESSOR, words if share < OWN_PROCESSOR else f"{words}: rate and latency are its own ceiling"


def _client_share(load: LoadResult) -> float | None:
    if load.client_cpu_s is None or load.seconds <= 0:
        return None
    return load.client_cpu_s / (load.seconds * max(load.threads or 1, 1))


def _on_time(loads: Sequence[Seen]) -> Found:
    known = [(seen, late) for seen in loads if (late := seen.load.lateness_p99_us) is not None]
    if not known:
        return None, "no load has a fixed rate at which requests could be late"
    seen, late = max(known, key=lambda each: each[1])
    median = seen.load.latency.percentile(50) if seen.load.latency is not None else None
    most = LATE_US if median is None else min(LATE_US, max(100.0, LATE_SHARE * median))
    words = f"99 of 100 requests began at most {duration_ns(late * 1e3)} after their time (on {seen.variant})"
    return late <= most, words if late <= most else f"{words}: the load generator is slower than what it measures"


def _no_interim(loads: Sequence[Seen]) -> Found:
    known = [(seen, seen.load.interim) for seen in loads if seen.load.interim is not None]
    if not known:
        return None, "no load tells interim answers (1xx) from final ones"
    seen, many = max(known, key=lambda each: each[1])
    if not many:
        return True, "no interim answer (1xx)"
    if seen.load.tool == "builtin":
        return True, f"{seen.variant} sent {many:,} interim answers (1xx), which were not counted as answers"
    return False, f"{seen.variant} sent {many:,} interim answers (1xx), which {seen.load.tool} may count as answers"


def _same_size(loads: Sequence[Seen]) -> Found:
    sizes: dict[str, list[float]] = {}
    for seen in loads:
        if seen.load.bytes_read and seen.load.served and not seen.load.failed:
            sizes.setdefault(seen.variant, []).append(seen.load.bytes_read / seen.load.served)
    each = {variant: statistics.median(found) for variant, found in sizes.items()}
    if len(each) < 2:
        return None, "fewer than two variants whose answers were measured in bytes"
    small, large = min(each, key=each.__getitem__), max(each, key=each.__getitem__)
    gap = each[large] - each[small]
    words = f"{count(each[small])} bytes an answer from {small}, {count(each[large])} from {large}"
    if gap <= max(SIZE_BYTES, SIZE_SHARE * each[large]):
        return True, words
    return False, f"{words}: they do not answer the same, and a part of any difference in cost may be that"


def _no_ceiling(loads: Sequence[Seen]) -> Found:
    """Servers whose cost differs and whose rate does not were all held back by what they share: the client."""
    rates: dict[str, list[float]] = {}
    costs: dict[str, list[float]] = {}
    for seen in loads:
        if seen.load.loop == "closed" and seen.load.rate and seen.server_cpu_s and seen.load.served:
            rates.setdefault(seen.variant, []).append(seen.load.rate)
            costs.setdefault(seen.variant, []).append(seen.server_cpu_s / seen.load.served)
    rate = {variant: statistics.median(found) for variant, found in rates.items()}
    cost = {variant: statistics.median(found) for variant, found in costs.items()}
    if len(rate) < 2:
        return None, "fewer than two variants in a closed loop"
    dear, cheap = max(cost, key=cost.__getitem__), min(cost, key=cost.__getitem__)
    apart, more = max(rate.values()) / min(rate.values()) - 1, cost[dear] / cost[cheap]
    if apart >= SAME_RATE or more < OTHER_COST:
        return True, f"rates from {count(min(rate.values()))} to {count(max(rate.values()))} requests/s"
    return False, (
        f"all {len(rate)} variants stop at about {count(statistics.median(rate.values()))} requests/s, though {dear} "
        f"uses {more:.2f} times the CPU of {cheap} for each: that is the load generator's rate, not theirs"
    )


def _no_omission(loads: Sequence[Seen]) -> Found:
    """Latency at a fixed rate must count from when a request should have begun (Tene, "coordinated omission")."""
    rated = [seen for seen in loads if seen.load.loop == "open" or seen.load.offered_rate is not None]
    if not rated:
        return None, "no load has a fixed rate: the latencies of a closed loop leave out what a slow answer delays"
    bad = [seen for seen in rated if seen.load.correction != "intended-start"]
    if bad:
        return False, f"{bad[0].load.tool} counts latency from the actual start: a late request looks quick"
    short = [seen for seen in rated if (sent := _kept_up(seen.load)) is not None and sent < 0.99]
    if short:
        return False, f"fewer requests were sent to {short[0].variant} than offered: the latency is that of a queue"
    return True, "latencies count from when each request should have begun"


def _kept_up(load: LoadResult) -> float | None:
    if load.offered_rate is None or load.sent is None or load.seconds <= 0:
        return None
    return load.sent / load.seconds / load.offered_rate


CHECKS: tuple[tuple[str, str, Callable[[Sequence[Seen]], Found]], ...] = (
    ("answered", "Every request was answered with the expected status", _answered),
    ("outstanding", "No more requests outstanding than connections (Little's law)", _no_more),
    ("busy", "The connections were really in use", _no_fewer),
    ("held", "Connections were kept, or closed by every variant alike", _held),
    ("own-cpu", "The load generator had processor time to spare", _own_cpu),
    ("on-time", "Requests at a fixed rate began on time", _on_time),
    ("interim", "Interim answers are not counted", _no_interim),
    ("sizes", "All variants answer with as many bytes", _same_size),
    ("ceiling", "The variants do not share one ceiling", _no_ceiling),
    ("omission", "Latency counts from the intended start (no coordinated omission)", _no_omission),
)
