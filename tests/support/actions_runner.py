"""Runs a workflow's job as GitHub's runner would, as far as ours need it: bash steps, composite actions, outputs.

What a real runner fetches is stood in for: actions/checkout (the scratch repository is there already), actions/cache,
actions/upload-artifact (files are listed, a URL is made up), `gh run download`, apt-get, and the installation of
profpipe from a registry (the code under test is used).
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


@dataclass
class Job:
    """`context` = what ${{ }} can name, by its dotted path; `uploaded` = artifact name or path -> file."""

    folder: Path
    temp: Path
    environment: dict[str, str]
    context: dict[str, str]
    action: Path
    uploaded: dict[str, Path] = field(default_factory=dict)
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)

    def run(self, workflow: Path) -> int:
        """The first job of the workflow: exit code of the step that failed, else 0."""
        job = next(iter(load(workflow)["jobs"].values()))
        return self._steps(job["steps"], self.context)

    def _steps(self, steps: list[dict[str, Any]], context: dict[str, str]) -> int:
        for step in steps:
            if "if" in step and not truth(str(step["if"]), context):
                continue
            code = self._step(step, context)
            if code and not step.get("continue-on-error"):
                return code
        return 0

    def _step(self, step: dict[str, Any], context: dict[str, str]) -> int:
        given = {name: fill(value, context) for name, value in step.get("with", {}).items()}
        uses = step.get("uses", "")
        if uses.startswith(("actions/checkout@", "actions/cache@")):
            return 0
        if uses.startswith("actions/upload-artifact@"):
            path = Path(given["path"])
            if path.exists():
                self.uploaded[given.get("name", path.name)] = path
                context[f"steps.{step.get('id', '')}.outputs.artifact-url"] = "https://ci.example/artifacts/1"
            return 0
        if "/profpipe@" in uses:
            return self._composite(given, context)
        assert not uses, f"no stand-in for {uses}"
        assert "${{" not in step["run"], "an expression inside a script"
        return self._bash(step, context)

    def _composite(self, given: dict[str, str], outer: dict[str, str]) -> int:
        action = load(self.action / "action.yml")
        context = {key: value for key, value in outer.items() if not key.startswith(("inputs.", "steps."))}
        context["github.action_path"] = str(self.action)
        for name, described in action["inputs"].items():
            context[f"inputs.{name}"] = given.pop(name, fill(described["default"], outer))
        assert not given, f"inputs that the action does not have: {given}"
        code = self._steps(action["runs"]["steps"], context)
        self.outputs = {name: fill(out["value"], context) for name, out in action["outputs"].items()}
        return code

    def _bash(self, step: dict[str, Any], context: dict[str, str]) -> int:
        out = self.temp / "step-output"
        out.write_text("")
        own = {name: fill(value, context) for name, value in step.get("env", {}).items()}
        places = {"GITHUB_OUTPUT": str(out), "RUNNER_TEMP": str(self.temp)}
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=self.folder,
            env=self.environment | places | own,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.log += f"== {step.get('name', '')}\n{done.stdout}{done.stderr}"
        for line in out.read_text().splitlines():
            name, _, value = line.partition("=")
            context[f"steps.{step.get('id', '')}.outputs.{name}"] = value
        return done.returncode


def load(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text())


def fill(value: Any, context: dict[str, str]) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: evaluate(match.group(1), context), text)


def evaluate(expression: str, context: dict[str, str]) -> str:
    """A name, or names joined by ||; what is not there is empty."""
    return next((found for name in expression.split("||") if (found := context.get(name.strip(), ""))), "")


def truth(expression: str, context: dict[str, str]) -> bool:
    name, sign, literal = re.fullmatch(r"(\S+) (==|!=) '(.*)'", expression).groups()  # type: ignore[union-attr]
    return (context.get(name, "") == literal) == (sign == "==")


def program(folder: Path, name: str, script: str) -> None:
    """A shell script on the PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)


def clean_environment(first: Path) -> dict[str, str]:
    """PATH with our stand-ins first, and nothing of the CI that runs this test."""
    return {"PATH": f"{first}:{os.environ['PATH']}", "HOME": str(first), "LANG": "C.UTF-8"}
