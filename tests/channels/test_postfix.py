"""Out through a real Postfix and back in through it: every mail exactly once, whatever is away meanwhile."""

from __future__ import annotations

import os
import smtplib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from sentinel.channels.email.inbound.listener import listening
from sentinel.channels.email.sender import EmailSender, SmtpServer
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.reading import Grade, Kind, Ours, read_mail
from sentinel.inbound.sealing import unseal
from sentinel.kernel.links import Purpose
from sentinel.outbox.rules import Result
from sentinel.ui.links import mailbox
from tests.channels.contract import NOW, claimed
from tests.fakes.postfix import Postfix

DOMAIN = "in.sentinel.example"
TODAY = NOW.date()
FORGED = f"rm-{'a' * 44}@{DOMAIN}"

pytestmark = [pytest.mark.postfix, pytest.mark.django_db(transaction=True)]


def running(**how: Any) -> Iterator[Postfix]:
    if os.geteuid() != 0 and "postfix" not in os.environ.get("SENTINEL_TEST_REQUIRE", "").split(","):
        pytest.skip("only root may start Postfix: its master gives each part a user of its own")
    with Postfix(DOMAIN, **how) as postfix:
        yield postfix


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    yield from running()


@pytest.fixture
def postfix_that_asks_first() -> Iterator[Postfix]:
    yield from running(asks_first=True)


@pytest.fixture(autouse=True)
def _domain(settings: Settings) -> None:
    settings.INBOUND_DOMAIN = DOMAIN


def reply_to(number: int) -> str:
    return mailbox(Purpose.REPLY_TO_MESSAGE, number, today=TODAY)


def bounce_to(number: int) -> str:
    return mailbox(Purpose.BOUNCE_OF_MESSAGE, number, today=TODAY)


def send(postfix: Postfix, numbers: range, *, to: Callable[[int], str] = reply_to) -> None:
    """Send one mail per number with the product's own sender."""
    sender = EmailSender(SmtpServer(host="127.0.0.1", port=postfix.port, hello_name="s.example"))
    try:
        for number in numbers:
            sent = sender.send(claimed("email", number=number, address=to(number)), NOW)
            assert sent.result is Result.ACCEPTED, sent.detail
    finally:
        sender.close()


def eventually(holds: Callable[[], bool], postfix: Postfix, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, postfix.log()[-4000:]
        threading.Event().wait(0.05)


def test_a_mail_that_is_answered_comes_back_as_one_row(postfix: Postfix) -> None:
    with listening(protocol="lmtp", host="127.0.0.1", port=postfix.lmtp_port):
        send(postfix, range(1, 2))
        eventually(lambda: IncomingMail.objects.exists() and not postfix.queued(), postfix)
    row = IncomingMail.objects.get()
    assert (row.source, row.envelope_to, row.envelope_from) == ("lmtp", reply_to(1), bounce_to(1))
    raw = unseal(bytes(row.raw), digest=row.digest)
    assert b"Message-ID: <%032d.sentinel@provider.example>" % 1 in raw
    assert f"Reply-To: {reply_to(1)}".encode() in raw


def test_mail_to_a_forged_address_comes_back_as_a_bounce_to_its_sender(postfix: Postfix) -> None:
    with listening(protocol="lmtp", host="127.0.0.1", port=postfix.lmtp_port):
        send(postfix, range(7, 8), to=lambda _: FORGED)
        eventually(lambda: IncomingMail.objects.exists() and not postfix.queued(), postfix)
    row = IncomingMail.objects.get()
    assert (row.envelope_to, row.envelope_from) == (bounce_to(7), "")
    read = read_mail(
        unseal(bytes(row.raw), digest=row.digest),
        envelope_from="",
        envelope_to=row.envelope_to,
        ours=Ours(base_url="https://s.example", inbound_domain=DOMAIN, senders=frozenset()),
        now=datetime.now(UTC),
    )
    assert read.kind is Kind.DELIVERY_REPORT
    assert [(r.grade, r.status, r.recipient) for r in read.reports] == [(Grade.HARD, "5.1.1", FORGED)]
    assert read.reports[0].original_message_id == f"{7:032x}.sentinel@provider.example"


def test_of_several_recipients_each_has_a_fate_of_its_own(postfix: Postfix) -> None:
    with (
        listening(protocol="lmtp", host="127.0.0.1", port=postfix.lmtp_port),
        smtplib.SMTP("127.0.0.1", postfix.port, timeout=20) as client,
    ):
        mail = b"From: a@lindgren.example\r\nMessage-ID: <1@lindgren.example>\r\n\r\nhello\r\n"
        client.sendmail(bounce_to(9), [reply_to(1), FORGED, reply_to(2)], mail)
        eventually(lambda: IncomingMail.objects.count() == 3 and not postfix.queued(), postfix)
    found = set(IncomingMail.objects.values_list("envelope_to", flat=True))
    assert found == {reply_to(1), reply_to(2), bounce_to(9)}


def test_while_nobody_listens_it_waits_and_then_comes_exactly_once(postfix: Postfix) -> None:
    send(postfix, range(1, 31))
    eventually(lambda: postfix.queued() == 30, postfix)
    assert not IncomingMail.objects.exists()
    with listening(protocol="lmtp", host="127.0.0.1", port=postfix.lmtp_port):
        eventually(lambda: not postfix.queued(), postfix)
    found = sorted(IncomingMail.objects.values_list("envelope_to", flat=True))
    assert found == sorted(map(reply_to, range(1, 31)))


def test_a_listener_that_comes_and_goes_loses_and_doubles_nothing(postfix: Postfix) -> None:
    sending = threading.Thread(target=send, args=(postfix, range(1, 121)))
    sending.start()
    for _ in range(6):
        with listening(protocol="lmtp", host="127.0.0.1", port=postfix.lmtp_port):
            before = IncomingMail.objects.count()
            until = time.monotonic() + 2
            while IncomingMail.objects.count() < before + 15 and time.monotonic() < until:
                threading.Event().wait(0.01)
    sending.join(60)
    with listening(protocol="lmtp", host="127.0.0.1", port=postfix.lmtp_port):
        eventually(lambda: not postfix.queued(), postfix)
    found = sorted(IncomingMail.objects.values_list("envelope_to", flat=True))
    assert found == sorted(map(reply_to, range(1, 121)))


def test_asked_before_it_accepts_postfix_refuses_a_forged_address_itself(
    postfix_that_asks_first: Postfix,
) -> None:
    """As the manual advises: then no bounce goes to whoever was named as the sender."""
    postfix = postfix_that_asks_first
    with listening(protocol="lmtp", host="127.0.0.1", port=postfix.lmtp_port):
        with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as client:
            client.ehlo()
            client.mail("stranger@elsewhere.example")
            assert client.rcpt(FORGED)[0] == 550
            assert client.rcpt(reply_to(1))[0] == 250
            assert client.data(b"Message-ID: <1@elsewhere.example>\r\n\r\nhello\r\n")[0] == 250
        eventually(lambda: IncomingMail.objects.exists() and not postfix.queued(), postfix)
    assert IncomingMail.objects.get().envelope_to == reply_to(1)
