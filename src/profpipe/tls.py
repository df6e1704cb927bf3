"""TLS to the servers of this machine, and why a handshake failed in plain words.

The load clients' own processes import it: it needs nothing but the standard library.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

# Reasons of OpenSSL for a peer whose first bytes are no TLS record.
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "UNSUPPORTED_PROTOCOL"}


@dataclass(frozen=True, slots=True)
class Trust:
    """How a server is reached by https. `ca` = certificates in PEM that its own must lead to, None = not verified.

    `name` = the name that the server is told (SNI), which its certificate must be for.
    """

    ca: str | None
    name: str

    @property
    def words(self) -> str:
        return "https" if self.ca is not None else "https, certificate not verified"


def client_context(trust: Trust) -> ssl.SSLContext:
    """What a client needs. HTTP/1.1 only is offered. Raises ssl.SSLError where `ca` is no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    if trust.ca is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=trust.ca)
    return context


def why(error: OSError, trust: Trust) -> str:
    """Why a handshake with the server failed, and what to do where that is known."""
    if isinstance(error, ssl.SSLCertVerificationError):
        told = error.verify_message.rstrip(".")
        return f"its certificate is not accepted for the name {trust.name}: {told}"
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return "it does not answer in TLS on this port: give its command the certificate, or leave `https` out"
    if isinstance(error, ssl.SSLEOFError):
        return "it ended the connection in the TLS handshake: is this the port for https?"
    if isinstance(error, ssl.SSLError):
        return f"the TLS handshake failed: {error.reason or error}"
    if isinstance(error, TimeoutError | BlockingIOError):
        return "the TLS handshake was not complete in time: is this the port for https?"
    return f"it ended the connection in the TLS handshake ({error.strerror or error})"


class Channel:
    """TLS over a connected socket that is read when epoll reports it: `recv` never waits for a second record.

    The records of an answer that came together are given together, as the plain bytes would be.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, name: str, size: int) -> None:
        """Shakes hands: raises OSError, ssl.SSLError among them."""
        self._sock, self._size = sock, size
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            else:
                break
            finally:
                self._flush()

    def recv(self, size: int) -> bytes:
        """Plain bytes, b"" = the end. Raises BlockingIOError where only TLS itself had something to say."""
        self._fill()
        parts: list[bytes] = []
        try:
            while part := self._tls.read(size):
                parts.append(part)
        except ssl.SSLWantReadError:
            self._flush()
            if not parts:
                raise BlockingIOError from None
        except ssl.SSLError:
            pass  # it ended without saying so, or broke: what came before is judged like that of any connection
        return b"".join(parts)

    def send(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()

    def _fill(self) -> None:
        data = self._sock.recv(self._size)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._sock.sendall(self._outgoing.read())
