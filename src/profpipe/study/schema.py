"""The shape of profpipe.toml. Field descriptions are the config reference: docs/config.md is generated from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr

from profpipe.study.counting import Counting
from profpipe.study.environment import EnvironmentTable
from profpipe.study.feeder import Feeder
from profpipe.study.requests import Https, Name, OneOrSeveral, Part, Request, Route
from profpipe.study.service import Service
from profpipe.study.setup import SetUpRequest
from profpipe.study.starting import Command, PortNumber, Ready, Requires, Seconds, StopSignal
from profpipe.tls import Trust
from profpipe.units import Language

Count = Annotated[int, Field(ge=1, le=100_000_000)]
Limit = Annotated[str, Field(pattern=r"^\d{1,4}(\.\d{1,4})?\s?%$")]
PlacementChoice = Literal["auto", "same-core", "split", "spread", "free"]


class Target(Part):
    """One server variant: a command that starts it, how to know it is ready, how it is built."""

    label: str = Field("", description="name in the report; the key when empty")
    command: Command = Field(
        description="the arguments; `{port}` is the chosen port, `{python}` the interpreter that runs profpipe, or "
        "that of the target's environment; `{checkout}` and `{env}` are the folders of checkout and environment, "
        "`{data}` an empty folder that is made for each start and removed after it, `{socket}` the path of a "
        "unix socket to listen at, `{tls_cert}` and `{tls_key}` "
        "files of a certificate that is made for each run"
    )
    language: Language = Field("other", description="which profilers fit, and which rules apply to function names")
    cwd: str = Field(".", description="folder the command runs in, relative to profpipe.toml")
    env: dict[str, str] = Field(
        default_factory=dict,
        description="environment variables of the server; a value may contain `{port}`, `{data}` and `{tls_cert}`",
    )
    build: tuple[Command, ...] = Field((), description="commands run once, in cwd, before the study")
    environment: EnvironmentTable | None = Field(
        None,
        description="an environment for each commit, made from its lock file by `profpipe diff` and `bisect`, and put "
        "there as .venv or node_modules",
    )
    requires: Requires = Field(Requires(), description="what must be installed")
    ready: Ready = Field(Ready(), description="how to know that it is ready")
    request: Request | None = Field(None, description="overrides the study's request")
    https: Https | None = Field(
        None, description="it is reached by https; also when absent, where the command has `{tls_cert}`"
    )
    host: Literal["127.0.0.1", "::1"] = Field("127.0.0.1", description="the address at which it is reached")
    services: tuple[Name, ...] = Field(
        (),
        description="keys of [service.*] that it uses; `{service.NAME.port}`, `host`, `socket` and `data` of each may "
        "be in `command` and `env`",
    )
    port: PortNumber | None = Field(None, description="a fixed port of the server; a free one is chosen when absent")
    stop: StopSignal = Field("SIGTERM", description="signal that ends it")
    stop_timeout: Seconds = Field(10.0, description="seconds until SIGKILL; three times as long under callgrind")


class LoadPlan(Part):
    """The load on the server in the measured window."""

    plan: Name | None = Field(None, description="name of a [load.*] table to start from; keys given here override it")
    generator: str = Field("auto", description="auto, or the name of a load generator: `profpipe doctor` lists them")
    mode: Literal["count", "rate", "closed"] = Field(
        "count",
        description="count: a fixed number of requests; rate: a fixed rate, latency from the intended start; "
        "closed: as fast as it goes for `duration`",
    )
    requests: Count = Field(
        4000,
        description="mode count: requests per run. When absent, a trial before the rounds chooses what is absent of "
        "`requests`, `connections`, `warmup` and `timeout`",
    )
    rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None, description="mode rate: requests a second"
    )
    duration: Seconds = Field(3.0, description="modes rate and closed: seconds")
    connections: Annotated[int, Field(ge=1, le=10_000)] = Field(
        20, description="connections at a time, kept open where the server keeps them"
    )
    threads: Annotated[int, Field(ge=1, le=64)] = Field(1, description="threads of an external generator")
    warmup: Annotated[int, Field(ge=0, le=1_000_000)] = Field(300, description="requests before the window opens")
    timeout: Seconds = Field(60.0, description="seconds after which a load is aborted and the run is invalid")
    request_: OneOrSeveral = Field(
        Request(), alias="request", description="the request; several as `[[load.NAME.request]]`, each with a name"
    )
    setup: tuple[SetUpRequest, ...] = Field(
        (),
        description="requests that are sent once per start before the load, as `[[load.NAME.setup]]`, such as a log-in",
    )
    feeder: Feeder | None = Field(None, description="a CSV file with values for `{csv:COLUMN}` in the requests")
    command: Command | None = Field(
        None,
        description="a load generator of your own, in place of `generator`: its arguments, with `{host}`, `{port}`, "
        "`{socket}`, `{address}`, `{url}`, `{requests}`, `{connections}`, `{threads}`, `{rate}`, `{duration}`, "
        "`{checkout}`, `{python}`, and `{out}`, a file for its result in place of what it prints",
    )
    count: Counting = Field(Counting(), description="how the operations of `command` are counted")
    unit: Annotated[str, Field(pattern=r"^[^\s`|<>][^\n`|<>]{0,39}$")] | None = Field(
        None, description="what `command` counts, in the singular, such as `SET`; costs are per unit"
    )

    # No keys of the file: how the target that the plan is fitted to is reached.
    _trust: Trust | None = PrivateAttr(None)
    _at_socket: bool = PrivateAttr(False)

    @property
    def trust(self) -> Trust | None:
        """How the server is reached by https; None = by plain HTTP."""
        return self._trust

    @property
    def at_socket(self) -> bool:
        """Whether the server listens at a unix socket."""
        return self._at_socket

    def reaching(self, trust: Trust | None, *, at_socket: bool = False) -> LoadPlan:
        """The plan for a server that is reached so."""
        found = self.model_copy()
        found._trust, found._at_socket = trust, at_socket
        return found

    @property
    def request(self) -> Request:
        """The request; the first of several."""
        return self.request_ if isinstance(self.request_, Request) else self.request_[0].alone

    @property
    def routes(self) -> tuple[Route, ...]:
        """The requests of a load that has several; empty where it has one."""
        return () if isinstance(self.request_, Request) else self.request_

    @property
    def request_words(self) -> str:
        """`GET /item`, or of several requests each with its share."""
        before = [f"after {', '.join(step.words for step in self.setup)}"] if self.setup else []
        whole = sum(route.weight for route in self.routes)
        each = [f"{route.words} ({100 * route.weight / whole:.3g} %)" for route in self.routes]
        return ", ".join([*(each or [self.request.words]), *before])

    @property
    def status_words(self) -> str:
        """What its answers must have, for a sentence: `status 200`, `the status of its route`."""
        return "the status of its route" if self.routes else f"status {self.request.status}"

    def asking(self, asked: Request | tuple[Route, ...]) -> LoadPlan:
        """The plan with another request, or others."""
        return self.model_copy(update={"request_": asked})


def asks_for(plan: LoadPlan, name: str) -> bool:
    """Whether the plan's command has this placeholder."""
    return any(f"{{{name}}}" in argument for argument in plan.command or ())


