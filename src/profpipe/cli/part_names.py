"""Options whose value names a part, such as a load generator: their help lists the parts that exist here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from click.types import StringParamType

if TYPE_CHECKING:
    import click


class PartName(StringParamType):
    """The name of a part of `registry` ("module:attribute", imported only to show the help), or one of `others`."""

    def __init__(self, registry: str, *others: str) -> None:
        self._registry, self._others = registry, others

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002
        """`[auto|wrk|h2load|builtin]`"""
        module, _, attribute = self._registry.partition(":")
        return f"[{'|'.join([*self._others, *getattr(import_module(module), attribute).names()])}]"


GENERATOR = PartName("profpipe.load:GENERATORS", "auto")
FORMAT = PartName("profpipe.parse:PARSERS")
EXPORTER = PartName("profpipe.export:EXPORTERS")
FORGE = PartName("profpipe.publish.registry:FORGES")
EXECUTOR = PartName("profpipe.pipeline.execute.executors:EXECUTORS")
