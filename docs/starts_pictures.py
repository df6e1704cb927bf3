"""The pictures of docs/how-it-measures.md, drawn from starts that were really measured.

`python -m docs.starts_pictures FOLDER BASELINE OTHER` reads the files that `python -m bench.slices --keep FOLDER` wrote
and writes docs/images/slices-*.svg. OTHER is the variant that is compared with the baseline.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from profpipe.analyse.statistics.starts import cost_ns, ratio_over_starts, start_ratios, valid
from profpipe.model.start import Start
from profpipe.model.start_codec import load_start

IMAGES = Path(__file__).parent / "images"
WIDTH, LEFT, RIGHT = 860, 210, 24
INK, SOFT, LINE = "#1b1f24", "#5b6470", "#d5dae0"
HUES = ("#20262e", "#2f6db5", "#c2660c", "#14837a", "#8f3fa8", "#a8323e")
PASSES_SHOWN = 5
Floats = NDArray[np.float64]


def svg(title: str, height: float, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" font-family="sans-serif" '
        f'font-size="13" fill="{INK}">'
    )
    return "\n".join(
        [
            head,
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{height:g}" fill="#fff"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


def text(x: float, y: float, words: str, *, anchor: str = "start", colour: str = INK, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{weight}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str = LINE) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" fill="none"/>'


def path(xs: Sequence[float], ys: Sequence[float], colour: str) -> str:
    points = "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs, ys, strict=True))
    return f'<path d="M{points}" stroke="{colour}" stroke-width="1.4" fill="none"/>'


def dot(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}" fill-opacity=".55"/>'


def scale(value: float, low: float, high: float) -> float:
    """Where a value lies between the left and the right end of the drawing."""
    return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def weather(starts: Sequence[Start], names: Sequence[str], baseline: str) -> str:
    """Start by start: what every variant costs, and its ratio to the baseline, both relative to their middle."""
    costs = {name: np.array([float(np.median(cost_ns(start.variants[name]))) for start in starts]) for name in names}
    others = [name for name in names if name != baseline]
    paired = {name: np.exp(start_ratios(starts, name, baseline).logs) for name in others}
    panels = (("CPU time of every start", costs), (f"ratio to {baseline}, start by start", paired))
    reach = max(float(np.max(np.abs(np.log(v / np.median(v))))) for _, panel in panels for v in panel.values())
    parts: list[str] = []
    for top, (title, panel) in zip((22, 232), panels, strict=True):
        middle = top + 100
        parts += [text(10, top, title, bold=True), line(LEFT, middle, WIDTH - RIGHT, middle)]
        for share in (-reach, 0.0, reach):
            y, words = middle - 80 * share / reach, f"{100 * math.expm1(share):+.0f} %"
            parts.append(text(LEFT - 8, y + 4, "middle" if share == 0 else words, anchor="end", colour=SOFT))
        row = 0
        for index, name in enumerate(names):
            if name not in panel:
                continue
            moved = np.log(panel[name] / np.median(panel[name]))
            hue, spread = HUES[index % len(HUES)], 100 * float(np.std(moved, ddof=1))
            xs = [scale(i, 0, len(moved) - 1) for i in range(len(moved))]
            parts.append(path(xs, [middle - 80 * float(value) / reach for value in moved], hue))
            parts.append(text(10, top + 26 + 18 * row, f"{name}: {spread:.1f} %", colour=hue))
            row += 1
    parts.append(
        text(LEFT, 438, f"{len(starts)} starts; the per cents next to names are standard deviations", colour=SOFT)
    )
    return svg("Weather falls on all variants of a start; most of it cancels in their ratios", 454, parts)


def calmed(moved: dict[str, Floats], name: str) -> Floats:
    """What is left of a variant's starts without what the others did in the same starts (their median)."""
    others: Floats = np.median([other for each, other in moved.items() if each != name], axis=0)
    return moved[name] - others


def lottery(starts: Sequence[Start], names: Sequence[str]) -> str:
    """Two rows of dots for every variant, one per start: as measured, and without the weather of the start."""
    medians = {n: np.array([float(np.median(cost_ns(s.variants[n]))) / 1000 for s in starts]) for n in names}
    moved = {name: np.log(values / np.median(values)) for name, values in medians.items()}
    reach = math.ceil(20 * max(float(np.max(np.abs(np.expm1(values)))) for values in moved.values())) / 20
    bottom = 50 + 56 * len(names)
    parts = [text(10, 22, "What each start costs, relative to the middle of the variant's starts", bold=True)]
    for tick in np.arange(-reach, reach + 0.001, 0.05):
        x = scale(float(tick), -reach, reach)
        parts += [
            line(x, 36, x, bottom),
            text(x, bottom + 18, f"{100 * tick:+.0f} %".replace("-0 %", "0 %"), anchor="middle", colour=SOFT),
        ]
    for index, name in enumerate(names):
        y, hue = 60 + 56 * index, HUES[index % len(HUES)]
        rows = (moved[name], calmed(moved, name))
        sds = [100 * float(np.std(row, ddof=1)) for row in rows]
        ends = f"{medians[name].min():.1f} to {medians[name].max():.1f} µs: sd {sds[0]:.1f} %"
        parts += [text(10, y - 8, name, colour=hue, bold=True), text(10, y + 8, ends, colour=SOFT)]
        parts.append(text(10, y + 24, f"without the weather: {sds[1]:.1f} %", colour=SOFT))
        for down, row, ink in zip((0, 20), rows, (SOFT, hue), strict=True):
            parts += [dot(scale(float(np.expm1(value)), -reach, reach), y + down, ink) for value in row]
    return svg("The lottery: the same program costs more or less from start to start", bottom + 32, parts)


