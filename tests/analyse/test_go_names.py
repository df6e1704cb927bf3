"""Go's functions: one name in every instrument, the package it belongs to, and whose that package is."""

from __future__ import annotations

import pytest

from profpipe.analyse.names.categories import categories
from profpipe.analyse.names.demangle import normal_name
from profpipe.analyse.names.go_packages import owner, package_of
from profpipe.analyse.names.levels import levels_of
from profpipe.analyse.names.source_paths import origin
from profpipe.analyse.tables.profile_list import hotspot_list
from profpipe.parse import parse_file
from tests.support.paths import DATA

RULES = categories()
OWN = frozenset({"server", "github.com/acme/shop"})


@pytest.mark.parametrize(
    ("raw", "name", "package"),
    [
        ("encoding/json.(*encodeState).marshal", "encoding/json.(*encodeState).marshal", "encoding/json"),
        ("gopkg.in/yaml%2ev3.(*Decoder).Decode", "gopkg.in/yaml.v3.(*Decoder).Decode", "gopkg.in/yaml.v3"),
        ("slices.pdqsortOrdered[go.shape.string]", "slices.pdqsortOrdered[...]", "slices"),
        ("slices.pdqsortOrdered[...]", "slices.pdqsortOrdered[...]", "slices"),
        ("a.io/x.Map[go.shape.struct { k [2]int; v map[string]int }].Get", "a.io/x.Map[...].Get", "a.io/x"),
        ("runtime.memmove.abi0", "runtime.memmove", "runtime"),
        ("github.com/jackc/pgx/v5.(*Conn).Query", "github.com/jackc/pgx/v5.(*Conn).Query", "github.com/jackc/pgx/v5"),
        ("main.main.func1.2", "main.main.func1.2", "main"),
        ("gogo", "gogo", ""),
        ("type:.eq.main.key", "type:.eq.main.key", ""),
        ("__memmove_avx_unaligned_erms", "memmove", ""),
    ],
)
def test_a_name_and_its_package(raw: str, name: str, package: str) -> None:
    assert normal_name(raw, language="go") == name
    assert package_of(name) == package


@pytest.mark.parametrize(
    ("package", "file", "whose"),
    [
        ("main", "", "own"),
        ("github.com/acme/shop/cart", "", "own"),
        ("github.com/acme/shopping", "", "module"),
        ("github.com/acme/tools", "/home/me/tools/x.go", "own"),  # a replaced module of the same checkout
        ("github.com/valyala/fasthttp", "/home/me/go/pkg/mod/github.com/valyala/fasthttp@v1.68.0/server.go", "module"),
        ("github.com/valyala/fasthttp", "/home/me/shop/vendor/github.com/valyala/fasthttp/server.go", "module"),
        ("encoding/json", "/usr/local/go/src/encoding/json/encode.go", "standard"),
        ("shop/internal/cart", "", "own"),
        ("internal/poll", "", "standard"),
    ],
)
def test_whose_a_package_is(package: str, file: str, whose: str) -> None:
    assert owner(package, file, OWN) == whose


def test_own_code_is_not_sorted_by_its_name_and_the_standard_library_is_no_own_code() -> None:
    def of(name: str, file: str = "") -> str:
        return RULES.of(name, "/srv/server", file, "go", OWN)

    assert of("github.com/acme/shop.(*Cart).MarshalJSON") == "application"
    assert of("main.handler") == "application"
    assert of("encoding/json.structEncoder.encode") == "json"
    assert of("bytes.(*Buffer).WriteByte") == "buffered-write"
    assert of("github.com/goccy/go-json/internal/encoder/vm.Run") == "json"
    assert of("github.com/google/uuid.New") == "library"
    assert of("expvar.Handler") == "standard-library"
    assert of("malloc") == "alloc"  # C code linked by cgo


def test_a_go_profile_is_recognised_without_being_told() -> None:
    profile = parse_file(DATA / "pprof/go-cpu.pb.gz")
    assert levels_of(profile) == {"go"}
    found = {row.category for row in hotspot_list(profile)}
    assert "other" not in found
    assert {"gc", "goroutines", "syscalls"} <= found


@pytest.mark.parametrize(
    ("name", "file", "whose"),
    [
        ("main.handler", "/srv/shop/main.go", "own"),
        ("github.com/acme/shop/cart.Total", "/srv/shop/cart/total.go", "own"),
        ("regexp.compile", "/usr/local/go/src/regexp/regexp.go", "standard library"),
        (
            "github.com/valyala/fasthttp.Serve",
            "/home/me/go/pkg/mod/github.com/valyala/fasthttp@v1.68.0/x.go",
            "library",
        ),
    ],
)
def test_a_function_of_a_go_program_is_the_servers_own_by_its_package_and_not_by_its_program(
    name: str, file: str, whose: str
) -> None:
    assert origin(name, file, "/srv/shop/server", "go", OWN) == whose
