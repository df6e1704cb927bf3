"""One name per function, whatever compiler, linker, processor or machine added to it."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.analyse.names.demangle import function_id, normal_name, normalise, path_of
from profpipe.analyse.names.source_paths import short_file
from tests.support.tools import require

SAME = {
    "memcpy": ["__memcpy_avx_unaligned_erms", "__memcpy_sse2_unaligned", "__memcpy_ssse3_back", "memcpy@@GLIBC_2.14"],
    "memmove": ["__memmove_avx512_unaligned_erms", "__memmove_avx_unaligned", "__memmove_evex_unaligned_erms"],
    "mempcpy": ["__mempcpy_avx_unaligned_erms"],
    "memset": ["__memset_avx2_unaligned_erms", "__memset_avx2_unaligned", "__GI_memset", "__memset_sse2"],
    "memcmp": ["__memcmp_avx2_movbe", "__memcmp_sse4_1", "__memcmp_evex_movbe"],
    "strlen": ["__strlen_avx2", "__strlen_sse2", "__strlen_avx2_rtm"],
    "strstr": ["__strstr_sse2_unaligned", "__strstr_avx512"],
    "strcasecmp": ["__strcasecmp_avx2"],
    "strchrnul": ["__strchrnul_avx2", "__strchrnul_evex"],
    "pthread_mutex_lock": ["pthread_mutex_lock@@GLIBC_2.2.5", "pthread_mutex_lock"],
    "recv": ["recv@plt", "recv", "recv@GLIBC_2.2.5"],
    "unlink_chunk": ["unlink_chunk.constprop.0", "unlink_chunk.isra.0.part.3", "unlink_chunk.cold"],
    "core::fmt::write": [
        "_ZN4core3fmt5write17h0123456789abcdefE",
        "_ZN4core3fmt5write17hfedcba9876543210E.llvm.1234567",
        "core::fmt::write::h0123456789abcdef",
        "core[f3f3d2c4b5a69788]::fmt::write",
    ],
    "<std::io::Write>::x": ["_$LT$std..io..Write$GT$::x"],
    "operator new(unsigned long)": ["_Znwm"],
    "greenlet::Greenlet::g_switchstack()": ["_ZN8greenlet8Greenlet13g_switchstackEv.isra.0"],
    "mycrate::foo": ["_RNvCskwGfYPst2Cb_7mycrate3foo"],
    "net/http.(*conn).serve.func1.2": ["net/http.(*conn).serve.func1.2"],
    "runtime.mallocgc": ["runtime.mallocgc"],
    "_PyEval_EvalFrameDefault": ["_PyEval_EvalFrameDefault"],
    "__vfprintf_internal": ["__vfprintf_internal"],
}


@pytest.mark.parametrize(("name", "raw"), [(name, raw) for name, raws in SAME.items() for raw in raws])
def test_names_of_one_function_become_one(name: str, raw: str) -> None:
    assert normal_name(raw) == name


def test_a_processor_variant_is_folded_and_a_plt_entry_is_marked() -> None:
    assert normalise("__memcpy_avx_unaligned_erms").folded
    assert not normalise("memcpy").folded
    assert normalise("recv@plt").plt
    assert not normalise("recv").plt


def test_an_address_becomes_the_name_of_its_object() -> None:
    assert normal_name("0x0000000000001640", "/srv/app/srv_c") == "(no symbol) srv_c"
    assert normal_name("0x00000000049367a8") == "(no symbol)"


def test_a_python_name_loses_only_its_address() -> None:
    assert normal_name("<function socket.close at 0x7fb61b25a2a0>", language="python") == "<function socket.close>"
    assert normal_name("_Zope.render", language="python") == "_Zope.render"
    assert (
        normal_name("<built-in method __new__ of type object at 0x7fba0485ea00>", language="python")
        == "<built-in method __new__ of type object>"
    )


@pytest.mark.parametrize(
    "hostile",
    ["_Z" + "S" * 5000, "_RNvB_1a" * 700, "_ZN" + "I" * 4000, "_RNvB_1a", "_Z", "_R", "_ZN", "", "\0", "$LT$"],
)
def test_a_hostile_name_is_kept_as_it_is(hostile: str) -> None:
    assert normal_name(hostile) == hostile


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing_more_and_never_loses_the_name(raw: str) -> None:
    once = normal_name(raw)
    assert bool(once) == bool(raw)
    if not raw.startswith(("_Z", "__Z", "_R")) and "$" not in raw:
        assert len(once) <= max(len(raw), len("(no symbol)"))


@pytest.mark.programs
@pytest.mark.parametrize(
    "raw",
    [
        "_ZN4core3fmt5write17h0123456789abcdefE",
        "_ZNSt6vectorIiSaIiEE9push_backEOi",
        "_ZN8greenlet8Greenlet13g_switchstackEv",
        "_RNvCskwGfYPst2Cb_7mycrate3foo",
        "_ZN5tokio7runtime4task3raw4poll17h0123456789abcdefE",
    ],
)
def test_another_demangler_agrees(raw: str) -> None:
    """Spelling differs (`::<` of turbofish, `> >` of C++, hashes kept); the letters do not."""
    require("c++filt")
    other = subprocess.run(["c++filt", raw], capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    def letters(text: str) -> str:
        return "".join(c for c in text if c.isalnum() or c == "_")

    assert letters(normal_name(raw)) == letters(normalise(other).name)


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("/opt/python3.11/lib/python3.11/asyncio/base_events.py", "asyncio/base_events.py"),
        ("/opt/venv311/lib/python3.11/site-packages/gevent/hub.py", "gevent/hub.py"),
        ("asyncio/base_events.py", "asyncio/base_events.py"),
        ("/build/Python-3.11.7/Objects/obmalloc.c", "Objects/obmalloc.c"),
        ("./malloc/./malloc/malloc.c", "malloc/malloc.c"),
        ("/root/.cargo/registry/src/index-1a2b/hyper-0.10.16/src/http/h1.rs", "hyper-0.10.16/src/http/h1.rs"),
        ("/usr/lib/go-1.19/src/net/http/server.go", "net/http/server.go"),
        ("/home/someone/project/server.py", "project/server.py"),
        ("<frozen codecs>", "<frozen codecs>"),
        ("", ""),
    ],
)
def test_a_file_is_named_without_the_machine_it_was_built_on(path: str, short: str) -> None:
    assert short_file(path) == short


def test_an_id_is_stable_and_depends_on_every_part() -> None:
    assert function_id("native", "libc.so.6", "malloc/malloc.c", "malloc") == "2f5fc9e0a7fc"
    assert function_id("a", "b") != function_id("ab", "")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("<hashbrown::map::HashMap<u64, may::Q<generator::G<A, B>>>>::get::<u64>", "<hashbrown::map::HashMap>::get"),
        ("core::ptr::drop_in_place::<smallvec::SmallVec<[generator::G<E, false>; 64]>>", "core::ptr::drop_in_place"),
        ("<<io::BufWriter<_>>::flush::Guard as ops::Drop>::drop", "<<io::BufWriter>::flush::Guard as ops::Drop>::drop"),
        ("a::b::<impl c::D for e::F>::g", "a::b::<impl c::D for e::F>::g"),
        ("<S<Box<dyn Future<Item = (), Error = ()>>>>::poll::<A, <B as C>::d::{closure#0}>", "<S>::poll"),
        ("<&mut iovec::IoVec as convert::From<&mut [u8]>>::from", "<&mut iovec::IoVec as convert::From>::from"),
        ("foo<fn(u8) -> u32>::bar", "foo::bar"),
        ("std::vector<int, std::allocator<int> >::push_back(int)", "std::vector::push_back(int)"),
        ("std::ostream::operator<<(int)", "std::ostream::operator<<(int)"),
        ("a<b", "a<b"),
        ("a>b", "a>b"),
        ("malloc", "malloc"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_path_has_no_generic_arguments(name: str, path: str) -> None:
    assert path_of(name) == path


@given(st.text(alphabet="ab<>:, {}&-", max_size=40))
def test_a_path_is_never_longer_than_its_name(name: str) -> None:
    assert len(path_of(name)) <= len(name)
