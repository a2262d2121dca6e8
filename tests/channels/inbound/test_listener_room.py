"""How much the ear bears: one machine, one mail and a full disk must not keep everybody else out."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytest_django.fixtures import Settings

from sentinel.channels.email.inbound import listener, session
from sentinel.channels.email.inbound.listener import Limits, listening
from sentinel.inbound.models import IncomingMail
from tests.channels.inbound.test_listener import DOMAIN, reply_to, smtp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _domain(settings: Settings) -> None:
    settings.INBOUND_DOMAIN = DOMAIN


@contextmanager
def in_the_middle_of_a_mail(port: int, size: int) -> Iterator[None]:
    """A client that has sent so much of a mail and then falls silent."""
    client = smtplib.SMTP("127.0.0.1", port, timeout=20)
    client.ehlo()
    client.mail("a@b.example")
    client.rcpt(reply_to())
    assert client.docmd("DATA")[0] == 354
    client.send(b"x" * size)
    yield
    client.close()


def test_a_slow_client_of_another_machine_leaves_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "_is_this_machine", lambda _peer: False)
    names = iter(f"198.51.100.{number}" for number in range(1, 9))
    monkeypatch.setattr(listener, "_peer_of", lambda _session: next(names))
    limits = Limits(held_bytes=10_000)
    with (
        listening(protocol="smtp", host="127.0.0.1", limits=limits) as port,
        in_the_middle_of_a_mail(port, 9_000),
        smtplib.SMTP("127.0.0.1", port, timeout=20) as client,
    ):
        client.sendmail("a@b.example", reply_to(), b"x" * 4_000)
    assert IncomingMail.objects.count() == 1


def test_a_client_that_sends_too_much_holds_no_memory_while_it_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "LARGEST", 5_000)
    monkeypatch.setattr(session, "_PATIENCE", 50_000)
    with (
        listening(protocol="smtp", host="127.0.0.1", limits=Limits(held_bytes=10_000)) as port,
        in_the_middle_of_a_mail(port, 9_000),
        smtplib.SMTP("127.0.0.1", port, timeout=20) as client,
    ):
        client.sendmail("a@b.example", reply_to(), b"x" * 4_000)
    assert IncomingMail.objects.count() == 1


def test_with_a_disk_that_is_nearly_full_mail_is_put_off() -> None:
    with smtp(Limits(free_bytes=1 << 62)) as client:
        client.ehlo()
        assert client.mail("a@b.example")[0] == 452
