"""The set-up of one start of a server: carried out once, however many loads the start has."""

from __future__ import annotations

from dataclasses import dataclass, field

from profpipe.load.set_up.logged_in import LoggedIn
from profpipe.load.set_up.sequence import carry_out
from profpipe.study.schema import LoadPlan
from profpipe.study.setup import SetUpRequest


@dataclass(slots=True)
class SetUp:
    """Logs in when the first load of a start asks for it; `secrets` = all that it was given."""

    done: list[tuple[tuple[SetUpRequest, ...], LoggedIn]] = field(default_factory=list)

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value for _, found in self.done for value in found.secrets))

    def ready(self, plan: LoadPlan, host: str, port: int) -> LoadPlan:
        """The plan with what its set-up gave. Raises SetUpFailed."""
        if not plan.setup:
            return plan
        for steps, found in self.done:
            if steps == plan.setup:
                return found.load(plan)
        found = carry_out(plan.setup, host, port, trust=plan.trust, timeout=plan.timeout)
        self.done.append((plan.setup, found))
        return found.load(plan)
