"""Which packages differ between two commits, found where they are installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from profpipe.capture import Package, import_names, packages_of
from profpipe.pipeline.commits.dependencies import dependencies
from profpipe.study import Target

OLD = {"MarkupSafe": Package("2.1.5", ("markupsafe/",)), "Jinja2": Package("3.1.4", ("jinja2/",))}
NEW = OLD | {"MarkupSafe": Package("3.0.2", ("markupsafe/", "_speedups.py"))}


def test_what_differs_is_named_with_both_versions_and_all_its_folders() -> None:
    (found,) = dependencies("b", OLD, NEW, ())
    assert (found.name, found.before, found.after) == ("MarkupSafe", "2.1.5", "3.0.2")
    assert found.prefixes == ("markupsafe/", "_speedups.py")
    assert found.words == "MarkupSafe 2.1.5 → 3.0.2"


@pytest.mark.parametrize(
    ("files", "alone"),
    [
        ((), True),
        (("requirements.txt",), True),
        (("services/a/uv.lock", "go.sum"), True),
        (("requirements.txt", "app.py"), False),
        (("pyproject.toml",), False),
    ],
)
def test_a_package_is_alone_only_where_no_file_but_lock_files_changed(files: tuple[str, ...], alone: bool) -> None:
    (found,) = dependencies("b", OLD, NEW, files)
    assert found.alone is alone


def test_two_packages_are_not_alone_and_new_and_gone_ones_are_both_named() -> None:
    found = dependencies("b", OLD, {"MarkupSafe": OLD["MarkupSafe"], "anyio": Package("4.4.0")}, ())
    assert [(d.name, d.before, d.after, d.alone) for d in found] == [
        ("anyio", None, "4.4.0", False),
        ("Jinja2", "3.1.4", None, False),
    ]


def test_nothing_is_claimed_where_the_packages_of_one_side_are_unknown() -> None:
    assert dependencies("b", {}, NEW, ()) == ()


def test_a_venv_that_a_build_made_is_read_where_it_lies(tmp_path: Path) -> None:
    site = tmp_path / ".venv/lib/python3.12/site-packages"
    info = site / "MarkupSafe-2.1.5.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: MarkupSafe\nVersion: 2.1.5\n")
    (info / "RECORD").write_text("markupsafe/__init__.py,,\nMarkupSafe-2.1.5.dist-info/METADATA,,\nsix.py,,\n")
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    target = Target(command=(".venv/bin/python", "app.py", "{port}"), language="python")
    assert packages_of(target, tmp_path) == {"MarkupSafe": Package("2.1.5", ("markupsafe/", "six.py"))}


def test_modules_of_a_go_server_are_those_of_its_go_mod(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module x\n\nrequire golang.org/x/net v0.20.0\n")
    target = Target(command=("./server", "{port}"), language="go")
    assert packages_of(target, tmp_path) == {"golang.org/x/net": Package("v0.20.0", ("golang.org/x/net",))}


def test_a_target_without_a_lock_file_has_no_known_packages(tmp_path: Path) -> None:
    assert packages_of(Target(command=("./server", "{port}"), language="native"), tmp_path) == {}


def test_a_package_is_known_by_what_is_imported_where_that_is_called_otherwise() -> None:
    packages = {
        "Pillow": Package("11.0", ("PIL/", "pillow.libs/")),
        "PyYAML": Package("6.0", ("yaml/", "_yaml.cpython-312-x86_64-linux-gnu.so")),
        "typing_extensions": Package("4.1", ("typing_extensions.py",)),
        "SQLAlchemy": Package("2.0", ("sqlalchemy/",)),
    }
    assert import_names(packages) == {"PIL": "Pillow", "yaml": "PyYAML", "_yaml": "PyYAML"}


def test_a_name_that_several_packages_share_stands_for_none_of_them() -> None:
    packages = {"google-auth": Package("2.0", ("google/",)), "protobuf": Package("5.0", ("google/",))}
    assert import_names(packages) == {}
