"""Encryption with a checked certificate, and signing in."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from sentinel.bulk.models import Delivery
from tests.channels.bulk.certificates import Authority, make_authority
from tests.channels.bulk.office import launch, relay, sending, sent, trouble, wait_until
from tests.fakes.smtp_sink import Sink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("mode", ["full", "lock"])
def test_mail_goes_encrypted_to_a_relay_whose_certificate_is_trusted(
    authority: Authority, tls: Literal["starttls", "implicit"], mode: str
) -> None:
    run = launch(many=40)
    with Sink(tls=tls, context=authority.context) as sink:
        with sending(relay(sink, tls=tls, mode=mode, connections=3, ca_file=str(authority.ca_file))):
            wait_until(lambda: sent(run) == 40)
        assert sink.repeats() == (0, 0)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_nothing_is_said_to_a_relay_whose_certificate_is_not_trusted(
    authority: Authority, tls: Literal["starttls", "implicit"]
) -> None:
    launch(many=5)
    with Sink(tls=tls, context=authority.context) as sink, sending(relay(sink, tls=tls)):
        wait_until(lambda: "certificate" in trouble().lower())
        assert not any(line.startswith("MAIL") for line in sink.said)
    assert not Delivery.objects.exclude(attempts=0).exists()


def test_nothing_is_sent_in_clear_to_a_relay_that_should_encrypt(tmp_path: Path) -> None:
    launch(many=5)
    with Sink() as sink, sending(relay(sink, tls="starttls")):
        wait_until(lambda: "no STARTTLS" in trouble())
        assert not any(line.startswith("MAIL") for line in sink.said)


@pytest.mark.parametrize("mechanisms", ["PLAIN LOGIN", "LOGIN", "CRAM-MD5 PLAIN"])
def test_the_sender_signs_in_the_way_the_relay_offers(mechanisms: str) -> None:
    run = launch(many=10)
    login = ("care@provider.example", "s3cret\u00e4")
    with Sink(login=login, mechanisms=mechanisms) as sink:
        with sending(relay(sink, username=login[0], password=login[1], connections=2)):
            wait_until(lambda: sent(run) == 10)
        assert sink.signed_in >= 1


@pytest.mark.parametrize("given", ["wrong", ""])
def test_a_wrong_password_is_the_relay_s_trouble_and_burns_no_try(given: str) -> None:
    launch(many=5)
    with Sink(login=("care", "right")) as sink:
        options = {"username": "care", "password": given} if given else {}
        with sending(relay(sink, **options)):
            wait_until(lambda: ("wrong password" if given else "sign in first") in trouble())
    assert not Delivery.objects.exclude(attempts=0).exists()
    assert not sink.taken


def test_a_relay_that_offers_no_known_way_to_sign_in_is_left_alone() -> None:
    launch(many=5)
    with (
        Sink(login=("care", "right"), mechanisms="GSSAPI") as sink,
        sending(relay(sink, username="care", password="right")),
    ):
        wait_until(lambda: "neither AUTH PLAIN nor AUTH LOGIN" in trouble())
