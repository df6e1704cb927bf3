"""What a trial before the rounds found: part of study.json and report.json."""

from __future__ import annotations

from pydantic import Field

from profpipe.model.figure import Part, Ratio


class TrialRow(Part):
    """One variant under one instrument: how fast it was, and the load that follows; or why it is not measured."""

    variant: str
    profiler: str
    rate: Ratio | None = Field(None, description="requests a second that it served under the instrument")
    requests: int | None = Field(None, description="requests of each of its runs; null = it is not measured")
    connections: int | None = Field(None, description="connections of each of its runs")
    reason: str | None = Field(None, description="why it is not measured")


class TrialRecord(Part):
    """The trial of a study whose loads follow from a time budget."""

    seconds: Ratio = Field(description="that the trial took")
    budget_s: Ratio = Field(description="seconds that the whole study may take")
    expected_s: Ratio = Field(description="seconds that the whole study should take by the figures of the trial")
    rows: tuple[TrialRow, ...]
