"""The e-mail sender against a real SMTP server on loopback that answers as scripted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from typing import Any, cast

import pytest

from sentinel.channels.base import Sender
from sentinel.channels.email import sender as sender_module
from sentinel.channels.email.connection import STEP_SECONDS
from sentinel.channels.email.dkim import Signer
from sentinel.channels.email.mime import Envelope, build
from sentinel.channels.email.sender import EmailSender
from sentinel.channels.email.sender import SmtpServer as Target
from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed
from tests.channels.contract import NOW, SenderContract, claimed
from tests.channels.test_dkim import key, pem, verify
from tests.fakes.smtp import SmtpServer
from tests.fakes.smtp_sink import DROP, HANG, KEEP_AND_DROP, Script, Sink


@contextmanager
def talking_to(server: SmtpServer, **target: Any) -> Iterator[EmailSender]:
    target = {"host": "127.0.0.1", "port": server.port, "hello_name": "s.example", **target}
    sender = EmailSender(Target(**target))
    try:
        yield sender
    finally:
        sender.close()


class TestEmail(SenderContract):
    """The contract, over the wire."""

    @contextmanager
    def working(self) -> Iterator[Sender]:
        with SmtpServer() as server, talking_to(server) as sender:
            yield sender

    @contextmanager
    def failing(self, how: Result) -> Iterator[Sender | None]:
        with SmtpServer() as server, talking_to(server) as sender:
            server.on_rcpt("451 4.7.1 later" if how is Result.TRANSIENT else "550 5.1.1 nobody here")
            yield sender


def as_mail(content: bytes) -> EmailMessage:
    return message_from_bytes(content, _class=EmailMessage, policy=default_policy)


def test_a_mail_arrives_as_it_was_meant() -> None:
    with SmtpServer() as server, talking_to(server) as sender:
        message = claimed("email")
        sent = sender.send(message, NOW)
        (kept,) = server.kept
    mail = as_mail(kept.content)
    assert (kept.sender, kept.recipients) == ("sentinel@provider.example", ["olena@example.com"])
    assert mail["Subject"] == message.payload["subject"]
    assert mail["From"] == "Maria Schulz <sentinel@provider.example>"
    assert mail["Reply-To"] == "maria@provider.example"
    assert mail["Message-ID"] == sent.provider_ref == f"<{message.message_id}@provider.example>"
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == message.payload["text"]


@pytest.mark.parametrize(
    ("step", "answer", "result", "address_refused"),
    [
        ("rcpt", "550 5.1.1 no such user", Result.PERMANENT, True),
        ("rcpt", "550 no such user", Result.PERMANENT, True),
        ("rcpt", "551 user moved", Result.PERMANENT, True),
        ("rcpt", "550 5.7.1 we do not like you", Result.PERMANENT, False),
        ("rcpt", "552 5.2.2 mailbox full", Result.PERMANENT, False),
        ("rcpt", "550 5.2.1 mailbox closed", Result.PERMANENT, True),
        ("rcpt", "450 4.2.0 greylisted", Result.TRANSIENT, False),
        ("rcpt", "421 4.3.2 shutting down", Result.TRANSIENT, False),
        ("rcpt", "drop", Result.TRANSIENT, False),
        ("mail", "451 4.3.0 out of order", Result.TRANSIENT, False),
        ("mail", "530 5.7.0 sign in first", Result.TRANSIENT, False),
        ("mail", "550 5.1.8 bad sender", Result.PERMANENT, False),
        ("data", "451 4.3.0 queue full", Result.TRANSIENT, False),
        ("data", "550 5.7.1 looks like spam", Result.PERMANENT, False),
        ("data", "550 5.1.1 no such user after all", Result.PERMANENT, True),
        ("data", "552 5.3.4 too large", Result.PERMANENT, False),
        ("data", "421 4.3.2 shutting down", Result.TRANSIENT, False),
        ("data", "drop", Result.TRANSIENT, False),
    ],
)
def test_each_answer_is_judged(step: str, answer: str, result: Result, address_refused: bool) -> None:
    with SmtpServer() as server, talking_to(server) as sender:
        getattr(server, f"on_{step}")(answer)
        sent = sender.send(claimed("email"), NOW)
        assert (sent.result, sent.address_refused) == (result, address_refused)
        assert not sent.is_away, "a server that answers, or drops this mail, is there"
        assert server.kept == []
        # Whatever it was, it does not spoil the next message.
        assert sender.send(claimed("email", number=2), NOW).result is Result.ACCEPTED


def test_an_unclear_end_is_repeated_as_the_same_message() -> None:
    with SmtpServer() as server, talking_to(server) as sender:
        server.on_data("keep and drop")
        message = claimed("email")
        assert sender.send(message, NOW).result is Result.TRANSIENT
        assert sender.send(message, NOW).result is Result.ACCEPTED
        first, second = server.kept
    assert first.content == second.content


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
def test_a_silent_server_is_given_up_in_time(step: str) -> None:
    with SmtpServer() as server, talking_to(server, step_seconds=0.2, try_seconds=0.5) as sender:
        getattr(server, f"on_{step}")("hang", "hang")
        started = time.monotonic()
        sent = sender.send(claimed("email"), NOW)
        assert time.monotonic() - started < STEP_SECONDS, "as long as it would wait without being told"
        assert sent.result is Result.TRANSIENT
        assert server.kept == []


def test_nobody_listening_is_transient() -> None:
    with SmtpServer() as server:
        port = server.port
    sender = EmailSender(Target(host="127.0.0.1", port=port))
    sent = sender.send(claimed("email"), NOW)
    assert sent.result is Result.TRANSIENT
    assert "connect" in sent.detail
    assert sent.is_away, "it is tried again soon: nothing is wrong with the message"


def test_one_connection_serves_many_messages_and_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "MESSAGES_PER_CONNECTION", 3)
    with SmtpServer() as server, talking_to(server) as sender:
        for number in range(1, 8):
            assert sender.send(claimed("email", number=number), NOW).result is Result.ACCEPTED
        assert server.sessions == 3


def test_a_kept_connection_that_the_server_closed_is_replaced_without_a_failed_try() -> None:
    server = SmtpServer()
    with server, talking_to(server) as sender:
        sender.send(claimed("email"), NOW)
        server.on_mail("drop")
        assert sender.send(claimed("email", number=2), NOW).result is Result.ACCEPTED
        server.on_mail("421 4.4.2 idle for too long")
        assert sender.send(claimed("email", number=3), NOW).result is Result.ACCEPTED
        assert len(server.kept) == 3


def test_it_signs_in() -> None:
    with SmtpServer(user="sentinel", password="right") as server:
        with talking_to(server, username="sentinel", password="right") as sender:
            assert sender.send(claimed("email"), NOW).result is Result.ACCEPTED
        with talking_to(server, username="sentinel", password="wrong") as sender:
            sent = sender.send(claimed("email"), NOW)
            assert (sent.result, "535" in sent.detail) == (Result.TRANSIENT, True)
            assert "wrong" not in sent.detail


def test_encryption_that_the_server_does_not_offer_is_not_skipped() -> None:
    with SmtpServer() as server, talking_to(server, tls=sender_module.Tls.STARTTLS) as sender:
        assert sender.send(claimed("email"), NOW).result is Result.TRANSIENT
        assert server.kept == []


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@", "@b.example", "a b@c.example", "a@b.example\r\nDATA"]
)
def test_an_address_that_is_none_fails_for_good(address: str) -> None:
    with SmtpServer() as server, talking_to(server) as sender:
        sent = sender.send(claimed("email", address=address), NOW)
        assert (sent.result, sent.address_refused) == (Result.PERMANENT, True)
        assert server.sessions == 0


def test_a_payload_that_is_no_mail_fails_for_good_and_says_why() -> None:
    with SmtpServer() as server, talking_to(server) as sender:
        sent = sender.send(claimed("email", subject=None), NOW)
        assert sent.result is Result.PERMANENT
        assert "cannot be built" in sent.detail


def test_lines_that_begin_with_a_dot_arrive_whole() -> None:
    with SmtpServer() as server, talking_to(server) as sender:
        text = ".\n..\n.hidden\nend\n"
        sender.send(claimed("email", text=text, html=""), NOW)
        (kept,) = server.kept
    assert as_mail(kept.content).get_content().replace("\r\n", "\n") == text


def test_with_a_key_of_ours_every_mail_is_signed_and_a_repeat_is_the_same_mail() -> None:
    signer = Signer(pem(key()), "sentinel")
    with SmtpServer() as server:
        sender = EmailSender(Target(host="127.0.0.1", port=server.port), signer=signer)
        for _ in range(2):
            assert sender.send(claimed("email"), NOW).result is Result.ACCEPTED
        sender.close()
        first, second = server.kept
    verify(first.content)
    assert first.content == second.content


# -- several in a row ------------------------------------------------------------------------------------


def many(sender: EmailSender, numbers: range, **payload: object) -> list[tuple[int, Result]]:
    """What came of each, in order; moments in which the server was slow left out."""
    messages = (claimed("email", number=n, address=f"w{n}@x.example", **payload) for n in numbers)
    return [(tried[0].id, tried[1].result) for tried in sender.send_many(messages) if tried is not None]


def rude(step: str, recipient: str, answer: str) -> Script:
    """Answers once like this, afterwards as usual."""
    left = [answer]

    def script(asked: str, to: str, _taken: int) -> str | None:
        return left.pop() if left and asked == step and to == recipient else None

    return script


@pytest.mark.parametrize("pipelining", [True, False])
def test_several_in_a_row_arrive_once_each_and_in_order(pipelining: bool) -> None:
    with Sink(pipelining=pipelining) as sink, talking_to(cast(SmtpServer, sink)) as sender:
        text = ".\n..\n.hidden\nend\n"
        assert many(sender, range(1, 8), text=text) == [(n, Result.ACCEPTED) for n in range(1, 8)]
        assert many(sender, range(8, 10)) == [(n, Result.ACCEPTED) for n in range(8, 10)]
    assert sink.recipients == [f"w{n}@x.example" for n in range(1, 10)]
    assert sink.connections == 1


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("step", "answer", "result", "is_kept"),
    [
        ("RCPT", "550 5.1.1 nobody", Result.PERMANENT, False),
        ("RCPT", "451 4.2.0 later", Result.TRANSIENT, False),
        ("RCPT", "421 4.3.2 enough", Result.TRANSIENT, False),
        ("DATA", "554 5.7.1 no", Result.PERMANENT, False),
        ("BODY", "552 5.3.4 too large", Result.PERMANENT, False),
        ("BODY", "421 4.3.2 enough", Result.TRANSIENT, False),
        ("BODY", DROP, Result.TRANSIENT, False),
        ("BODY", KEEP_AND_DROP, Result.TRANSIENT, True),
        ("DATA", DROP, Result.TRANSIENT, False),
    ],
)
def test_one_that_fails_in_the_middle_spoils_no_other(
    pipelining: bool, step: str, answer: str, result: Result, is_kept: bool
) -> None:
    script = rude(step, "w2@x.example", answer)
    with (
        Sink(pipelining=pipelining, script=script) as sink,
        talking_to(cast(SmtpServer, sink)) as sender,
    ):
        expected = [(1, Result.ACCEPTED), (2, result), (3, Result.ACCEPTED), (4, Result.ACCEPTED)]
        assert many(sender, range(1, 5)) == expected
    kept = [2] if is_kept else []
    assert sink.recipients == [f"w{n}@x.example" for n in sorted([1, *kept, 3, 4])]


def test_a_relay_that_has_enough_of_a_connection_gets_the_rest_on_the_next_one() -> None:
    def script(step: str, _to: str, taken: int) -> str | None:
        return "421 4.4.2 enough" if step == "MAIL" and taken >= 3 else None

    with Sink(script=script) as sink, talking_to(cast(SmtpServer, sink)) as sender:
        assert many(sender, range(1, 11)) == [(n, Result.ACCEPTED) for n in range(1, 11)]
    assert (len(sink.recipients), sink.repeats()[1]) == (10, 0)
    assert sink.connections == 4


def test_a_connection_is_renewed_in_the_middle_of_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "MESSAGES_PER_CONNECTION", 3)
    with Sink() as sink, talking_to(cast(SmtpServer, sink)) as sender:
        assert many(sender, range(1, 8)) == [(n, Result.ACCEPTED) for n in range(1, 8)]
    assert sink.connections == 3


def test_one_that_cannot_be_built_does_not_stop_the_row() -> None:
    with Sink() as sink, talking_to(cast(SmtpServer, sink)) as sender:
        messages = [claimed("email", number=n, address="" if n == 2 else "o@x.example") for n in (1, 2, 3)]
        tried = {t[0].id: t[1] for t in sender.send_many(messages) if t is not None}
    assert [tried[n].result for n in (1, 2, 3)] == [Result.ACCEPTED, Result.PERMANENT, Result.ACCEPTED]
    assert tried[2].address_refused


def test_while_the_server_is_slow_the_engine_gets_a_moment_to_write_down_what_was_taken() -> None:
    with (
        Sink(script=rude("BODY", "w2@x.example", HANG)) as sink,
        talking_to(cast(SmtpServer, sink), step_seconds=0.2, try_seconds=0.5) as sender,
    ):
        messages = [claimed("email", number=n, address=f"w{n}@x.example") for n in (1, 2, 3)]
        tried = list(sender.send_many(messages))
    at = tried.index(None, next(n for n, one in enumerate(tried) if one and one[0].id == 1))
    assert [one[0].id for one in tried[at:] if one] == [2, 3]
    assert [one[1].result for one in tried if one] == [Result.ACCEPTED, Result.TRANSIENT, Result.ACCEPTED]


def test_one_that_hangs_for_long_sends_the_next_back_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "PATIENCE_SECONDS", 0.05)
    with (
        Sink(script=rude("BODY", "w1@x.example", HANG)) as sink,
        talking_to(cast(SmtpServer, sink), step_seconds=0.2, try_seconds=0.5) as sender,
    ):
        expected = [(1, Result.TRANSIENT), (2, Result.TRANSIENT), (3, Result.ACCEPTED)]
        assert many(sender, range(1, 4)) == expected
    assert sink.recipients == ["w3@x.example"]


def test_whoever_stops_in_the_middle_of_a_row_leaves_no_half_mail() -> None:
    with Sink() as sink, talking_to(cast(SmtpServer, sink)) as sender:
        row = sender.send_many(claimed("email", number=n, address=f"w{n}@x.example") for n in range(1, 5))
        first = next(tried for tried in row if tried is not None)
        row.close()
        assert first[0].id == 1
        assert many(sender, range(8, 10)) == [(8, Result.ACCEPTED), (9, Result.ACCEPTED)]
    assert sink.recipients == [f"w{n}@x.example" for n in (1, 8, 9)]


def test_an_address_that_the_server_cannot_take_blames_nobody_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Not every Python refuses such an address when the mail is built.
    def build_all(message: Claimed) -> Envelope:
        mail = build(message)
        return replace(mail, recipient="jörg@example.com") if message.id == row[1].id else mail

    monkeypatch.setattr(sender_module, "build", build_all)
    row = [claimed("email", number=number) for number in range(3)]
    with Sink() as sink, talking_to(cast(SmtpServer, sink)) as sender:
        tried = {one[0].id: one[1] for one in sender.send_many(row) if one is not None}
    expected = [Result.ACCEPTED, Result.PERMANENT, Result.ACCEPTED]
    assert [tried[message.id].result for message in row] == expected
