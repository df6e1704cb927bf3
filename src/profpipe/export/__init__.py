"""Profile -> bytes of another tool's format."""

from __future__ import annotations

from profpipe.export.exporters import EXPORTERS, Exporter, export, load_exporter

__all__ = ["EXPORTERS", "Exporter", "export", "load_exporter"]
