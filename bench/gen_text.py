"""Text captures of a given size, the same bytes for the same seed: `perf script`, folded stacks, pstats.

Shaped like those of a threaded server: stacks come from a random call tree, so most of them share their callers and
differ at the leaf. `python -m bench.gen_text perf 80 FILE` (megabytes), `folded 250000 FILE` (stacks), `pstats 10000
FILE` (functions).
"""

from __future__ import annotations

import marshal
import random
import sys
from pathlib import Path

WORDS = ("parse", "read", "alloc", "hash", "visit", "node", "vec", "map", "iter", "core", "fmt", "lookup")
OBJECTS = ("/usr/lib/libc.so.6", "/srv/app/bin/server", "/usr/bin/node", "/usr/lib/libstdc++.so.6", "[kernel.kallsyms]")
THREADS = (("server", 4001), ("server", 4002), ("node", 4100), ("libuv-worker", 4104))
FUNCTIONS, NODES, DEEPEST = 4000, 60_000, 45


def name(chance: random.Random, number: int) -> str:
    words = "_".join(chance.choices(WORDS, k=chance.randint(1, 2)))
    if chance.random() < 0.6:
        return f"{words}_{number}"
    return f"app::{words}<std::function<unsigned long (std::string const&)>&>::call_{number}"


def call_tree(chance: random.Random, lines: list[str]) -> list[str]:
    """For each node its frames up to the root, the innermost first, one line each."""
    frames, depth = [""], [0]
    for node in range(1, NODES):
        parent = chance.randrange(max(0, node - 400), node) if chance.random() < 0.7 else chance.randrange(node)
        parent = 0 if depth[parent] > DEEPEST else parent
        frames.append(chance.choice(lines) + frames[parent])
        depth.append(depth[parent] + 1)
    return frames


def perf(megabytes: float, path: Path, seed: int = 1) -> None:
    chance = random.Random(seed)
    lines = [
        f"\t{0x1000 + number * 512 + chance.randint(4, 500):16x} {name(chance, number)}+0x{chance.randint(4, 500):x} "
        f"({chance.choice(OBJECTS)})\n"
        for number in range(FUNCTIONS)
    ]
    frames = call_tree(chance, lines)
    # Half of the samples are in a few hot places, as they are in a server.
    hot = [min(int(chance.paretovariate(0.35)), NODES - 1) for _ in range(4096)]
    size, at = 0, 1000.0
    with path.open("w", newline="\n") as out:
        while size < megabytes * 1e6:
            comm, thread = chance.choice(THREADS)
            at += 0.00004
            node = chance.choice(hot) if chance.random() < 0.5 else chance.randrange(1, NODES)
            leaf = lines[(node * 7 + chance.randrange(6)) % FUNCTIONS]
            size += out.write(f"{comm} {thread} {at:12.6f}:      40000 cpu-clock: \n{leaf}{frames[node]}\n")


def folded(stacks: int, path: Path, seed: int = 1) -> None:
    """That many different stacks."""
    chance = random.Random(seed)
    functions = [name(chance, number) for number in range(3000)]
    paths, depth, seen = ["main"], [1], set()
    with path.open("w", newline="\n") as out:
        while len(seen) < stacks:
            recent = max(0, len(paths) - 3000) if chance.random() < 0.6 else 0
            parent, leaf = chance.randrange(recent, len(paths)), chance.randrange(3000)
            if (parent, leaf) in seen:
                continue
            seen.add((parent, leaf))
            stack = f"{paths[parent]};{functions[leaf]}"
            if depth[parent] < 12 and len(paths) < 200_000:
                paths.append(stack)
                depth.append(depth[parent] + 1)
            out.write(f"{stack} {min(int(chance.paretovariate(0.8)), 10**6)}\n")


def pstats(functions: int, path: Path, seed: int = 1) -> None:
    """Each is called by up to five others; calls and times of callers add up to the function's own."""
    chance = random.Random(seed)
    keys = [(f"/srv/app/{chance.choice(WORDS)}_{n % 97}.py", n % 900 + 1, name(chance, n)) for n in range(functions)]
    stats = {}
    for key in keys:
        edges = {
            caller: (n, n, n * 1e-6, n * 3e-6) for caller in chance.sample(keys, chance.randint(1, 5)) for n in (7,)
        }
        calls = sum(edge[0] for edge in edges.values())
        stats[key] = (calls, calls, calls * 1e-6, calls * 3e-6, edges)
    path.write_bytes(marshal.dumps(stats))


KINDS = {"perf": perf, "folded": folded, "pstats": pstats}


if __name__ == "__main__":
    kind, size, file = sys.argv[1:]
    KINDS[kind](int(size), Path(file))
