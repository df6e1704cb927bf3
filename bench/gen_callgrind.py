"""Write a callgrind file of a given size: the same seed gives the same bytes, and `totals:` is exact.

Shaped like real dumps: compressed names, objects and files that change with the function, code inlined from other
files, calls, recursion clones, relative positions, and with --instr addresses and jumps. Blocks of cost lines are
rendered once and used again, so that 200 MB take seconds.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

WORDS = ("parse", "read", "alloc", "hash", "visit", "node", "map", "iter", "fmt", "lookup", "insert", "drop", "clone")
BLOCKS = 3000


def name(rng: random.Random, i: int) -> str:
    words = "_".join(rng.choices(WORDS, k=rng.randint(1, 3)))
    shape = rng.random()
    if shape < 0.4:
        return f"{words}_{i}"
    if shape < 0.9:
        space = "::".join(rng.choices(WORDS, k=3))
        return f"app::{space}::{words}_{i}<{rng.choice(WORDS)}, std::allocator<char> >::operator()(unsigned long) const"
    return f"0x{0x400000 + 64 * i:016x}"


def count(rng: random.Random) -> int:
    return 1 + int(rng.paretovariate(0.7)) if rng.random() < 0.9 else rng.randint(1, 10**7)


def block(rng: random.Random, instr: bool, events: int) -> tuple[str, list[int]]:
    """About a dozen cost lines and what they add up to."""
    lines, sums = [], [0] * events
    for i in range(rng.randint(4, 20)):
        step = f"+{rng.randint(1, 9)} " if instr else ""
        # A block begins at a line that its steps back cannot take below 1: callgrind_annotate stumbles over those.
        line = (
            rng.choice(("*", f"+{rng.randint(1, 14)}", f"-{rng.randint(1, 6)}")) if i else str(rng.randint(200, 5000))
        )
        if instr and rng.random() < 0.07:
            lines.append(f"jcnd={count(rng)}/{count(rng)} 0x{rng.getrandbits(24):x} {line} \n{step}{line} ")
            continue
        costs = [count(rng) for _ in range(events)]
        sums = [a + b for a, b in zip(sums, costs, strict=True)]
        lines.append(f"{step}{line} " + " ".join(map(str, costs)))
    return "\n".join(lines) + "\n", sums


class Names:
    """`(id) name` at the first use, `(id)` after."""

    def __init__(self, names: list[str]) -> None:
        self._names, self._seen = names, [False] * len(names)

    def __getitem__(self, i: int) -> str:
        if self._seen[i]:
            return f"({i + 1})"
        self._seen[i] = True
        return f"({i + 1}) {self._names[i]}"


def body(rng: random.Random, size: int, instr: bool, totals: list[int]) -> Iterator[str]:
    """Function after function until that many bytes are out; adds the self costs to `totals`."""
    blocks = [block(rng, instr, len(totals)) for _ in range(BLOCKS)]
    n = max(50, size // (2400 if instr else 600))
    n_files, n_objects = max(10, n // 12), max(3, min(60, n // 200))
    functions = Names([name(rng, i) + ("'2" if rng.random() < 0.03 else "") for i in range(n)])
    files = Names(["???", *(f"./src/{rng.choice(WORDS)}/{rng.choice(WORDS)}_{i}.c" for i in range(1, n_files))])
    objects = Names([f"/usr/lib/lib{rng.choice(WORDS)}.so.{i}" for i in range(n_objects)])
    done, at = 0, 0
    while done < size:
        i, at = at % n, at + 1
        place = f"{0x400000 + 4096 * i:#x} " if instr else ""
        text = [f"\nob={objects[i * n_objects // n]}\nfl={files[i * n_files // n]}\nfn={functions[i]}\n"]
        for _ in range(rng.randint(1, 14 if instr else 4)):
            lines, sums = rng.choice(blocks)
            text.append(lines)
            for e, value in enumerate(sums):
                totals[e] += value
            chance = rng.random()
            if chance < 0.6:
                j = (i + rng.randint(-40, 40)) % n if rng.random() < 0.6 else rng.randrange(n)
                text.append(f"cob={objects[j * n_objects // n]}\ncfi={files[j * n_files // n]}\ncfn={functions[j]}\n")
                text.append(f"calls={count(rng) % 5000 + 1} {place}{rng.randint(10, 5000)} \n")
                text.append(f"{place}* " + " ".join(str(count(rng)) for _ in totals) + "\n")
            elif chance < 0.75:
                text.append(f"fi={files[rng.randrange(n_files)]}\n")
        piece = "".join(text)
        done += len(piece)
        yield piece


def write(
    path: Path, megabytes: float, *, seed: int = 1, instr: bool = False, events: tuple[str, ...] = ("Ir",)
) -> None:
    totals = [0] * len(events)
    with path.open("w") as out:
        out.write(
            "# callgrind format\nversion: 1\ncreator: callgrind-generated\npid: 42\ncmd:  ./synthetic\npart: 1\n\n"
            f"positions: {'instr line' if instr else 'line'}\nevents: {' '.join(events)}\nsummary: 0\n\n"
        )
        for piece in body(random.Random(seed), int(megabytes * 1e6), instr, totals):
            out.write(piece)
        out.write(f"\ntotals: {' '.join(map(str, totals))}\n")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mb", type=float, default=5)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--instr", action="store_true", help="addresses and jumps")
    options.add_argument("--events", default="Ir")
    options.add_argument("-o", "--out", type=Path, required=True)
    given = options.parse_args()
    write(given.out, given.mb, seed=given.seed, instr=given.instr, events=tuple(given.events.split(",")))


if __name__ == "__main__":
    main()
