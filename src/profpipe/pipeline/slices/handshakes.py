"""Before anything is measured: whether every variant that is reached by https shakes hands as it should.

A certificate that is not accepted stays so in every run: one error at once says more than as many lost runs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from profpipe.capture.server.certificate import trust_of
from profpipe.capture.server.layout import draw
from profpipe.capture.server.ready import NotTrusted
from profpipe.capture.side_by_side import StartLost, side_by_side, stop
from profpipe.errors import CaptureError
from profpipe.pipeline.events import Listener
from profpipe.pipeline.execute.interface import Session
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.slices.routes import ready_soon
from profpipe.pipeline.slices.units import setting_of, variants_of


@dataclass(frozen=True, slots=True)
class HandshakeUnit:
    """One variant, started and connected to. The result: why it is not trusted, or None."""

    folder: Path
    variant: str

    def carry_out(self, study: PreparedStudy, folder: Path, listen: Listener) -> str | None:  # noqa: ARG002
        (variant,), setting = variants_of(study, [self.variant]), setting_of(study, study.fitted)
        try:
            with side_by_side([ready_soon(variant)], draw(0, 0), root=setting.root, placement=setting.placement) as one:
                stop(one)
        except StartLost as lost:
            # Whatever else is wrong with it, what is measured next says so with its log.
            return lost.lost.reason if isinstance(lost.__cause__, NotTrusted) else None
        return None


def check_handshakes(prepared: PreparedStudy, session: Session, broken: Collection[str]) -> None:
    """Raises CaptureError(ready) with the first variant whose certificate is not accepted, or that has no TLS."""
    for name, target in prepared.targets.items():
        if name in broken or trust_of(target) is None:
            continue
        with TemporaryDirectory(prefix="profpipe-handshake-") as folder:
            ((_, why),) = session.carry_out([HandshakeUnit(Path(folder), name)])
        if why is not None:
            raise CaptureError("ready", f"{name} cannot be reached by https: {why}")
