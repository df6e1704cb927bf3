"""Small distributions with entry points, as `pip install --target` would leave them in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path


def install(
    folder: Path,
    package: str,
    source: str,
    *,
    group: str,
    names: Iterable[str] | Mapping[str, str],
    version: str = "1.2",
) -> None:
    """A distribution of one module. `names` are its entry points in `group`: names of the module, or name -> value."""
    module = package.replace("-", "_")
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{module}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    values = names if isinstance(names, Mapping) else dict.fromkeys(names, module)
    lines = [f"{name} = {value or module}\n" for name, value in values.items()]
    (info / "entry_points.txt").write_text(f"[{group}]\n{''.join(lines)}")
