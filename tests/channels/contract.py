"""What every sender must do, whatever it talks to. Each channel's test module says how to provoke it."""

from __future__ import annotations

import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sentinel.channels.base import Sender
from sentinel.outbox.rules import Result
from sentinel.outbox.services import LEASE, Claimed

NOW = datetime(2026, 3, 6, 9, 0, 30, 123456, tzinfo=UTC)


def claimed(
    channel: str, *, number: int = 1, address: str = "olena@example.com", **payload: object
) -> Claimed:
    """A leased message as the outbox hands it out."""
    return Claimed(
        id=number,
        lease_token=uuid.UUID(int=number),
        dedupe_key=f"k:{number}",
        channel=channel,
        kind="problem.receipt",
        recipient_kind="worker",
        recipient_id=3,
        address=address,
        payload={
            "subject": "Wir haben es: Drucker im 2. Stock – danke",
            "text": "Guten Tag,\n\n.eine Zeile mit Punkt\n日本語\n",
            "html": "<p>Guten Tag</p>",
            "language": "de",
            "from_name": "Maria Schulz",
            "from_address": "sentinel@provider.example",
            "reply_to": "maria@provider.example",
            "headers": {},
            "title": "Wir haben es",
            "url": "https://s.example/problems/1/",
            "key": f"call-{number}",
            "owner_number": "+4930555010",
            "worker_number": "+380445550101",
            "whisper": "Call with Olena",
            **payload,
        },
        message_id=f"{number:032x}.sentinel",
        created_at=NOW,
        first_due_at=NOW,
        attempts=1,
        problem_id=5,
        account_id=6,
    )


class SenderContract(ABC):
    """Inherit, and implement what is abstract."""

    @contextmanager
    @abstractmethod
    def working(self) -> Iterator[Sender]:
        """A sender whose other side accepts everything."""

    @contextmanager
    @abstractmethod
    def failing(self, how: Result) -> Iterator[Sender | None]:
        """A sender whose next try comes to ``how``; None when the channel cannot fail like that."""

    def test_it_says_which_channel_it_serves_and_what_it_may_do(self) -> None:
        with self.working() as sender:
            assert sender.channel
            assert sender.capabilities.connections >= 1
            assert sender.capabilities.batch >= 1

    def test_an_accepted_message_names_the_provider_and_its_reference(self) -> None:
        with self.working() as sender:
            sent = sender.send(claimed(sender.channel), NOW)
        assert sent.result is Result.ACCEPTED
        assert sent.provider
        assert sent.provider_ref
        assert not sent.address_refused

    def test_a_failed_try_is_an_answer_not_an_exception(self) -> None:
        for how in (Result.TRANSIENT, Result.PERMANENT):
            with self.failing(how) as sender:
                if sender is None:
                    continue
                sent = sender.send(claimed(sender.channel), NOW)
                assert sent.result is how
                assert sent.detail, "somebody will want to know why"

    def test_the_next_message_gets_through_after_a_failure(self) -> None:
        for how in (Result.TRANSIENT, Result.PERMANENT):
            with self.failing(how) as sender:
                if sender is None:
                    continue
                sender.send(claimed(sender.channel), NOW)
                assert sender.send(claimed(sender.channel, number=2), NOW).result is Result.ACCEPTED

    def test_a_try_ends_well_before_the_lease(self) -> None:
        with self.failing(Result.TRANSIENT) as sender:
            if sender is not None:
                started = time.monotonic()
                sender.send(claimed(sender.channel), NOW)
                assert time.monotonic() - started < LEASE.total_seconds() * 2 / 3

    def test_several_threads_may_send_at_the_same_time(self) -> None:
        results: list[Result] = []
        with self.working() as sender:

            def work(first: int) -> None:
                results.extend(
                    sender.send(claimed(sender.channel, number=number), NOW).result
                    for number in range(first, first + 5)
                )
                sender.close()

            threads = [threading.Thread(target=work, args=(n * 10 + 1,)) for n in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(timeout=10)
        assert results == [Result.ACCEPTED] * 20

    def test_closing_twice_and_sending_after_closing_is_harmless(self) -> None:
        with self.working() as sender:
            sender.close()
            assert sender.send(claimed(sender.channel), NOW).result is Result.ACCEPTED
            sender.close()
            sender.close()