class ProfilerUse(Part):
    """How a study uses one profiler, where that differs from the rest of the study."""

    tool: str | None = Field(
        None, description="the profiler, where the key is a name of your own: one profiler used in two ways"
    )
    rounds: Annotated[int, Field(ge=1, le=1000)] | None = Field(None, description="rounds for this profiler")
    requests: Count | None = Field(None, description="requests per run under this profiler")
    load: LoadPlan | None = Field(
        None,
        description="the load under this profiler; keys that are not set are those of `plan`, or of the study's load",
    )
    targets: tuple[Name, ...] = Field((), description="only these of the study's targets; all when empty")
    placement: PlacementChoice | None = Field(None, description="processors of server and load under this profiler")
    options: dict[str, str | int | float | bool] = Field(default_factory=dict, description="the profiler's own options")


class CategoryRule(Part):
    """A category rule of your own; tried before the built-in ones, the first match wins."""

    category: str = Field(description="key of a built-in category, or a new one")
    label: str = Field("", description="name of a new category in the report")
    match: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="patterns for the function's name: text with * as the wildcard"
    )
    object: str = Field("", description="only in objects (binaries, libraries) matching this pattern")
    file: str = Field("", description="only in source files matching this pattern")
    examples: tuple[str, ...] = Field((), description="names that must match, checked by `profpipe check`")


class Hypothesis(Part):
    """A reason that may explain a difference. The report decides between a study's hypotheses by what they explain."""

    text: str = Field(description="the reason, worded to be followed by `explains 5 % of the gap`")
    categories: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="keys of the categories that would be more expensive if it were true"
    )


