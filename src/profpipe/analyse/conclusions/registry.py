"""Which rules exist, and in which order a report shows their conclusions.

A new rule is its function in `rules/` with a line in RULES and one in WEIGHTS.
"""

from __future__ import annotations

from collections.abc import Mapping

from profpipe.analyse.conclusions.interface import Rule
from profpipe.plugins import Registry

_RULES = "profpipe.analyse.conclusions.rules"
RULES: Registry[Rule] = Registry(
    kind="rule",
    protocol=Rule,
    builtin={
        "ranking": f"{_RULES}.cost:ranking",
        "cost": f"{_RULES}.cost:cost",
        "beside-load": f"{_RULES}.cost:beside_load",
        "routes": f"{_RULES}.routes:changed_routes",
        "service-queries": f"{_RULES}.services:service_queries",
        "service-work": f"{_RULES}.services:service_work",
        "hypotheses": f"{_RULES}.hypotheses:hypotheses",
        "functions": f"{_RULES}.functions:functions",
        "habits": f"{_RULES}.habits:habits",
        "gap": f"{_RULES}.gap:gap",
        "dependencies": f"{_RULES}.dependencies:dependencies",
        "commits": f"{_RULES}.commits:commits",
        "reason": f"{_RULES}.layers:reason",
        "layers": f"{_RULES}.layers:layers",
        "syscalls": f"{_RULES}.syscalls:syscalls",
        "user-switches": f"{_RULES}.not_cause:user_switches",
        "kernel-switches": f"{_RULES}.not_cause:kernel_switches",
        "kernel-part": f"{_RULES}.not_cause:kernel_part",
        "control": f"{_RULES}.cautions:control",
        "disagree": f"{_RULES}.cautions:disagree",
        "cut-short": f"{_RULES}.cautions:cut_short",
        "lost": f"{_RULES}.cautions:lost",
        "blind-to-kernel": f"{_RULES}.cautions:blind_to_kernel",
        "stackful": f"{_RULES}.cautions:stackful",
        "foreign": f"{_RULES}.cautions:foreign",
        "compiling": f"{_RULES}.cautions:compiling",
        "replaced": f"{_RULES}.replaced:replaced",
        "load-bound": f"{_RULES}.cautions:load_bound",
        "uncategorised": f"{_RULES}.cautions:uncategorised",
        "no-symbols": f"{_RULES}.symbols:no_symbols",
        "few-starts": f"{_RULES}.starts:few_starts",
        "random-layouts": f"{_RULES}.starts:random_layouts",
        "lost-starts": f"{_RULES}.starts:lost_starts",
        "lottery": f"{_RULES}.starts:lottery",
        "put-off": f"{_RULES}.starts:put_off",
        "bursts": f"{_RULES}.starts:bursts",
        "idle": f"{_RULES}.starts:idle",
        "mix": f"{_RULES}.routes:mix_over_sum",
    },
    group="profpipe.rules",
)

# A report shows the heaviest conclusion first; at equal weight the ids decide. A conclusion with two numbers begins at
# the first and gets heavier with the size of what it found, up to the second. Ordered by the second.
WEIGHTS: Mapping[str, tuple[float, float]] = {
    "ranking": (100, 100),
    "cost/first figure": (90, 99),
    "cut-short": (95, 95),
    "replaced": (94, 94),
    "cost/second figure": (80, 89),
    "beside-load/decides": (85, 85),
    "routes": (84.1, 84.9),
    "service-queries": (84.08, 84.08),
    "service-work": (84.05, 84.05),
    "functions/counted": (83.2, 84),
    "functions/timed": (82.5, 83.5),
    "dependencies": (83, 83),
    "habits": (82.1, 82.4),
    "kernel-part/cause": (82, 82),
    "hypotheses": (79.95, 79.95),
    "reason": (79, 79.9),
    "commits-callees": (79, 79),
    "gap": (70, 79),
    "commits/counted": (76, 78),
    "commits/sampled": (72, 74),
    "layers": (60, 69),
    "disagree/direction": (62, 62),
    "syscalls": (57, 59),
    "kernel-switches/not the cause": (56, 56),
    "user-switches": (55, 55),
    "kernel-switches/baseline costs more": (54, 54),
    "commits-nothing": (52, 52),
    "commits-moved": (51, 51),
    "commits-renamed": (50, 50),
    "kernel-part/not the cause": (50, 50),
    "control/noise": (49, 49),
    "dependencies/listed": (48.5, 48.5),
    "few-starts": (48, 48),
    "put-off": (47, 47),
    "mix": (46.5, 46.5),
    "lottery": (46, 46),
    "idle": (45, 45),
    "kernel-switches/a pair": (45, 45),
    "left-out": (45, 45),
    "lost": (44, 44),
    "bursts": (43, 43),
    "beside-load/agrees": (42, 42),
    "disagree/size": (42, 42),
    "compiling": (41, 41),
    "blind-to-kernel": (40, 40),
    "cost/undecided": (40, 40),
    "stackful": (30, 30),
    "unmatched": (29, 29),
    "foreign": (28, 28),
    "random-layouts": (28, 28),
    "load-bound": (25, 25),
    "no-symbols": (22, 22),
    "uncategorised": (20, 20),
    "control/quiet": (10, 10),
}


def weight(conclusion: str, more: float = 0.0) -> float:
    """The weight of a conclusion of WEIGHTS, `more` above its least, at most its most."""
    least, most = WEIGHTS[conclusion]
    return min(least + more, most)
