"""Which packages differ between the commits, and whether anything else does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from profpipe.capture import Package, packages_of
from profpipe.model.report import Dependency
from profpipe.pipeline.prepare.prepared import PreparedStudy

# Files that say which packages there are, and nothing else.
LOCKS = re.compile(
    r"(?:^|/)(?:uv\.lock|poetry\.lock|pdm\.lock|Pipfile(?:\.lock)?|requirements[^/]*\.(?:txt|lock|in)|pylock[^/]*\.toml"
    r"|package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|go\.(?:mod|sum)|Cargo\.lock)$"
)


def packages_by_variant(prepared: PreparedStudy) -> Mapping[str, Mapping[str, Package]]:
    """Variant -> its packages by name, of every target that was built."""
    made = prepared.variants.environments
    return {
        name: made[name].packages() if name in made else packages_of(target, prepared.root_of(name))
        for name, target in prepared.targets.items()
    }


def dependencies(
    contender: str, before: Mapping[str, Package], after: Mapping[str, Package], changed_files: Sequence[str]
) -> tuple[Dependency, ...]:
    """The packages that differ, by name. `changed_files` = the files of the repository that do."""
    names = sorted({*before, *after}, key=str.lower)
    differ = [n for n in names if _version(before.get(n)) != _version(after.get(n))] if before and after else []
    alone = len(differ) == 1 and all(LOCKS.search(file) for file in changed_files)
    return tuple(
        Dependency(
            contender=contender,
            name=name,
            before=_version(before.get(name)),
            after=_version(after.get(name)),
            prefixes=tuple(dict.fromkeys(p for side in (before, after) if name in side for p in side[name].prefixes)),
            alone=alone,
        )
        for name in differ
    )


def _version(package: Package | None) -> str | None:
    return None if package is None else package.version
