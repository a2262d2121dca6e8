"""Talking to mail servers and web servers: greet, look at the certificate, leave. Nothing is ever sent."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from cryptography import x509

from sentinel.channels.email.doctor.facts import TlsFacts
from sentinel.channels.email.doctor.names import Patience

_SECONDS_EACH = 6.0


class _At(smtplib.SMTP):
    """A session with a host at an address that was asked for elsewhere; the certificate is the host's."""

    def __init__(self, host: str, address: str, port: int, seconds: float) -> None:
        self._address = address
        super().__init__(host, port, local_hostname="mail-doctor.invalid", timeout=seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return socket.create_connection((self._address, port), timeout)


def look_at_relay(host: str, port: int, mode: str, addresses: Sequence[str], patience: Patience) -> TlsFacts:
    """How a relay speaks encrypted: ``mode`` none and starttls greet first, implicit encrypts at once."""
    if mode == "implicit":
        return look_at_tls(host, port, addresses, patience)
    try:
        return _with_starttls(host, port, addresses, patience, ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        return _unverified(error, lambda c: _with_starttls(host, port, addresses, patience, c))
    except (OSError, smtplib.SMTPException) as error:
        return TlsFacts(error=_words(error))


def look_at_tls(host: str, port: int, addresses: Sequence[str], patience: Patience) -> TlsFacts:
    """The certificate of a server that encrypts at once, a web server for example."""

    def look(context: ssl.SSLContext) -> TlsFacts:
        with _connected(addresses, port, patience) as plain:
            return _shake(plain, host, context)

    try:
        return look(ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        return _unverified(error, look)
    except OSError as error:
        return TlsFacts(error=_words(error))


def ask_recipients(
    host: str, port: int, addresses: Sequence[str], recipients: Sequence[str], patience: Patience
) -> list[int]:
    """The reply codes of one mail server to RCPT for each recipient, without ever sending a mail.

    Raises OSError or SMTPException when it cannot be asked.
    """
    with _session(host, port, addresses, patience) as smtp:
        smtp.ehlo_or_helo_if_needed()
        smtp.mail("")
        codes = [smtp.rcpt(recipient)[0] for recipient in recipients]
        smtp.rset()
        return codes


def _with_starttls(
    host: str, port: int, addresses: Sequence[str], patience: Patience, context: ssl.SSLContext
) -> TlsFacts:
    with _session(host, port, addresses, patience) as smtp:
        smtp.ehlo_or_helo_if_needed()
        if not smtp.has_extn("starttls"):
            return TlsFacts(reached=True)
        code, answer = smtp.docmd("STARTTLS")
        if code != 220 or smtp.sock is None:
            return TlsFacts(reached=True, error=f"STARTTLS: {code} {answer.decode(errors='replace')}")
        found = _shake(smtp.sock, host, context)
        # The plain session is over; there is nobody left to say QUIT to.
        smtp.close()
        return found


def _shake(plain: socket.socket, host: str, context: ssl.SSLContext) -> TlsFacts:
    with context.wrap_socket(plain, server_hostname=host) as encrypted:
        return TlsFacts(
            reached=True,
            offered=True,
            verified=context.verify_mode is ssl.CERT_REQUIRED,
            version=encrypted.version() or "",
            ends_at=_end_of(encrypted.getpeercert(binary_form=True)),
        )


def _unverified(error: ssl.SSLCertVerificationError, look: Callable[[ssl.SSLContext], TlsFacts]) -> TlsFacts:
    """The certificate was refused: look at it once more, without trusting it, to say when it ends."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        found = look(context)
    except (OSError, smtplib.SMTPException):
        found = TlsFacts(reached=True, offered=True)
    return TlsFacts(
        reached=True, offered=True, why_not=error.verify_message, version=found.version, ends_at=found.ends_at
    )


def _end_of(certificate: bytes | None) -> datetime | None:
    if not certificate:
        return None
    return x509.load_der_x509_certificate(certificate).not_valid_after_utc.astimezone(UTC)


def _session(host: str, port: int, addresses: Sequence[str], patience: Patience) -> smtplib.SMTP:
    last: Exception = OSError("it has no address")
    for address in addresses[:2]:
        try:
            return _At(host, address, port, patience.at_most(_SECONDS_EACH))
        except (OSError, smtplib.SMTPException) as error:
            last = error
    raise last


def _connected(addresses: Sequence[str], port: int, patience: Patience) -> socket.socket:
    last: OSError = OSError("it has no address")
    for address in addresses[:2]:
        try:
            return socket.create_connection((address, port), patience.at_most(_SECONDS_EACH))
        except OSError as error:
            last = error
    raise last


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    return str(error).strip() or type(error).__name__
