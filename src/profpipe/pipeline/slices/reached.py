"""The servers of a start as the client of slices is told of them, with what their set-up gave to their requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from profpipe.capture.server.certificate import trust_of
from profpipe.capture.side_by_side import Running, StartLost, blame
from profpipe.credentials import hide
from profpipe.errors import SetUpFailed
from profpipe.load.set_up import carry_out
from profpipe.load.slices.client import Address
from profpipe.model.start import Lost

# A log-in may be slow on purpose: a hash of a password takes a good part of a second.
SET_UP_S = 30.0


@dataclass(slots=True)
class Reached:
    """Servers whose set-up is done, once each. `secrets` = what they gave, which nothing that is kept may hold."""

    secrets: list[str] = field(default_factory=list)

    def addresses(self, running: Sequence[Running]) -> list[Address]:
        """Raises StartLost naming the variant whose set-up fails."""
        return [self._address(one) for one in running]

    def _address(self, one: Running) -> Address:
        variant = one.variant
        trust, request, routes = trust_of(variant.target), variant.request, variant.routes
        if variant.setup:
            try:
                found = carry_out(variant.setup, one.host, one.port, trust=trust, timeout=SET_UP_S)
                self.secrets += found.secrets
                request, routes = found.asked(request), tuple(map(found.asked, routes))
            except SetUpFailed as error:
                raise StartLost(blame(one, str(error))) from error
        return Address(one.host, one.port, one.server.keeper, request, routes, trust, variant.feeder)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Around what may raise StartLost with a reason or a log in which a secret is."""
        try:
            yield
        except StartLost as error:
            if not self.secrets:
                raise
            raise StartLost(self._without(error.lost)) from error

    def _without(self, lost: Lost) -> Lost:
        tail = tuple(self.text(line) for line in lost.log_tail)
        return replace(lost, reason=self.text(lost.reason), log_tail=tail)

    def text(self, text: str) -> str:
        return hide(text, self.secrets) if self.secrets else text
