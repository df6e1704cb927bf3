"""The gate of a comparison of commits: its rules and what was accepted, known before anything is measured."""

from __future__ import annotations

from dataclasses import replace

from profpipe.capture import profiler
from profpipe.errors import UsageError
from profpipe.pipeline.gate.accepted_file import accepted_here
from profpipe.pipeline.gate.rules import check_rules, gate_rule, rules_of_study
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.study.read import LoadedFile


def with_gate(prepared: PreparedStudy, loaded: LoadedFile, study_id: str, fail_on: tuple[str, ...]) -> PreparedStudy:
    """The study with its gate: the rules of the study file and of the command line, and what was accepted.

    Raises UsageError for a rule that no report could answer, ConfigError for a file of accepted regressions with a
    mistake: both before anything is built or measured. A rule of the file may be of an instrument that the command
    line leaves out: the gate then reports that it was not measured.
    """
    from profpipe.analyse.names.categories import categories

    known = {c.key for c in categories().categories} | {rule.category for rule in loaded.file.category}
    study = loaded.file.study[study_id]
    own = rules_of_study(study.gate)
    try:
        kinds = {name: profiler(study.tool(name)).kind for name in study.profilers}
        check_rules([gate_rule(text) for text in own], kinds, known)
    except UsageError as error:
        raise UsageError(f"{loaded.where('study', study_id, 'gate')}: {error}") from error
    check_rules([gate_rule(text) for text in fail_on], prepared.kinds, known)
    rules = tuple(dict.fromkeys((*own, *fail_on)))
    before, *_, after = (prepared.root_of(name) for name in prepared.targets)
    return replace(prepared, gate=rules, accepted=accepted_here(before, after, study_id) if rules else ())
