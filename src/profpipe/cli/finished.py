"""After a measurement: print the verdict, enter the report into the history, choose the exit code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from profpipe.cli.say import say, say_json
from profpipe.errors import EXIT_ERROR, EXIT_OK, EXIT_REGRESSION

if TYPE_CHECKING:
    from profpipe.pipeline.reporting.report_files import ReportFiles


def finish(
    written: ReportFiles,
    *,
    as_json: bool,
    reports: Path | None,
    output: Path | None = None,
    targets: Mapping[str, str] | None = None,
) -> int:
    """Print the verdict and the report's path, enter it into the history of `reports`, copy it to `output`.

    Returns the exit code. The verdict is printed first, so that a full disk does not hide it. `targets` = variant ->
    target where the variants are commits of a target.
    """
    from profpipe.pipeline.history import record
    from profpipe.pipeline.reporting.report_files import render

    _print(written, as_json=as_json)
    if reports is not None:
        record(written.report, reports, written.json, targets)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        render(written.report, output)
    gate = written.report.gate
    for text in gate.undecided if gate else ():
        say(f"not failed: {text}", err=True)
    code = _exit_code(written)
    return EXIT_REGRESSION if gate is not None and gate.failed else code


def _print(written: ReportFiles, *, as_json: bool) -> None:
    if as_json:
        say_json(json.dumps(_summary(written), indent=1, ensure_ascii=False))
        return
    from rich.console import Console

    from profpipe.render.terminal.report import render_verdict

    Console(highlight=False, soft_wrap=False).print(render_verdict(written.report))
    here = Path.cwd()
    page = written.html.relative_to(here) if written.html.is_relative_to(here) else written.html
    for hit in written.report.gate.hits if written.report.gate else ():
        say(f"\nregression: {hit}")
    for text in written.report.gate.accepted if written.report.gate else ():
        say(f"\naccepted regression: {text}")
    say(f"\nreport: {page}")


def _summary(written: ReportFiles) -> dict[str, object]:
    return {
        "html": str(written.html),
        "json": str(written.json),
        "comment": str(written.comment),
        "conclusions": [c.model_dump(mode="json") for c in written.report.conclusions],
        "invalid": [i.model_dump(mode="json") for i in written.report.invalid],
        "gate": written.report.gate and written.report.gate.model_dump(mode="json"),
    }


def _exit_code(written: ReportFiles) -> int:
    if written.unmeasured:
        lost: dict[str, list[str]] = {}
        for variant, profiler in written.unmeasured:
            lost.setdefault(variant, []).append(profiler)
        pairs = ", ".join(f"{variant} ({', '.join(profilers)})" for variant, profilers in lost.items())
        say(f"profpipe: no valid runs for {pairs}; the report gives the reasons", err=True)
    valid = all(v.valid for v in written.report.variants)
    return EXIT_OK if valid and not written.unmeasured else EXIT_ERROR
