"""The audit of loads: what was checked of them, so that no figure is of a load that was not as it should be."""

from __future__ import annotations

from pydantic import Field

from profpipe.model.figure import Part


class Check(Part):
    """One question about the loads of a report."""

    key: str
    title: str = Field(description="what holds when it is passed")
    passed: bool | None = Field(description="null: it cannot be checked, for the reason in `words`")
    words: str = Field(description="what was found")


class Audit(Part):
    """Every check of the clean loads."""

    checks: tuple[Check, ...]

    @property
    def checked(self) -> int:
        return sum(check.passed is not None for check in self.checks)

    @property
    def passed(self) -> int:
        return sum(check.passed is True for check in self.checks)

    @property
    def words(self) -> str:
        """`9 of 9 checks`."""
        return f"{self.passed} of {self.checked} checks"
