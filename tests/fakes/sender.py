"""A sender that does what the test says, and remembers what it was given."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime

from sentinel.channels.base import Capabilities, Sent
from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed

Answer = Sent | Callable[[Claimed], Sent]


class FakeSender:
    """Accepts everything, unless answers were scripted; they are used up one by one."""

    def __init__(self, channel: str = "email", *, may_repeat: bool = True, batch: int = 1) -> None:
        self.channel = channel
        self.capabilities = Capabilities(may_repeat=may_repeat, connections=1, batch=batch)
        self.sent: list[Claimed] = []
        self.at: list[datetime] = []
        self._answers: deque[Answer] = deque()

    def will(self, *answers: Answer) -> FakeSender:
        """Answer the next tries like this."""
        self._answers.extend(answers)
        return self

    def send(self, message: Claimed, now: datetime) -> Sent:
        self.sent.append(message)
        self.at.append(now)
        if not self._answers:
            return Sent(result=Result.ACCEPTED, provider="fake", provider_ref=message.message_id)
        answer = self._answers.popleft()
        return answer if isinstance(answer, Sent) else answer(message)

    def close(self) -> None:
        """Nothing is held open."""

    @property
    def keys(self) -> list[str]:
        """The keys of what was sent, in order, repeats included."""
        return [message.dedupe_key for message in self.sent]
