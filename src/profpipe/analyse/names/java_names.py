"""Names of Java methods: the parts that differ from run to run left out, and whose class it is."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from profpipe.model.profile import NATIVE, Profile

Owner = Literal["own", "standard", "module"]
# Of the JDK: the JVM loads no class in java.* from elsewhere, and the rest are packages of the JDK's own modules.
_JDK = re.compile(r"^(?:java|javax|jdk|sun|com\.sun|com\.oracle|netscape\.javascript)\.")
# First parts of packages that only libraries have, for a profile of which nothing says what the program's own are.
_LIBRARIES = re.compile(
    r"^(?:org\.(?:apache|springframework|eclipse|hibernate|slf4j|jboss|xnio|glassfish|json|postgresql|mariadb|h2|jooq|"
    r"codehaus|objectweb|aspectj|mockito|junit|thymeleaf|yaml|reactivestreams|asynchttpclient|wildfly|jetbrains)|"
    r"com\.(?:fasterxml|google|zaxxer|mysql|squareup|github|codahale|lmax|typesafe|h2database|alibaba|amazonaws|esotericsoftware)|"
    r"io\.(?:netty|undertow|vertx|micrometer|quarkus|micronaut|helidon|javalin|smallrye|reactivex|grpc|opentelemetry|"
    r"projectreactor|swagger|jsonwebtoken|lettuce|prometheus|ktor)|"
    r"ch\.qos|reactor|akka|kotlin|kotlinx|scala|groovy|clojure|okhttp3|okio|retrofit2|javassist|net\.bytebuddy|freemarker|jakarta)\."
)
# Classes made while the program runs are numbered, or named by an address: another one in each run.
_ADDRESS = re.compile(r"[./+]0x[0-9a-f]{8,16}(?=\.|$)")
_NUMBERED = re.compile(
    r"(?<=\$\$Lambda)\$\d+(?=\.|$)|(?<=\$Proxy)\d+(?=\.|$)|(?<=MethodAccessor)\d+(?=\.|$)|(?<=ConstructorAccessor)\d+(?=\.|$)"
    r"|(?<=CGLIB\$\$)[0-9a-f]{6,}(?=\.|\$|$)|(?<=LambdaForm\$MH)\$\d+(?=\.|$)"
)


def is_java(profile: Profile) -> bool:
    """Whether the profile holds methods of Java classes, as flight recordings do."""
    return any(file.endswith(".java") for file in profile.functions.file)


def is_method(object_: str, runtime: int) -> bool:
    """Whether a function of such a profile is a method of a class: one of native code has an object."""
    return runtime == NATIVE and not object_


@lru_cache(maxsize=65536)
def java_name(raw: str) -> str:
    """One name for a method in every run: `Main$$Lambda$5.0x00007f8308000a08.handle` is `Main$$Lambda.handle`."""
    return _NUMBERED.sub("", _ADDRESS.sub("", raw))


def owner(package: str, own: frozenset[str]) -> Owner:
    """Whose a package is. `own` holds the packages of the program, where they are known.

    Elsewhere known libraries are told from the rest. A class without a package is the program's.
    """
    if not package:
        return "own"
    if _JDK.match(f"{package}."):
        return "standard"
    if not own:
        return "module" if _LIBRARIES.match(f"{package}.") else "own"
    return "own" if any(package == mine or package.startswith(f"{mine}.") for mine in own) else "module"


def package_of(method: str) -> str:
    """`com.shop.Cart$Line.total` -> `com.shop`; "" for a class without a package."""
    return method.rpartition(".")[0].partition("$")[0].rpartition(".")[0]


def package_of_file(file: str) -> str:
    """`com/shop/Cart.java` -> `com.shop`."""
    return file.rpartition("/")[0].replace("/", ".")
