"""The whole profile as columnar JSON: the form profpipe itself stores and reads back."""

from __future__ import annotations

from profpipe.model.codec import dump_json
from profpipe.model.profile import Fact, Profile

SUFFIX = ".json"
NEEDS: frozenset[Fact] = frozenset()


def export(profile: Profile) -> bytes:
    return dump_json(profile)
