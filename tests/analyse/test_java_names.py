"""Java methods: one name in every run, and whose class it is by the packages of the program."""

from __future__ import annotations

import pytest

from profpipe.analyse.names.categories import categories
from profpipe.analyse.names.java_names import java_name, owner, package_of
from profpipe.analyse.names.source_paths import origin
from profpipe.analyse.tables.profile_list import hotspot_list
from profpipe.parse import jfr_text
from tests.support.parse_cases import capture, read

OWN = frozenset({"com.shop"})


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("com.shop.Main$$Lambda$5.0x00007f8308000a08.handle", "com.shop.Main$$Lambda.handle"),
        ("com.shop.Main$$Lambda.0x00007f8308000a08.handle", "com.shop.Main$$Lambda.handle"),
        ("java.lang.invoke.LambdaForm$MH.0x00007f830800bc00.invoke", "java.lang.invoke.LambdaForm$MH.invoke"),
        (
            "jdk.internal.reflect.GeneratedMethodAccessor12.invoke",
            "jdk.internal.reflect.GeneratedMethodAccessor.invoke",
        ),
        ("com.shop.Cart$2.run", "com.shop.Cart$2.run"),
    ],
)
def test_what_differs_from_run_to_run_is_no_part_of_the_name(raw: str, name: str) -> None:
    assert java_name(raw) == name


def test_the_package_decides_whose_a_class_is() -> None:
    assert package_of("com.shop.Cart$Line.total") == "com.shop"
    assert owner("com.shop.web", OWN) == "own"
    assert owner("com.shopping", OWN) == "module"
    assert owner("java.util", OWN) == "standard"
    assert owner("", OWN) == "own"
    assert owner("org.springframework.web", frozenset()) == "module"
    assert owner("com.acme", frozenset()) == "own"


def test_own_methods_are_the_application_whatever_they_are_called() -> None:
    rules = categories()
    assert rules.of("com.shop.Logger.log", "", "com/shop/Logger.java", "java", OWN) == "application"
    assert rules.of("org.acme.Tool.run", "", "org/acme/Tool.java", "java", OWN) == "library"
    assert rules.of("java.util.ArrayList.add", "", "java/util/ArrayList.java", "java", OWN) == "standard-library"
    assert origin("Logger.log", "com/shop/Logger.java", "", "java", OWN) == "own"
    assert origin("List.of", "java/util/List.java", "", "java", OWN) == "standard library"
    assert origin("Tool.run", "org/acme/Tool.java", "", "java", OWN) == "library"


def test_under_a_twentieth_of_a_recording_has_no_category() -> None:
    for name in ("regexp", "async-profiler"):
        profile = read(jfr_text.parse, capture(f"jfr-text/{name}.txt.gz"))
        rows = hotspot_list(profile)
        other = sum(row.self["samples"] for row in rows if row.category == "other")
        assert other <= 0.05 * profile.self_sum("samples"), name
