"""Options whose value names a part, such as a load generator: their help lists the parts that exist here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from click.core import Option
from click.types import StringParamType

if TYPE_CHECKING:
    import click


class PartName(StringParamType):
    """The name of a part of `registry` ("module:attribute", imported only to show the help), or one of `others`."""

    def __init__(self, registry: str, *others: str) -> None:
        self._registry, self._others = registry, others

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002
        """`[auto|wrk|h2load|builtin]`"""
        return f"[{'|'.join(self.names())}]"

    def names(self) -> tuple[str, ...]:
        module, _, attribute = self._registry.partition(":")
        return (*self._others, *getattr(import_module(module), attribute).names())


class OneOfMany(Option):
    """An option with a PartName of more parts than fit beside it: its help lists them."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        if record is None or not isinstance(self.type, PartName):
            return record
        return record[0], f"{record[1]}; one of {', '.join(self.type.names())}"


GENERATOR = PartName("profpipe.load:GENERATORS", "auto")
RESULT = PartName("profpipe.load.results:RESULTS")
FORMAT = PartName("profpipe.parse:PARSERS")
EXPORTER = PartName("profpipe.export:EXPORTERS")
FORGE = PartName("profpipe.publish.registry:FORGES")
EXECUTOR = PartName("profpipe.pipeline.execute.executors:EXECUTORS")
