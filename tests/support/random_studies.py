"""Studies whose figures are drawn at random, so that sentences are made of every direction and share."""

from __future__ import annotations

import io
import marshal
import random
from dataclasses import replace

from profpipe.analyse import RunData, build_report
from profpipe.analyse.report import concluded
from profpipe.model.build import Builder
from profpipe.model.profile import NATIVE, PYTHON, Meta, Profile
from profpipe.model.report import Dependency, Hypothesis, Report
from profpipe.parse import pstats
from profpipe.units import INSTRUCTIONS, SYSCALLS
from tests.support.analyse_cases import clean_run, load, record, study
from tests.support.call_graphs import Function, seen
from tests.support.programs import SERVER

SERVED = 1000
INTERPRETER, LIBC = "/usr/bin/python3.11", "/lib/x86_64-linux-gnu/libc.so.6"
NAMES = ("first server", "second server", "third server", "fourth server")
# Name, file: built-in and library code of the categories that sentences speak of, and one that none has.
COUNTED = (
    "_PyEval_EvalFrameDefault", "PyDict_GetItem", "_PyObject_Malloc", "core::fmt::write", "_int_malloc",
    "__memcpy_avx_unaligned", "swap_registers", "httparse::Request::parse", "a_function_no_rule_knows",
)  # fmt: skip
ASKING = ("recv", "send", "epoll_wait", "clock_gettime", "futex", "close")
TRACED = (
    ("app.py", 11, "handler"),
    ("/usr/lib/python3.11/json/encoder.py", 183, "JSONEncoder.encode"),
    ("/usr/lib/python3.11/asyncio/base_events.py", 1900, "BaseEventLoop._run_once"),
    ("/usr/lib/python3.11/asyncio/streams.py", 341, "StreamWriter.write"),
    ("/usr/lib/python3.11/concurrent/futures/_base.py", 328, "Future.add_done_callback"),
    ("~", 0, "<method 'append' of 'list' objects>"),
    ("~", 0, "<method 'recv' of '_socket.socket' objects>"),
)
HYPOTHESES = (
    Hypothesis(text="the interpreter", categories=("interp-loop", "attributes")),
    Hypothesis(text="memory", categories=("alloc", "memcpy", "objects")),
    Hypothesis(text="formatting", categories=("format",)),
)


def _counted(rng: random.Random) -> Profile:
    """Instructions of functions in C, and system calls of the C library and of a function of Python."""
    builder = Builder("counted", (INSTRUCTIONS, SYSCALLS))
    for name in COUNTED:
        frame = builder.frame(builder.function(name, object=INTERPRETER))
        builder.cost(frame, (rng.choice((0, 1, 1, 5)) * rng.randrange(900) * SERVED, 0))
    for name in ASKING:
        asked = rng.choice((0, 1, 2, 2, 3, 12)) * SERVED
        builder.cost(builder.frame(builder.function(name, object=LIBC)), (20 * asked, asked))
    python = builder.function("handle", "app.py", runtime=PYTHON)
    builder.cost(builder.frame(python), (SERVED, rng.choice((0, 1, 8)) * SERVED))
    builder.cost(builder.frame(builder.function("main", "server.c", runtime=NATIVE)), (5000 * SERVED, 0))
    return builder.freeze(Meta(format="callgrind"))


def _traced(rng: random.Random) -> Profile:
    """As yappi saves it: the handler calls all others, each some times and at some cost."""
    handler, rows, inside = TRACED[0], {}, 0.0
    for key in TRACED[1:]:
        calls = rng.choice((0, 1, 2, 9)) * SERVED
        cost = calls * rng.uniform(1e-6, 2e-5)
        inside += cost
        if calls:
            rows[key] = (calls, calls, cost, cost, {handler: (calls, calls, cost, cost)})
    own = SERVED * rng.uniform(1e-5, 5e-5)
    rows[handler] = (SERVED, SERVED, own, own + inside, {})
    return pstats.parse(io.BytesIO(marshal.dumps(rows)), "yappi.pstats")


def random_study(seed: int, variants: int = 4, rounds: int = 5) -> Report:
    """Servers under every instrument. Each differs from the others in everything, or hardly, at random."""
    rng = random.Random(seed)
    names, runs = NAMES[:variants], []
    for name in names:
        kernel, switches = rng.uniform(0.02, 0.8), rng.uniform(0, 3)
        cost, spread = 10 * rng.choice((1, 1, 1.04, 1.6, rng.uniform(0.5, 2))), rng.choice((0.001, 0.003, 0.05))
        counted, traced = _counted(rng), _traced(rng)
        for control in (False, True) if name == names[0] else (False,):
            for number in range(1, rounds + 1):
                at, foreign = cost * (1 + rng.gauss(0, spread)), rng.choice((0.0, 0.0, 0.3))
                runs.append(
                    clean_run(
                        name,
                        number,
                        at,
                        kernel,
                        switches,
                        control=control,
                        foreign=foreign,
                        compiler=rng.choice((None, 0.2)),
                    )
                )
            facts = {"load": load(SERVED), "control": control}
            for number in (1, 2):
                runs.append(RunData(record(name, "callgrind", number, **facts), (counted,)))
                runs.append(RunData(record(name, "yappi", number, **facts), (traced,)))
    return build_report(study(runs, rounds=rounds, hypotheses=HYPOTHESES, languages=dict.fromkeys(names, "python")))


def random_commits(seed: int) -> Report:
    """Two commits of one program: some functions cost more or less or are called more often, packages are others."""
    rng = random.Random(seed)
    files = ("app.c", "jinja2/runtime.py", "markupsafe/_native.py", "json/encoder.py")
    before = {name: replace(f, file=rng.choice(files)) for name, f in SERVER.items()}
    after = {name: _changed(rng, f) for name, f in before.items()}
    packages = [
        Dependency(contender="b", name=name, before="1.0", after="2.0", prefixes=(f"{name.lower()}/",))
        for name in ("jinja2", "MarkupSafe", "click")[: rng.randrange(4)]
    ]
    if len(packages) == 1:
        packages = [packages[0].model_copy(update={"alone": rng.random() < 0.5})]
    report = seen(before, after, commits=rng.random() < 0.7).report
    return concluded(report.model_copy(update={"dependencies": tuple(packages)}))


def _changed(rng: random.Random, function: Function) -> Function:
    if rng.random() < 0.4:
        return function
    calls = {name: max(1, n + rng.choice((0, 0, -1, 2))) for name, n in function.calls.items()}
    return replace(function, own=max(1, function.own + rng.randrange(-900, 900)), calls=calls)
