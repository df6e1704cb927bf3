"""The machine contract of `profpipe parse FILE --json`: one capture as a list of functions, raw counts."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA: Literal["profpipe.parse/1"] = "profpipe.parse/1"


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class ParsedMetric(Part):
    """A metric of the capture. `declared` is the file's own grand total, null where it states none."""

    key: str
    unit: str
    total: int = Field(description="sum of self over all functions, also those that --limit leaves out")
    declared: int | None


class ParsedFunction(Part):
    """One function. `total` and `calls` are null where the capture cannot say."""

    name: str
    file: str
    object: str
    runtime: str
    category: str
    self: dict[str, int]
    total: dict[str, int | None]
    calls: int | None


class ParsedCapture(Part):
    """Functions are ordered by self of the first metric."""

    schema_: Literal["profpipe.parse/1"] = Field(SCHEMA, alias="schema")
    format: str
    partial: str | None = Field(description="why the capture is not whole; null when it is")
    warnings: tuple[str, ...]
    metrics: tuple[ParsedMetric, ...]
    functions: tuple[ParsedFunction, ...]