def order(starts: Sequence[Start], names: Sequence[str]) -> str:
    """The first passes of a real start in time: a box per slice, the pale part is left out."""
    start, seen = starts[0], dict.fromkeys(names, 0)
    at, boxes, ends = 0.0, [], []
    for named in start.orders[:PASSES_SHOWN]:
        for name in named:
            slices, number = start.variants[name], seen[name]
            lead = slices.lead_ns[number] * slices.wall_ns[number] / max(slices.cpu_ns[number], 1) / 1e6
            counted = slices.wall_ns[number] / 1e6
            boxes.append((name, at, lead, counted))
            at, seen[name] = at + lead + counted, number + 1
        ends.append(at)
    parts = [text(10, 22, f"The first {PASSES_SHOWN} passes of a start, in milliseconds", bold=True)]
    bottom = 44 + 34 * len(names)
    parts += [line(scale(end, 0, at), 34, scale(end, 0, at), bottom) for end in (0.0, *ends)]
    parts += [text(scale(end, 0, at), bottom + 16, f"{end:.0f}", anchor="middle", colour=SOFT) for end in (0.0, *ends)]
    for index, name in enumerate(names):
        y, hue = 44 + 34 * index, HUES[index % len(HUES)]
        parts.append(text(10, y + 16, name, colour=hue, bold=True))
        for _, begin, lead, counted in (box for box in boxes if box[0] == name):
            x, middle, end = (scale(value, 0, at) for value in (begin, begin + lead, begin + lead + counted))
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{middle - x:.1f}" height="22" fill="{hue}" fill-opacity=".25"/>'
            )
            parts.append(f'<rect x="{middle:.1f}" y="{y}" width="{end - middle:.1f}" height="22" fill="{hue}"/>')
    return svg("One slice for each variant a pass, in a new random order", bottom + 30, parts)


def pairs(starts: Sequence[Start], baseline: str, other: str) -> str:
    """Ratios of one start against ratios of neighbouring starts: what is shared within a start."""
    ratios = start_ratios(starts, other, baseline)
    costs = {n: [float(np.median(cost_ns(s.variants[n]))) for s in starts] for n in (baseline, other)}
    apart = [b / a for a, b in zip(costs[baseline], [*costs[other][1:], costs[other][0]], strict=True)]
    paired, over = [math.exp(value) for value in ratios.logs], ratio_over_starts(ratios)
    low, high = min([*apart, *paired]) * 0.99, max([*apart, *paired]) * 1.01
    parts = [text(10, 22, f"{other} / {baseline}, a dot per start", bold=True)]
    for y, name, values in ((62, "both of one start", paired), (116, "of two starts", apart)):
        sd = 100 * float(np.std(np.log(values), ddof=1))
        parts += [text(10, y, name, bold=True), text(10, y + 16, f"sd {sd:.1f} %", colour=SOFT)]
        parts += [line(LEFT, y, WIDTH - RIGHT, y), *(dot(scale(v, low, high), y, HUES[1]) for v in values)]
    for value in (min(paired), over.ratio, max(paired)):
        parts.append(text(scale(value, low, high), 90, f"{value:.3f}", anchor="middle", colour=SOFT))
    if over.low is not None and over.high is not None:
        width = 100 * over.half_width
        words = f"ratio {over.ratio:.4f}, 95 % interval {over.low:.4f} to {over.high:.4f} (±{width:.2f} %)"
        parts.append(text(LEFT, 158, f"{words}, {over.starts} starts", colour=SOFT))
    return svg("Ratios within a start agree better than ratios between starts", 174, parts)


def main(folder: Path, baseline: str, other: str) -> None:
    files = sorted(folder.glob("start-*.json"))
    starts = [
        s for s in valid([load_start(f.read_bytes(), str(f)) for f in files]) if {baseline, other} <= set(s.variants)
    ]
    if len(starts) < 2:
        raise SystemExit(f"{folder}: {len(starts)} starts have both {baseline} and {other}; pictures need two")
    names = list(starts[0].variants)
    drawn = {
        "weather": weather(starts, names, baseline),
        "lottery": lottery(starts, names),
        "order": order(starts, names),
        "pairs": pairs(starts, baseline, other),
    }
    for name, picture in drawn.items():
        (IMAGES / f"slices-{name}.svg").write_text(picture)
        print(f"wrote docs/images/slices-{name}.svg")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("use: python -m docs.starts_pictures FOLDER BASELINE OTHER")
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
