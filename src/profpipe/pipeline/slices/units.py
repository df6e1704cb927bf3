"""What an executor carries out of a study by slices, each in one piece: a start, a trial of lengths, one variant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from profpipe.analyse.statistics.slice_length import SliceLength
from profpipe.capture.server.layout import draw
from profpipe.capture.server.memory import free_memory
from profpipe.capture.side_by_side import StartLost, Variant, control_of
from profpipe.errors import LoadError
from profpipe.model.start import Lost, SlicePlan, Start, control_name
from profpipe.pipeline.events import Listener
from profpipe.pipeline.execute.interface import Result, Session, Unit
from profpipe.pipeline.prepare.fitted import Fitted
from profpipe.pipeline.prepare.load_plans import fit
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.slices.lengths import try_lengths
from profpipe.pipeline.slices.start import Setting, measure_start, serves_alone

CLEAN = "clean"


def variants_of(study: PreparedStudy, names: Sequence[str]) -> list[Variant]:
    """The servers of these names, the control's among them."""
    found = []
    for name in names:
        known = study.baseline if name == control_name(study.baseline) else name
        plan = fit(study.study.load, study.targets[known], None)
        variant = Variant(
            known, study.targets[known], plan.request, study.root_of(known), plan.routes, plan.setup, plan.feeder
        )
        found.append(variant if name == known else control_of(variant, name))
    return found


def setting_of(study: PreparedStudy, fitted: Fitted) -> Setting:
    """Connections, warm-up and processors of the study's clean runs; `fitted` is newer than the study."""
    load = replace(study, fitted=fitted).slices_load
    return Setting(
        root=study.root_of(study.baseline),
        placement=study.placements.get(CLEAN) or study.placements[""],
        connections=load.connections,
        warm_up=load.warmup,
        # A trial has found the memory of every variant already.
        free=None if fitted.sizes else free_memory,
        beside=study.beside,
    )


def service_lost(study: PreparedStudy) -> Lost | None:
    """Why no figure of a start counts: a service ended in it. None while all run."""
    error = study.beside.ended()
    return None if error is None else Lost(None, "service", error.text, error.log_tail)


@dataclass(frozen=True, slots=True)
class StartUnit:
    """One start of the study; `names` = the variants that take part."""

    folder: Path
    names: tuple[str, ...]
    number: int
    seed: int
    plan: SlicePlan
    idle_s: float
    fitted: Fitted

    def carry_out(self, study: PreparedStudy, folder: Path, listen: Listener) -> Start:  # noqa: ARG002 - it leaves no files
        variants, ticket = variants_of(study, self.names), draw(self.seed, self.number)
        try:
            start = measure_start(
                variants, ticket, self.plan, setting_of(study, self.fitted), seed=self.seed, idle_s=self.idle_s
            )
        except LoadError as error:
            lost = Lost(None, "slices", str(error))
            start = Start(ticket=ticket, plan=self.plan, orders=(), variants={}, seconds=0.0, lost=lost)
        ended = service_lost(study)
        return start if ended is None else replace(start, variants={}, lost=ended)


@dataclass(frozen=True, slots=True)
class LengthUnit:
    """A start that measures how long slices should be; Lost where a variant does not go well."""

    folder: Path
    names: tuple[str, ...]
    seed: int
    fitted: Fitted

    def carry_out(self, study: PreparedStudy, folder: Path, listen: Listener) -> SliceLength | Lost:  # noqa: ARG002
        variants, ticket = variants_of(study, self.names), draw(self.seed, 0)
        found: SliceLength | Lost
        try:
            found = try_lengths(variants, study.baseline, ticket, setting_of(study, self.fitted), seed=self.seed)
        except StartLost as error:
            found = error.lost
        except LoadError as error:
            found = Lost(None, "slices", str(error))
        return service_lost(study) or found


@dataclass(frozen=True, slots=True)
class AloneUnit:
    """One variant without the others: Lost where it does not serve then either."""

    folder: Path
    name: str
    seed: int
    fitted: Fitted

    def carry_out(self, study: PreparedStudy, folder: Path, listen: Listener) -> Lost | None:  # noqa: ARG002
        try:
            return serves_alone(variants_of(study, [self.name])[0], draw(self.seed, 0), setting_of(study, self.fitted))
        except LoadError as error:
            return Lost(None, "slices", str(error))


@dataclass(frozen=True, slots=True)
class BySession:
    """Starts that an executor carries out, one after another: a start is never split."""

    session: Session
    seed: int
    fitted: Fitted

    def try_lengths(self, variants: Sequence[Variant], baseline: str) -> SliceLength:  # noqa: ARG002
        names = tuple(variant.name for variant in variants)
        found = self._one(lambda folder: LengthUnit(folder, names, self.seed, self.fitted))
        if isinstance(found, Lost):
            raise StartLost(found)
        return found

    def measure(self, variants: Sequence[Variant], number: int, plan: SlicePlan, *, idle_s: float) -> Start:
        names = tuple(variant.name for variant in variants)
        return self._one(lambda folder: StartUnit(folder, names, number, self.seed, plan, idle_s, self.fitted))

    def alone(self, variant: Variant) -> Lost | None:
        return self._one(lambda folder: AloneUnit(folder, variant.name, self.seed, self.fitted))

    def _one(self, unit: Callable[[Path], Unit[Result]]) -> Result:
        with TemporaryDirectory(prefix="profpipe-unit-") as folder:
            ((_, found),) = self.session.carry_out([unit(Path(folder))])
        return found
