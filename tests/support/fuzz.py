"""`make fuzz T=format S=seconds`: damaged captures through a reader, for as long as you like.

Every input is a capture of tests/data/FORMAT that was changed in a few places. A reader must give a profile whose rules
hold or a ParseError, within LIMIT seconds and MEMORY bytes. An input that breaks this is written to tests/data/fuzz,
where tests/parse/test_fuzz_seeds.py reads it in every later run of the tests.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from profpipe.errors import ProfpipeError
from profpipe.model.derive import function_columns
from profpipe.model.profile import Profile, check_profile
from profpipe.parse import PARSERS
from profpipe.parse.interface import Parser
from tests.support.parse_cases import capture
from tests.support.paths import DATA

SEEDS = DATA / "fuzz"
LIMIT = 10.0
MEMORY = 3 << 30
NO_CAPTURES = (".md", ".cpp", ".php", ".c", ".h")
LARGEST = 300_000  # bytes of a capture that is changed; a format whose captures are all larger has its smallest
SMALLEST = 500  # bytes that take as long to read as nothing
BEGINNING = 3000  # bytes of a text capture that are a sample of their own
NUMBERS = (b"-1", b"0", b"9223372036854775807", b"9223372036854775808", b"1e308", b"99999999999999999999", b"0.5")


class Fault(Exception):
    """What a reader did that it must not do."""


def inputs(samples: list[bytes], chance: random.Random) -> Iterator[bytes]:
    """Copies of the samples with one to six changes each; the smaller a sample, the more often it is taken.

    Every sample takes the same time in all, for what a change reaches in a small one is more of it.
    """
    weights = [1 / (len(sample) + SMALLEST) for sample in samples]
    while True:
        data = bytearray(*chance.choices(samples, weights))
        for _ in range(chance.randint(1, 6)):
            _change(data, samples, chance)
        yield bytes(data)


def _change(data: bytearray, samples: list[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    match chance.randrange(8):
        case 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        case 1:
            del data[at : at + chance.choice((1, 2, 8, 200))]
        case 2:
            data[at:at] = data[at : at + chance.choice((1, 4, 30, 400))]
        case 3:
            other = chance.choice(samples)
            start = chance.randrange(len(other))
            data[at : at + chance.randrange(60)] = other[start : start + chance.randrange(200)]
        case 4:
            _number(data, at, chance)
        case 5:
            _line(data, at, chance)
        case 6:
            del data[at:]
        case _:
            data[at:at] = bytes(chance.choice(b' \n\t{}[]():;,"=+-*0159\0\xff') for _ in range(chance.randint(1, 4)))


def _number(data: bytearray, at: int, chance: random.Random) -> None:
    """The next number becomes one of the ends of what fits."""
    while at < len(data) and not 48 <= data[at] <= 57:
        at += 1
    end = at
    while end < len(data) and 48 <= data[end] <= 57:
        end += 1
    data[at:end] = chance.choice(NUMBERS)


def _line(data: bytearray, at: int, chance: random.Random) -> None:
    """A line is left out, doubled, or moved to the end."""
    start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at) + 1
    line = bytes(data[start:end]) if end else b""
    match chance.randrange(3):
        case 0:
            del data[start:end]
        case 1:
            data[start:start] = line
        case _:
            del data[start:end]
            data += line


def examine(parser: Parser, data: bytes) -> bool:
    """Whether the bytes are read as a profile. Raises Fault where a rule is broken; other exceptions come through."""
    started = time.process_time()
    try:
        profile = check_profile(parser.parse(io.BytesIO(data), "fuzz"))
    except ProfpipeError as error:
        if any(not (sign.isprintable() or sign == "\n") for sign in str(error)):
            raise Fault(f"a control character in the message {str(error)!r}") from error
        return False
    finally:
        if time.process_time() - started > LIMIT:
            raise Fault(f"took over {LIMIT:.0f} s")
    sums(profile)
    return True


def sums(profile: Profile) -> None:
    for metric in profile.metrics:
        own = profile.self_sum(metric.key)
        declared = profile.declared.get(metric.key)
        if declared is not None and declared != own and not (profile.meta.partial or profile.meta.warnings):
            raise Fault(f"{metric.key}: {own} is not the declared {declared}, and nothing says so")
        columns = function_columns(profile, metric.key)
        if int(columns.own.sum()) != own or columns.own.min(initial=0) < 0:
            raise Fault(f"{metric.key}: self of the functions adds up to {int(columns.own.sum())}, not {own}")
        if profile.stacks is not None and bool((columns.total < columns.own).any()):
            raise Fault(f"{metric.key}: a total below its self")


@contextmanager
def _bounded() -> Iterator[None]:
    def stop(_signal: int, _frame: object) -> None:
        raise Fault(f"took over {LIMIT:.0f} s")

    before = signal.signal(signal.SIGPROF, stop)
    limit = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, limit[1]))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, limit)
        signal.signal(signal.SIGPROF, before)


def fuzz(name: str, seconds: float, seed: int, folder: Path = SEEDS) -> tuple[int, int, int]:
    """Inputs, those that were read as a profile, and faults. Inputs of faults are written into `folder`."""
    parser = PARSERS.get(name)
    unchanged = samples(name, parser)
    if not unchanged:
        return 0, 0, 0
    tried = accepted = faults = 0
    until = time.monotonic() + seconds
    with _bounded():
        for data in inputs(unchanged, random.Random(seed)):
            if time.monotonic() > until:
                break
            tried += 1
            # Of CPU time: on a busy machine an input may wait for longer than that.
            signal.setitimer(signal.ITIMER_PROF, LIMIT * 2)
            try:
                accepted += examine(parser, data)
            except Exception:  # noqa: BLE001 - whatever a reader raises is a find
                faults += 1
                folder.mkdir(exist_ok=True)
                (folder / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)
                print(f"{name}: {traceback.format_exc(limit=-3)}", file=sys.stderr)
                if faults >= 10:
                    break
    return tried, accepted, faults


def samples(name: str, parser: Parser) -> list[bytes]:
    """The format's captures in tests/data, whole, and the first lines of each where these are read, too."""
    small = [data for data in captures(name) if len(data) <= LARGEST] or sorted(captures(name), key=len)[:1]
    small += captures("faults")
    beginnings = [data[: data.rfind(b"\n", 0, BEGINNING) + 1] for data in small if len(data) > BEGINNING]
    return [data for data in dict.fromkeys([*small, *beginnings]) if data and _is_read(parser, data)]


def captures(folder: str) -> list[bytes]:
    paths = [p for p in sorted((DATA / folder).rglob("*")) if p.is_file() and p.suffix not in NO_CAPTURES]
    return [capture(str(p.relative_to(DATA))) for p in paths if 0 < p.stat().st_size <= LARGEST]


def _is_read(parser: Parser, data: bytes) -> bool:
    try:
        return examine(parser, data)
    except ProfpipeError:
        return False


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("formats", nargs="*", help="formats, default: all")
    options.add_argument("--seconds", type=float, default=60, help="for all of them together")
    options.add_argument("--seed", type=int, default=time.time_ns() & 0xFFFFFFFF)
    chosen = options.parse_args()
    names = chosen.formats or [name for name in PARSERS.builtin if (DATA / name).is_dir()]
    print(f"seed {chosen.seed}", flush=True)
    bad = 0
    for name in names:
        tried, accepted, faults = fuzz(name, chosen.seconds / len(names), chosen.seed)
        print(f"{name:14} {tried:9,} inputs  {accepted:9,} read as a profile  {faults} faults", flush=True)
        bad += faults
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
