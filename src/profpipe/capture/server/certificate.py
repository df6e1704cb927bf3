"""A certificate for servers under test, of an authority that exists only while it is signed; and whom a load trusts.

The program openssl makes it: `openssl req -x509` for the authority, `openssl x509 -req` for the certificate
(openssl-req(1), openssl-x509(1)). The authority's key never leaves a folder that is removed at once.
"""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from profpipe.errors import CaptureError
from profpipe.study.https import own_certificate as has_own
from profpipe.study.requests import Https
from profpipe.study.schema import Target
from profpipe.tls import Trust

CERT, KEY = "{tls_cert}", "{tls_key}"
DAYS, SECONDS = "30", 30.0
# NIST P-256: what a public web server has, and made in milliseconds.
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
_SETTINGS = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = localhost
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files of a server's certificate and key, and the certificate of its authority in PEM."""

    cert: Path
    key: Path
    ca: str


def trust_of(target: Target) -> Trust | None:
    """How the target is reached by https; None = by plain HTTP. Raises CaptureError as `own_certificate` does."""
    own = has_own(target)
    if target.https is None and not own:
        return None
    https = target.https or Https()
    if not https.verify:
        return Trust(None, https.name)
    return Trust(own_certificate().ca if own else https.ca, https.name)


@cache
def own_certificate() -> Certificate:
    """The certificate of this run, made at the first call and removed at the end of the process.

    Raises CaptureError(start) where openssl is missing or fails.
    """
    folder = Path(tempfile.mkdtemp(prefix="profpipe-tls-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return make(folder)


def make(folder: Path, days: str = DAYS, name: str = "localhost") -> Certificate:
    """cert.pem and key.pem in `folder`, valid for `days` from now. Raises CaptureError(start)."""
    if shutil.which("openssl") is None:
        raise CaptureError("start", f"{CERT} needs the program openssl: apt install openssl, or set https.ca")
    cert, key = folder / "cert.pem", folder / "key.pem"
    with tempfile.TemporaryDirectory(prefix="profpipe-ca-") as made:
        here = Path(made)
        settings = here / "settings"
        settings.write_text(_SETTINGS.replace("localhost", name))
        ask = ("-config", str(settings))
        ca, ca_key, request = here / "ca.pem", here / "ca.key", here / "request"
        subject = ("-subj", "/CN=profpipe, for one run")
        _openssl("req", "-x509", *_NEW_KEY, *ask, *subject, "-extensions", "authority", "-days", DAYS,
                 "-keyout", str(ca_key), "-out", str(ca))  # fmt: skip
        _openssl("req", "-new", *_NEW_KEY, *ask, "-keyout", str(key), "-out", str(request))
        _openssl("x509", "-req", "-in", str(request), "-CA", str(ca), "-CAkey", str(ca_key), "-set_serial", "1",
                 "-extfile", str(settings), "-extensions", "server", "-days", days, "-out", str(cert))  # fmt: skip
        return Certificate(cert, key, ca.read_text())


def _openssl(*arguments: str) -> None:
    try:
        done = subprocess.run(
            ("openssl", *arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CaptureError("start", f"no certificate could be made: {error}") from error
    if done.returncode:
        last = (done.stderr.strip() or "it printed nothing").splitlines()[-1]
        raise CaptureError("start", f"no certificate could be made: openssl {arguments[0]}: {last}")
