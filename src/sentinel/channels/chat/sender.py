"""Hands a message to a chat service or an SMS gateway by its Apprise address.

Apprise only says yes or no; why stands in its log, which nobody else may see because it names targets.
So its log ends here: per thread, and nothing of it is kept but the HTTP status.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sentinel.channels.base import Capabilities, Sent
from sentinel.channels.opening import CANNOT_OPEN, Opener, judged, opened
from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed
from sentinel.people.errors import ContactRefused
from sentinel.people.targets import check_chat_target, is_allowed

#: Each of connecting and answering; together well below two thirds of the lease.
STEP_SECONDS = 6.0
_STATUS = re.compile(r"\berror=(\d{3})\b")
#: The service does not know whom we mean.
_GONE = (404, 410)


class ChatSender:
    """The channel ``chat``. ``allowed``: see :func:`~sentinel.people.targets.check_chat_target`.

    A second copy in a chat is a nuisance and no harm, so an unclear end is tried again.
    """

    channel = "chat"
    capabilities = Capabilities(may_repeat=True, connections=2, batch=4)

    def __init__(self, *, opener: Opener, allowed: Sequence[str]) -> None:
        self._opener = opener
        self._allowed = tuple(allowed)
        self._maker: Callable[[str], Any] | None = None
        self._making = threading.Lock()
        self._heard = _Ear()

    def send(self, message: Claimed, now: datetime) -> Sent:
        """Try once; never raises and never tells the target to anybody."""
        try:
            said = opened(message, self._opener)
        except ValueError:
            return _permanent(CANNOT_OPEN)
        try:
            parts = check_chat_target(said.target, allowed=self._allowed)
        except ContactRefused as refused:
            return _permanent(refused.message)
        service = parts.scheme.lower()
        body = "\n".join(filter(None, (said.text, said.url)))
        try:
            plugin = self._plugin(said.target)
            if plugin is None:
                return _permanent(
                    f"{service}:// is not understood; see its page in the Apprise documentation"
                )
            if len(plugin) != 1:
                return _permanent("names several recipients; add each of them as a way of its own")
            if not is_allowed(service, str(plugin.host or ""), allowed=self._allowed):
                return _permanent(f"{service}:// at this host is not allowed")
            with self._heard as heard:
                done = plugin.notify(body=body, title=said.title)
        except Exception as error:
            # Whatever a plugin does, its words may hold the target: only the kind of error is told.
            return Sent(
                result=Result.TRANSIENT, detail=f"{service}: {type(error).__name__}", provider=service[:40]
            )
        return _judged(bool(done), heard.status, service, message.dedupe_key)

    def close(self) -> None:
        """Nothing is held open."""

    def _plugin(self, target: str) -> Any:
        """The Apprise plugin for a target; None when Apprise does not know the address."""
        with self._making:
            if self._maker is None:
                self._maker = _maker(self._heard)
            plugin = self._maker(target)
        if plugin is not None:
            plugin.socket_connect_timeout = plugin.socket_read_timeout = STEP_SECONDS
        return plugin


def _judged(done: bool, status: int | None, service: str, key: str) -> Sent:
    if done:
        return Sent(result=Result.ACCEPTED, provider=service[:40], provider_ref=key)
    if status is None:
        return Sent(result=Result.TRANSIENT, detail=f"{service} did not answer", provider=service[:40])
    permanent = judged(status) == "permanent"
    return Sent(
        result=Result.PERMANENT if permanent else Result.TRANSIENT,
        detail=f"{service} answered {status}",
        provider=service[:40],
        address_refused=status in _GONE,
    )


def _permanent(detail: str) -> Sent:
    return Sent(result=Result.PERMANENT, detail=detail, provider="apprise")


def _maker(ear: logging.Handler) -> Callable[[str], Any]:
    """Load Apprise, and silence it towards everybody but ``ear``."""
    import apprise  # why: half a second and 47 MB that only an engine which sends to a chat needs

    log = logging.getLogger("apprise")
    log.propagate = False
    log.setLevel(logging.WARNING)
    log.handlers = [ear]
    asset = apprise.AppriseAsset(
        app_id="Sentinel",
        app_desc="Sentinel",
        app_url="",
        async_mode=False,
        http_redirects=False,
        storage_mode="memory",
    )

    def make(target: str) -> Any:
        return apprise.Apprise.instantiate(target, asset=asset, suppress_exceptions=True)

    return make


class _Ear(logging.Handler):
    """Hears what Apprise says in this thread while a message is sent, and keeps the HTTP status alone."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._of_thread = threading.local()

    def __enter__(self) -> _Ear:
        self._of_thread.status = None
        return self

    def __exit__(self, *_error: object) -> None:
        """What was heard stays until the next message of this thread."""

    @property
    def status(self) -> int | None:
        """The last HTTP status that this thread heard of."""
        found: int | None = getattr(self._of_thread, "status", None)
        return found

    def emit(self, record: logging.LogRecord) -> None:
        if found := _STATUS.search(record.getMessage()):
            self._of_thread.status = int(found[1])
