"""The place of a report from the environment of a CI, and the checks of a place before anything is sent to it."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from profpipe.errors import PartFailed, UsageError
from profpipe.publish.place import Place, pull_number
from profpipe.publish.registry import FORGES
from profpipe.publish.secret import plain_url


def detect(environment: Mapping[str, str]) -> Place | None:
    """The place that the CI we run in belongs to; None outside of a CI that is known.

    Each forge is asked for its own CI, then Woodpecker, which serves any forge. A plug-in that raises is named on
    stderr. Raises UsageError when a file of the CI cannot be read.
    """
    for name, forge in FORGES.parts():
        try:
            with FORGES.blaming(name):
                place = forge.detect(environment)
        except PartFailed as error:
            logging.getLogger(__name__).warning("%s", error)
            continue
        if place is not None:
            return place
    return _woodpecker(environment) if environment.get("CI") == "woodpecker" else None


def check_place(place: Place) -> Place:
    """The place with a clean address. Raises UsageError naming the option that mends it."""
    api = plain_url(place.api)
    if not api:
        raise UsageError(f"{place.forge}: the address of its API is not known: give --api https://HOST/api/...")
    if api.startswith("http://") and not _is_near(urlsplit(api).hostname or ""):
        raise UsageError(f"{place.forge}: over http:// the token could be read on its way: give --api https://...")
    forge = FORGES.get(place.forge)
    for name in filter(None, (place.repository, place.status_repository)):
        if not forge.fits(name) or ".." in name:
            raise UsageError(f"{place.forge}: the repository is not of the form owner/name: give --repository")
    if not place.repository:
        raise UsageError(f"{place.forge}: the repository is not known: give --repository owner/name")
    if place.sha and not re.fullmatch(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", place.sha):
        raise UsageError("the commit is not a full hash of 40 or 64 hexadecimal digits: give --sha")
    return replace(place, api=api)


def _is_near(host: str) -> bool:
    """Whether a host is this machine or in its own network: a private address, a bare name, an internal domain."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal", ".lan", ".home.arpa"))


def _woodpecker(environment: Mapping[str, str]) -> Place | None:
    name = environment.get("CI_FORGE_TYPE", "")
    if name not in FORGES.names():
        return None
    forge = FORGES.get(name)
    url = plain_url(environment.get("CI_FORGE_URL", ""))
    pull = pull_number(environment.get("CI_COMMIT_PULL_REQUEST"))
    return Place(
        forge.NAME,
        forge.API or (forge.api_of(url) if url else ""),
        environment.get("CI_REPO", ""),
        pull,
        environment.get("CI_COMMIT_SHA", ""),
        run_url=plain_url(environment.get("CI_PIPELINE_URL", "")),
        web=plain_url(environment.get("CI_REPO_URL", "")),
        why="" if pull else "this pipeline belongs to no pull request",
    )
