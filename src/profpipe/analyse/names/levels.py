"""At which level a function is: Python, Go, Java or JavaScript code, each with its own names, or native code."""

from __future__ import annotations

from profpipe.analyse.names.go_packages import is_go
from profpipe.analyse.names.java_names import is_java, is_method
from profpipe.analyse.names.js_scripts import is_js, is_script_level
from profpipe.analyse.names.source_paths import is_object
from profpipe.model.profile import NATIVE, PYTHON, RUNTIMES, Profile


def levels_of(profile: Profile, language: str = "") -> frozenset[str]:
    """The levels above native code that this profile of a server in `language` has."""
    found = {"python"} if (profile.functions.runtime == PYTHON).any() else set()
    if language == "go" or is_go(profile):
        found.add("go")
    if is_js(profile):
        found.add("js")
    if is_java(profile):
        found.add("java")
    return frozenset(found)


def place(file: str, object_: str, runtime: int, levels: frozenset[str]) -> tuple[str, str, str]:
    """File, object and level of a function of a profile with these levels.

    Built-ins are native code without a source file, whose "object" is a Python module (`builtins`, `_thread`): they
    belong to the Python level, and the module identifies them. Real objects have a path or a suffix.
    """
    if runtime == NATIVE and "python" in levels and not file and not is_object(object_):
        return object_, "", "python"
    if runtime == NATIVE and "go" in levels:
        return file, object_, "go"
    if "js" in levels and is_script_level(object_, runtime):
        return file, object_, "js"
    if "java" in levels and is_method(object_, runtime):
        return file, object_, "java"
    return file, object_, RUNTIMES[runtime]