class Study(Part):
    """A question: which targets, which profilers, which load, how many rounds, which one is the baseline."""

    question: str = Field("", description="the question that the report answers")
    hypothesis: tuple[Hypothesis, ...] = Field((), description="reasons to decide between")
    reference: str = Field(
        "", description="a published study to compare the figures with: `post-2018`, the origin of profpipe"
    )
    name_style: str = Field(
        "", description="how the classic lists write names: as the capture has them, or as `cargo-profiler` did"
    )
    targets: Annotated[tuple[Name, ...], Field(min_length=1)] = Field(description="keys of [target.*]")
    services: tuple[Name, ...] = Field((), description="keys of [service.*] that all its targets use")
    baseline: Name | None = Field(None, description="what the others are compared with; the first target when absent")
    profilers: tuple[str, ...] = Field(
        ("clean", "callgrind", "yappi"),
        description="instruments in running order: profilers, or names of [study.NAME.profiler.*] with a `tool`",
    )
    rounds: Annotated[int, Field(ge=1, le=1000)] = Field(
        7,
        description="fresh processes per variant and profiler; where a trial chooses the load, it chooses the rounds "
        "that are not set",
    )
    control: bool = Field(True, description="measure the baseline against itself as well")
    placement: PlacementChoice = Field(
        "auto",
        description="which processors server and load run on: one for both, one each (split), the load's threads in "
        "turn on the server's and another (spread, with a generator of several threads), or anywhere (free); auto = "
        "same core on fewer than four processors, else split",
    )
    slices: bool | Literal["auto"] = Field(
        "auto",
        description="measure CPU time by slices: all variants run at once and are loaded in turn; auto = where the "
        "variants can run at once and the load is no fixed rate, else in rounds",
    )
    resolution: Annotated[float, Field(gt=0, le=1)] = Field(
        0.01, description="the smallest change of CPU time that matters, 0.01 = 1 %: starts are added until it is seen"
    )
    budget: Seconds | None = Field(
        None,
        description="seconds that the whole study may take, 180 when absent: a trial shows how fast each variant is, "
        "and loads and rounds follow. Where the study sets `requests`: seconds of slices at most, 60 when absent",
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = Field(
        None, description="layouts of memory and orders of slices are drawn from it; a new one when absent"
    )
    load: LoadPlan = Field(LoadPlan(), description="the load")
    throughput: LoadPlan | None = Field(
        None, description="a closed-loop load for requests a second, after the window of the first clean rounds"
    )
    latency: LoadPlan | None = Field(None, description="a fixed-rate load for p50 and p99 of the clean runs")
    gate: dict[str, Limit] = Field(
        default_factory=dict,
        description="what fails a change in `profpipe diff`: a metric, a category or `cost`, and the smallest "
        'regression that does, such as `cost = "5%"`',
    )
    profiler: dict[str, ProfilerUse] = Field(
        default_factory=dict, description="per profiler: rounds, requests, load, placement, options"
    )

    # No key of the file: the services that it and its targets use, by name.
    _services: dict[str, Service] = PrivateAttr(default_factory=dict)

    @property
    def used_services(self) -> Mapping[str, Service]:
        """The services that the study or one of its targets uses."""
        return self._services

    def beside(self, services: Mapping[str, Service]) -> Study:
        """The study with these services beside its targets."""
        found = self.model_copy()
        found._services = dict(services)
        return found

    def use(self, name: str) -> ProfilerUse:
        """How `name` of `profilers` is used; all defaults where the study does not set it."""
        return self.profiler.get(name) or ProfilerUse()

    def tool(self, name: str) -> str:
        """The profiler behind `name` of `profilers`."""
        return self.use(name).tool or name


class StudyFile(Part):
    """profpipe.toml as a whole."""

    schema_: Literal[1] = Field(1, alias="schema", description="version of this file's shape")
    target: dict[Name, Target] = Field(default_factory=dict, description="the server variants")
    service: dict[Name, Service] = Field(default_factory=dict, description="programs beside the servers: databases")
    study: dict[Name, Study] = Field(default_factory=dict, description="the questions")
    load: dict[Name, LoadPlan] = Field(
        default_factory=dict, description="load plans that studies share: `load.plan` names one"
    )
    category: tuple[CategoryRule, ...] = Field((), description="category rules of your own")
