"""Calls by SIP in an engine: the sockets open with the first call, and close with the engine."""

from __future__ import annotations

import logging
import threading
from datetime import datetime

from sentinel.channels.voice.base import (
    Accepted,
    CallStatus,
    Intent,
    Placed,
    Reachability,
    Rejected,
    Unavailable,
)
from sentinel.channels.voice.listener import Listener
from sentinel.channels.voice.sip.calls import SipCalls
from sentinel.channels.voice.sip.settings import SipSettings

logger = logging.getLogger(__name__)


class Exchange:
    """The call port of one exchange; a process that never places a call opens nothing."""

    provider = SipCalls.provider
    capabilities = SipCalls.capabilities

    def __init__(self, settings: SipSettings, listener: Listener | None = None) -> None:
        self._settings = settings
        self._listener = listener or Listener(self.provider)
        self._lock = threading.Lock()
        self._calls: SipCalls | None = None
        self._is_closed = False

    def place(self, intent: Intent, now: datetime) -> Placed:
        """See CallPort. Sockets that cannot be opened let no telephone ring."""
        try:
            placed = self._started().place(intent, now)
        except (OSError, RuntimeError) as error:
            return Rejected(permanent=False, reason=f"no way out to the exchange: {error}")
        if isinstance(placed, Accepted):
            logger.info("the exchange is asked for a call")
        return placed

    def status(self, ref: str) -> CallStatus | None:
        """See CallPort; None for calls of other processes."""
        return self._calls.status(ref) if self._calls is not None else None

    def hang_up(self, ref: str) -> None:
        """See CallPort; calls of other processes are theirs to end."""
        if self._calls is not None:
            self._calls.hang_up(ref)

    @property
    def peer(self) -> str:
        """The first stop of every call; see CheckedPort."""
        stop = self._settings.way_out
        return f"{stop.host}:{stop.address[1]}" if stop is not None else ""

    def check(self) -> Reachability:
        """Whether the exchange answers. Raises Unavailable when this process ends meanwhile."""
        try:
            found = self._started().check()
        except (OSError, RuntimeError) as error:
            found = Reachability(False, f"no way out: {error}", 0.0)
        if self._is_closed:
            raise Unavailable("this process is ending")
        return found

    def close(self) -> None:
        """Stop ringing telephones; people who talk go on talking."""
        with self._lock:
            calls, self._calls, self._is_closed = self._calls, None, True
        self._listener.stop()
        if calls is not None:
            calls.close()

    def _started(self) -> SipCalls:
        with self._lock:
            if self._is_closed:
                raise RuntimeError("this process is ending")
            if self._calls is None:
                calls = SipCalls(self._settings, self._listener, on_end=self._listener.let_go)
                try:
                    calls.start()
                except OSError:
                    calls.close()
                    raise
                self._calls = calls
            return self._calls
