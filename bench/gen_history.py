"""A history as years of runs would leave it: reports of one variant, 2,000 functions each, one level change.

Names and shares are drawn, the figures are made up: an input for `profpipe history`, no measurement.
`python -m bench.gen_history FOLDER [REPORTS] [FUNCTIONS]` writes one to look at.
"""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from profpipe.analyse.statistics.series import rounded
from profpipe.model.machine import machine_key, machine_text
from profpipe.store.history.folder import FOLDER, PACK_AT, locked, write_entry, write_packs
from profpipe.store.history.parquet import ORDER, copied, database, table
from profpipe.store.history.rows import COLUMNS, Row

BEGIN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
WORDS = ("hyper", "tokio", "proto", "core", "fmt", "alloc", "conn", "parse", "header", "write", "read", "poll", "task")
ROUNDS = 5
# What the runs of one machine differ by, as a share: what exact counts of real servers show is smaller.
NOISE = 0.005
FACTS = {"CPU": "made up", "processors": "2", "kernel": "Linux 6.1.0", "virtual machine": "yes", "container": "no"}


def functions(count: int, seed: int = 1) -> list[tuple[str, str, str, float]]:
    """(id, name, file, cost): costs spread over four orders of magnitude, as those of a server do."""
    rng = np.random.default_rng(seed)
    costs = np.exp(rng.normal(3, 2, count))
    found = []
    for number, cost in enumerate(costs):
        name = "::".join([*rng.choice(WORDS, rng.integers(2, 6)), f"f{number}"])
        file = f"{'/'.join(rng.choice(WORDS, 2))}.rs"
        found.append((hashlib.sha256(name.encode()).hexdigest()[:12], name, file, float(cost)))
    return found


def entry(number: int, known: list[tuple[str, str, str, float]], level: float, facts: dict[str, str]) -> list[Row]:
    """The rows of report `number`; `level` multiplies every cost."""
    rng = np.random.default_rng(number)
    machine = machine_text(facts)
    at = (BEGIN + timedelta(hours=6 * number)).isoformat()
    whole = {
        "id": hashlib.sha256(f"{machine}{number}".encode()).hexdigest()[:16],
        "study": "made-up",
        "created": at,
        "machine": machine_key(machine),
        "machine_text": machine,
        "profpipe": "0.1.0",
        "report": f"made-up/{number:05d}/report.json",
        "variant": "server",
        "target": "server",
        "label": "a server",
        "role": "baseline",
        "commit": hashlib.sha1(f"{number}".encode(), usedforsecurity=False).hexdigest(),
        "subject": f"change number {number}",
        "commit_time": at,
        "dirty": False,
        "metric": "callgrind:instructions",
        "metric_label": "instructions per request",
        "unit": "1",
        "better": "lower",
        "exact": True,
        "rounds": ROUNDS,
    }
    rounds = sum(cost for *_, cost in known) * level * (1 + rng.normal(0, NOISE, ROUNDS))
    (figure,) = _intervals(rounds[None, :], 9)
    rows = [whole | {"kind": "metric", "values": [rounded(v) for v in rounds], **figure}]
    costs = np.array([cost for *_, cost in known])[:, None] * level * (1 + rng.normal(0, NOISE, (len(known), ROUNDS)))
    for (id_, name, file, cost), own in zip(known, _intervals(costs, 6), strict=True):
        cell = {"function": id_, "name": name, "file": file, "object": "server", "category": "other"}
        rows.append(whole | {"kind": "function", "calls": rounded(cost / 90, 6), **own, **cell})
    return [tuple(row.get(name) for name in COLUMNS) for row in rows]


def _intervals(rounds: np.ndarray, digits: int) -> list[dict[str, float]]:
    """As reports have them: six significant digits for a function, nine for a metric."""
    low, middle, high = np.quantile(rounds, (0.1, 0.5, 0.9), axis=1)
    names = ("value", "low", "high")
    return [
        {name: rounded(value, digits) for name, value in zip(names, row, strict=True)}
        for row in zip(middle, low, high, strict=True)
    ]


def write_history(reports: Path, count: int, of: int, facts: dict[str, str] | None = None) -> Path:
    """A history of `count` reports below `reports`, each recorded; two thirds in, everything costs 3 % more."""
    known = functions(of)
    for number in range(count):
        rows = entry(number, known, 1.03 if number >= count * 2 // 3 else 1.0, facts or FACTS)
        write_entry(reports / FOLDER, str(rows[0][1]), rows)
    return reports / FOLDER


def write_large(reports: Path, count: int, of: int) -> Path:
    """The same files for many reports in less time: packs are drawn by DuckDB, what is left over is recorded."""
    folder, known = reports / FOLDER, functions(of)
    folder.mkdir(parents=True)
    packs, change = count // PACK_AT, count * 2 // 3
    (base := reports / "base.parquet").write_bytes(table(entry(0, known, 1.0, FACTS)))
    for pack in range(packs):
        with database() as opened, locked(folder):
            write_packs(
                folder, [copied(opened, _DRAWN, {"base": str(base), "first": pack * PACK_AT, "change": change})]
            )
    base.unlink()
    for number in range(packs * PACK_AT, count):
        rows = entry(number, known, 1.03, FACTS)
        write_entry(folder, str(rows[0][1]), rows)
    return folder


def _drawn() -> str:
    """Every column of the base report, for reports `first` and after it: own names and times, own noise."""
    at = f"strftime(TIMESTAMP '{BEGIN:%Y-%m-%d %H:%M:%S}' + INTERVAL 6 HOUR * n, '%Y-%m-%dT%H:%M:%S+00:00')"
    level = f"(CASE WHEN n >= $change THEN 1.03 ELSE 1 END) * (1 + {NOISE / 2} * noise)"
    own = {
        "id": "left(sha256('report' || n), 16)",
        "commit": "left(sha256('commit' || n), 40)",
        "subject": "'change number ' || n",
        "report": "format('made-up/{:05d}/report.json', n)",
        "created": at,
        "commit_time": at,
    }
    for name, part in (("value", "1"), ("low", "(1 - 0.008 * random())"), ("high", "(1 + 0.008 * random())")):
        own[name] = f'round("{name}" * {level} * {part}, (5 - floor(log10("{name}")))::INTEGER)'
    columns = ", ".join(f'{own[name]} AS "{name}"' if name in own else f'"{name}"' for name in COLUMNS)
    # A sum of four evenly drawn numbers is near enough to a normal one.
    noise = "(random() + random() + random() + random() - 2) * sqrt(3)"
    drawn = f"SELECT *, $first::BIGINT + k AS n, {noise} AS noise FROM read_parquet($base), range({PACK_AT}) t(k)"
    return f"SELECT {columns} FROM ({drawn}) {ORDER}"


_DRAWN = _drawn()

if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[2:4]]
    print(write_history(Path(sys.argv[1]), *(numbers + [1000, 2000][len(numbers) :])))
