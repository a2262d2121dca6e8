"""Talking to the service's interface: where requests go, how long they may take, and what a failure means."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from sentinel.channels.voice.base import Rejected, Unclear
from sentinel.channels.voice.http.settings import HttpSettings

logger = logging.getLogger(__name__)

_TOO_MANY = 20429
#: The service's own numbers of what it refuses, in words that help whoever reads them.
_REASONS = {
    20003: "the voice service does not accept the account and token",
    10004: "the account has too many calls at once",
    21201: "the voice service was given no number",
    21205: "the voice service does not accept the public address of this Sentinel",
    21210: "the caller number is not verified at the voice service",
    21211: "the voice service says that this is not a telephone number",
    21212: "the caller number is not valid at the voice service",
    21214: "the voice service cannot reach this number",
    21215: "the account may not call this country",
    21216: "the voice service does not call this number",
    21217: "the voice service says that this does not look like a telephone number",
    21219: "a trial account calls verified numbers only",
    21609: "the voice service does not accept the public address of this Sentinel",
    21606: "the caller number does not belong to the account",
    _TOO_MANY: "the voice service takes no more requests at the moment",
}


class Transport(HttpClient):  # type: ignore[misc]  # has no types
    """One request, one connection, one try, to the service of the settings.

    Nothing is kept open: a request on a connection that has gone stale looks exactly like one whose answer
    was lost, and such a one must not be repeated. Nothing is logged either: requests name telephone numbers.
    """

    def __init__(self, settings: HttpSettings) -> None:
        super().__init__(logger, False, settings.answer_seconds)
        self._api_url = settings.api_url
        self._seconds = (settings.connect_seconds, settings.answer_seconds)

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """As the library wants it; ``timeout`` and ``allow_redirects`` are decided here."""
        parts = urlsplit(url)
        with requests.Session() as session:
            # A service on this machine is never behind a proxy.
            session.trust_env = self._api_url.startswith("https://")
            answer = session.request(
                method,
                f"{self._api_url}{parts.path}" + (f"?{parts.query}" if parts.query else ""),
                params=params,
                data=data,
                headers={**(headers or {}), "Connection": "close"},
                auth=auth,
                timeout=self._seconds,
                allow_redirects=False,
            )
            return Response(answer.status_code, answer.text, answer.headers)


def client_of(settings: HttpSettings) -> Client:
    """The library's client for the account, bound to the service of the settings."""
    return Client(settings.account, settings.token, http_client=Transport(settings))


def failed(error: Exception) -> Rejected | Unclear:
    """What it means for a call that asking for it failed like this."""
    if isinstance(error, TwilioRestException):
        return _refused(error)
    if _was_never_sent(error):
        return Rejected(permanent=False, reason=f"the voice service cannot be reached ({_kind(error)})")
    return Unclear(f"the voice service did not answer ({_kind(error)})")


def reason_of(error: TwilioRestException) -> str:
    """Why the service refuses, in plain words with its own number."""
    code = error.code or 0
    plain = _REASONS.get(code, f"the voice service refuses: {' '.join(str(error.msg).split())[:120]}")
    return f"{plain} (answer {error.status}, {f'error {code}' if code else 'no error number'})"


def _refused(error: TwilioRestException) -> Rejected | Unclear:
    if error.status in (502, 504):
        # Whoever stands before the service gave up waiting; the service itself may have heard us.
        return Unclear(reason_of(error))
    may_pass = error.status >= 500 or error.status in (408, 429) or error.code in (_TOO_MANY, 10004)
    return Rejected(permanent=not may_pass, reason=reason_of(error))


def _was_never_sent(error: BaseException) -> bool:
    """Whether no connection came about; certificates are judged before anything is sent, too."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    seen: set[int] = set()
    link: Any = error
    while isinstance(link, BaseException) and id(link) not in seen:
        seen.add(id(link))
        if isinstance(link, NewConnectionError | ConnectTimeoutError) or "CERTIFICATE_VERIFY" in str(link):
            return True
        inner = getattr(link, "reason", None) or next(iter(link.args), None)
        link = inner if isinstance(inner, BaseException) else link.__cause__ or link.__context__
    return False


def _kind(error: Exception) -> str:
    return type(error).__name__
