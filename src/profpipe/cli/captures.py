"""`profpipe parse`, `compare` and `export`: profiles without a study."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from profpipe.characters import well_formed
from profpipe.cli.options import BYTES, REPORTS
from profpipe.cli.part_names import EXPORTER, FORMAT, OneOfMany
from profpipe.cli.say import say, say_json
from profpipe.errors import UsageError

if TYPE_CHECKING:
    from profpipe.model.report import Report

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
MAX_SIZE = click.option(
    "--max-size", type=BYTES, default="512M", show_default=True, help="the largest capture to read, unpacked: 2G, 300M"
)
FORMAT_OPTION = click.option(
    "--format", "format_", cls=OneOfMany, type=FORMAT, metavar="FORMAT", help="default: recognised by its content"
)
CONVERT_OPTION = click.option(
    "--convert", is_flag=True, help="let the own tool of a recording (perf, jfr, memray, heaptrack) convert it"
)


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@FORMAT_OPTION
@MAX_SIZE
@CONVERT_OPTION
@click.option("--limit", type=click.IntRange(1), help="show only the first N functions")
@click.option("--name-style", metavar="TOOL", help="print the list and its names as this tool did: cargo-profiler")
@click.option("--json", "as_json", is_flag=True, help="print all numbers as one JSON object")
def parse(
    files: tuple[Path, ...],
    format_: str | None,
    max_size: int,
    convert: bool,
    limit: int | None,
    name_style: str | None,
    as_json: bool,
) -> None:
    """Print the hotspots of a capture. Several FILES are parts of one capture."""
    from profpipe.pipeline.captures import classic, hotspots, parsed, read_profile

    if as_json and name_style:
        raise UsageError("--json prints all names unchanged; omit --name-style")
    profile = read_profile(files, format_, max_size, convert=convert)
    if as_json:
        say_json(parsed(profile, limit).model_dump_json(by_alias=True, indent=1))
        return
    for text in (profile.meta.partial and f"partial: {profile.meta.partial}", *profile.meta.warnings):
        if text:
            say(f"warning: {text}", err=True)
    if name_style:
        say(classic(profile, name_style, limit or 30), end="")
        return
    from rich.console import Console

    Console(highlight=False).print(hotspots(profile, limit or 30))


@click.command()
@click.argument("sides", nargs=-1, required=True, metavar="FILE FILE ... | FOLDER[:VARIANT] FOLDER[:VARIANT] ...")
@FORMAT_OPTION
@MAX_SIZE
@CONVERT_OPTION
@click.option("--label", "labels", multiple=True, help="name of each side, in order; default: the name of its file")
@click.option("--requests", type=click.IntRange(1), multiple=True, help="requests served in each FILE, in order")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="folder for report.html, .json and comment.md")
@REPORTS
@click.option("--json", "as_json", is_flag=True, help="print report.json")
def compare(
    sides: tuple[str, ...],
    format_: str | None,
    max_size: int,
    convert: bool,
    labels: tuple[str, ...],
    requests: tuple[int, ...],
    output: Path | None,
    reports: Path,
    as_json: bool,
) -> None:
    """Compare captures or measured runs side by side. The first one is the baseline.

    Captures: give --requests once per FILE to compare the cost per request; without it, totals are compared. Runs: a
    run folder or a study with its variant, such as seed:hyper010-may. What cannot be compared is refused or labelled.
    """
    from profpipe.pipeline.reporting.report_files import render, report_json, without_credentials

    if labels and len(labels) != len(sides):
        raise UsageError(f"{len(sides)} sides but {len(labels)} --label: give one per side, in order")
    report = without_credentials(_compared(sides, format_, max_size, labels, requests, reports, convert=convert))
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        written = render(report, output)
    if as_json:
        say_json(report_json(report), end="")
        return
    from rich.console import Console

    from profpipe.render.terminal.report import render_verdict

    Console(highlight=False).print(render_verdict(report))
    if output is not None:
        say(f"\nreport: {written.html}")


def _compared(
    sides: tuple[str, ...],
    format_: str | None,
    max_size: int,
    labels: tuple[str, ...],
    requests: tuple[int, ...],
    reports: Path,
    *,
    convert: bool,
) -> Report:
    from profpipe.pipeline.captures import Compared, read_profile
    from profpipe.pipeline.captures import compare as compare_profiles
    from profpipe.pipeline.reporting.compare_runs import compare_folders, is_folder, side

    runs = [is_folder(text, reports) for text in sides]
    if all(runs):
        if requests:
            raise UsageError("--requests is for captures; the number of requests of a run is known")
        return compare_folders([side(text, reports, labels[i] if labels else None) for i, text in enumerate(sides)])
    files = tuple(Path(text) for text in sides)
    if absent := [str(file) for file in files if not file.is_file()]:
        mixed = "; compare captures with captures and runs with runs" if any(runs) else ""
        raise UsageError(f"{', '.join(absent)}: neither a capture file nor a run folder or study{mixed}")
    if requests and len(requests) != len(files):
        raise UsageError(f"{len(files)} files but {len(requests)} --requests: give one per file, in order")
    names = tuple(map(well_formed, labels or _names(files)))
    return compare_profiles(
        [
            Compared(name, read_profile([file], format_, max_size, convert=convert), requests[i] if requests else None)
            for i, (name, file) in enumerate(zip(names, files, strict=True))
        ]
    )


def _names(files: tuple[Path, ...]) -> tuple[str, ...]:
    """The file names, or the whole paths when two names are the same."""
    names = tuple(file.name for file in files)
    return names if len(set(names)) == len(names) else tuple(str(file) for file in files)


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@FORMAT_OPTION
@MAX_SIZE
@CONVERT_OPTION
@click.option("--to", "to", type=EXPORTER, required=True, help="the format to write")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("-"), help="a file; default: stdout")
def export(files: tuple[Path, ...], format_: str | None, max_size: int, convert: bool, to: str, output: Path) -> None:
    """Write a capture in another tool's format."""
    from profpipe import store
    from profpipe.pipeline.captures import export as export_profile
    from profpipe.pipeline.captures import read_profile

    profile = read_profile(files, format_, max_size, convert=convert)
    for text in (profile.meta.partial and f"partial: {profile.meta.partial}", *profile.meta.warnings):
        if text:
            say(f"warning: {text}", err=True)
    data = export_profile(profile, to)
    if str(output) == "-":
        sys.stdout.buffer.write(data)
        return
    store.write_output(output, data)
