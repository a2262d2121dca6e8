"""Messages out of a stream of bytes: over TCP only Content-Length says where one ends."""

from __future__ import annotations

from sentinel.channels.voice.sip.message import (
    LARGEST_MESSAGE,
    Malformed,
    Message,
    body_length,
    cut,
    parse_head,
)


class Framer:
    """Collects the bytes of one connection. After Malformed the connection must be closed."""

    def __init__(self) -> None:
        self._buffer = b""
        self._pending: Message | None = None
        self.pings = 0

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are now complete; raises Malformed when the stream cannot be followed."""
        self._buffer += data
        found = []
        while (message := self._next()) is not None:
            found.append(message)
        if len(self._buffer) > LARGEST_MESSAGE:
            raise Malformed("too large")
        return found

    def _next(self) -> Message | None:
        if self._pending is None:
            self._skip_keepalives()
            # A head still on its way: nothing to look for before its last bytes have come.
            if b"\n\r\n" not in self._buffer and b"\n\n" not in self._buffer:
                return None
            head, self._buffer = cut(self._buffer)
            self._pending = parse_head(head)
            if not self._pending.headers.get("Content-Length"):
                raise Malformed("a stream needs Content-Length")
        length = body_length(self._pending, default=0)
        if len(self._buffer) < length:
            return None
        message, self._pending = self._pending, None
        message.body, self._buffer = self._buffer[:length], self._buffer[length:]
        return message

    def _skip_keepalives(self) -> None:
        """Drop empty lines between messages; two of them are a ping that wants an answer (RFC 5626)."""
        rest = self._buffer.lstrip(b"\r\n")
        self.pings += self._buffer[: len(self._buffer) - len(rest)].count(b"\r\n\r\n")
        if rest or len(self._buffer) > 3:
            self._buffer = rest
