"""The ear over real sockets: what it takes, what it refuses, and that "250" means committed."""

from __future__ import annotations

import smtplib
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from pytest_django.fixtures import Settings

from sentinel.channels.email.inbound.listener import CERTIFICATE, KEY, Limits, listening
from sentinel.inbound import keeping
from sentinel.inbound.keeping import LARGEST
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.sealing import unseal
from sentinel.kernel.links import Purpose
from sentinel.ui.links import mailbox

DOMAIN = "in.sentinel.example"
TODAY = date(2026, 3, 6)
MAIL = b"From: Olena <olena@lindgren.example>\r\nSubject: Re: printer\r\n\r\nStill broken.\r\n"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _domain(settings: Settings) -> None:
    settings.INBOUND_DOMAIN = DOMAIN


def reply_to(number: int = 1) -> str:
    return mailbox(Purpose.REPLY_TO_MESSAGE, number, today=TODAY)


@contextmanager
def smtp(limits: Limits | None = None) -> Iterator[smtplib.SMTP]:
    with (
        listening(protocol="smtp", host="127.0.0.1", limits=limits) as port,
        smtplib.SMTP("127.0.0.1", port, timeout=20) as client,
    ):
        yield client


@contextmanager
def lmtp() -> Iterator[smtplib.LMTP]:
    with (
        listening(protocol="lmtp", host="127.0.0.1") as port,
        smtplib.LMTP("127.0.0.1", port, timeout=20) as client,
    ):
        yield client


def raw_of(row: IncomingMail) -> bytes:
    return unseal(bytes(row.raw), digest=row.digest)


def test_a_reply_is_kept_as_it_came() -> None:
    with smtp() as client:
        client.sendmail("olena@lindgren.example", reply_to(), MAIL)
    row = IncomingMail.objects.get()
    assert (row.source, row.state, row.envelope_from) == ("smtp", "waiting", "olena@lindgren.example")
    assert row.envelope_to == reply_to()
    assert raw_of(row) == MAIL
    assert row.size == len(MAIL)
    assert b"Still broken" not in bytes(row.raw)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("<olena@lindgren.example>", "olena@lindgren.example"),
        ("<olena@lindgren.example> SIZE=1000 BODY=8BITMIME", "olena@lindgren.example"),
        ("< olena@lindgren.example >", "olena@lindgren.example"),
        ("<a..b.@docomo.example>", "a..b.@docomo.example"),
        (
            "<SRS0=x=y=lindgren.example=olena@gateway.example>",
            "SRS0=x=y=lindgren.example=olena@gateway.example",
        ),
        ('<"olena hansen"@lindgren.example>', '"olena hansen"@lindgren.example'),
        ("<@gateway.example:olena@lindgren.example>", "olena@lindgren.example"),
        ("<>", ""),
        ("<> SIZE=10", ""),
    ],
)
def test_senders_are_understood_in_every_form(written: str, meant: str) -> None:
    with smtp() as client:
        client.ehlo()
        assert client.docmd("MAIL", f"FROM:{written}")[0] == 250
        client.rcpt(reply_to())
        assert client.data(MAIL)[0] == 250
    assert IncomingMail.objects.get().envelope_from == meant


def test_a_report_of_a_mail_system_has_no_sender() -> None:
    with smtp() as client:
        client.sendmail("", mailbox(Purpose.BOUNCE_OF_MESSAGE, 7, today=TODAY), MAIL)
    assert IncomingMail.objects.get().envelope_from == ""


@pytest.mark.parametrize(
    "address",
    [
        "somebody@in.sentinel.example",
        "rm-" + "a" * 44 + "@in.sentinel.example",
        "postmaster@elsewhere.example",
        "owner@in.sentinel.example",
    ],
)
def test_an_address_that_is_none_of_ours_is_refused_before_the_mail_comes(address: str) -> None:
    with smtp() as client:
        client.ehlo()
        assert client.mail("olena@lindgren.example")[0] == 250
        code, words = client.rcpt(address)
        assert (code, words[:5]) == (550, b"5.1.1")
    assert not IncomingMail.objects.exists()


@pytest.mark.parametrize(
    "address", ["postmaster@in.sentinel.example", "Abuse@IN.sentinel.example", "postmaster"]
)
def test_postmaster_and_abuse_reach_a_person(address: str) -> None:
    with smtp() as client:
        client.sendmail("admin@lindgren.example", address, MAIL)
    assert IncomingMail.objects.get().envelope_to == address.lower()


def test_it_says_what_it_can() -> None:
    with smtp() as client:
        client.ehlo()
        assert client.esmtp_features["size"] == str(LARGEST)
        assert {"8bitmime", "smtputf8", "pipelining", "enhancedstatuscodes"} <= set(client.esmtp_features)
        assert "starttls" not in client.esmtp_features
        assert "auth" not in client.esmtp_features


def test_eight_bit_long_lines_and_dots_arrive_byte_for_byte() -> None:
    lines = [b".", b"..two", b"\xff\xfe gr\xfc\xdfe", b"x" * 200_000, b"end."]
    mail = b"Subject: odd\r\n\r\n" + b"\r\n".join(lines) + b"\r\n"
    with smtp() as client:
        client.sendmail("ölena@lindgren.example", reply_to(), mail, ["SMTPUTF8", "BODY=8BITMIME"])
    row = IncomingMail.objects.get()
    assert raw_of(row) == mail
    assert row.envelope_from == "ölena@lindgren.example"


def test_an_empty_mail_is_a_mail() -> None:
    with smtp() as client:
        client.ehlo()
        client.mail("a@b.example")
        client.rcpt(reply_to())
        client.docmd("DATA")
        assert client.docmd(".")[0] == 250
    assert raw_of(IncomingMail.objects.get()) == b""


def test_a_lone_line_feed_before_a_dot_does_not_end_a_mail() -> None:
    smuggled = b"one\n.\nMAIL FROM:<evil@x.example>\r\n"
    with smtp() as client:
        client.sendmail("a@b.example", reply_to(), b"Subject: x\r\n\r\n")
        client.mail("a@b.example")
        client.rcpt(reply_to())
        client.docmd("DATA")
        client.send(smuggled + b".\r\n")
        assert client.getreply()[0] == 250
    assert raw_of(IncomingMail.objects.order_by("-id")[0]) == smuggled


def test_commands_that_follow_the_mail_in_one_piece_are_heard() -> None:
    with (
        listening(protocol="smtp", host="127.0.0.1") as port,
        socket.create_connection(("127.0.0.1", port)) as wire,
    ):
        mail = f"MAIL FROM:<a@b.example>\r\nRCPT TO:<{reply_to()}>\r\nDATA\r\n".encode()
        body = b"Subject: n\r\n\r\n%d\r\n.\r\n"
        wire.sendall(b"EHLO me\r\n" + mail + body % 1 + mail + body % 2 + b"QUIT\r\n")
        answers = b""
        while piece := wire.recv(4096):
            answers += piece
    assert answers.count(b"250 2.0.0 kept") == 2
    assert IncomingMail.objects.count() == 2


def test_a_mail_that_says_it_is_too_large_is_refused_at_once() -> None:
    with smtp() as client:
        client.ehlo()
        assert client.mail("a@b.example", [f"SIZE={LARGEST + 1}"])[0] == 552


def test_a_mail_that_turns_out_too_large_is_refused_and_the_next_is_taken() -> None:
    with smtp() as client:
        client.ehlo()
        client.mail("a@b.example")
        client.rcpt(reply_to())
        assert client.data(b"x" * 70 + b"\r\n" + b"y" * LARGEST)[:1] == (552,)
        client.sendmail("a@b.example", reply_to(), MAIL)
    assert raw_of(IncomingMail.objects.get()) == MAIL


def test_a_mail_of_thirty_megabytes_is_kept() -> None:
    mail = MAIL + b"z" * (LARGEST - len(MAIL) - 2) + b"\r\n"
    with smtp() as client:
        client.sendmail("a@b.example", reply_to(), mail)
    assert raw_of(IncomingMail.objects.get()) == mail


def test_the_same_mail_given_twice_is_accepted_and_kept_once() -> None:
    with smtp() as client:
        for _ in range(2):
            client.sendmail("olena@lindgren.example", reply_to(), MAIL)
    assert IncomingMail.objects.count() == 1


def test_by_lmtp_every_recipient_has_an_answer_of_its_own() -> None:
    with lmtp() as client:
        client.ehlo()
        for _ in range(2):  # the second time the same mails, in another company
            client.mail("a@b.example")
            answers = [client.rcpt(to)[0] for to in (reply_to(1), "nobody@in.sentinel.example", reply_to(2))]
            assert answers == [250, 550, 250]
            assert client.docmd("DATA")[0] == 354
            client.send(MAIL + b".\r\n")
            assert [client.getreply()[0], client.getreply()[0]] == [250, 250]
            assert client.noop()[0] == 250
    assert sorted(IncomingMail.objects.values_list("envelope_to", flat=True)) == sorted(map(reply_to, (1, 2)))
    assert set(IncomingMail.objects.values_list("source", flat=True)) == {"lmtp"}


def test_more_recipients_than_a_mail_may_have_are_put_off() -> None:
    with smtp(Limits(recipients=1)) as client:
        client.ehlo()
        client.mail("a@b.example")
        assert client.rcpt(reply_to(1))[0] == 250
        assert client.rcpt(reply_to(2)) == (452, b"4.5.3 too many recipients for one mail")


def test_more_connections_than_it_bears_are_sent_away_for_a_while() -> None:
    with listening(protocol="smtp", host="127.0.0.1", limits=Limits(connections=1)) as port:
        with smtplib.SMTP("127.0.0.1", port, timeout=20), pytest.raises(smtplib.SMTPConnectError) as refused:
            smtplib.SMTP("127.0.0.1", port, timeout=20)
        assert refused.value.smtp_code == 421


def test_more_mail_than_fits_into_memory_is_put_off() -> None:
    with smtp(Limits(held_bytes=1000)) as client:
        client.ehlo()
        client.mail("a@b.example")
        client.rcpt(reply_to())
        assert client.data(b"x" * 2000)[0] == 452
        client.sendmail("a@b.example", reply_to(), MAIL)
    assert IncomingMail.objects.count() == 1


def test_a_silent_client_is_dropped() -> None:
    with (
        listening(protocol="smtp", host="127.0.0.1", limits=Limits(seconds=0.2)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=10) as wire,
    ):
        answers = b""
        while piece := wire.recv(4096):
            answers += piece
    assert answers.startswith(b"220 in.sentinel.example")


def test_without_the_database_nothing_is_accepted_and_everything_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep = keeping.keep_mails

    def away(**_: object) -> None:
        raise OperationalError("the server is gone")

    with smtp() as client:
        monkeypatch.setattr(keeping, "keep_mails", away)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail("a@b.example", reply_to(), MAIL)
        assert refused.value.smtp_code == 451
        monkeypatch.setattr(keeping, "keep_mails", keep)
        client.sendmail("a@b.example", reply_to(), MAIL)
    assert IncomingMail.objects.count() == 1


def test_a_connection_that_the_database_cut_is_replaced_without_a_refusal() -> None:
    with smtp() as client:
        client.sendmail("a@b.example", reply_to(1), MAIL)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        client.sendmail("a@b.example", reply_to(2), MAIL)
    assert IncomingMail.objects.count() == 2


def test_mails_that_come_at_the_same_time_share_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    first, going = threading.Event(), threading.Event()
    keep: Callable[..., object] = keeping.keep_mails

    def counting(*, mails: list[object], now: object) -> object:
        sizes.append(len(mails))
        first.set()
        going.wait(10)
        return keep(mails=mails, now=now)

    monkeypatch.setattr(keeping, "keep_mails", counting)
    with listening(protocol="smtp", host="127.0.0.1") as port:

        def send(number: int) -> None:
            with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
                client.sendmail("a@b.example", reply_to(number), MAIL)

        threads = [threading.Thread(target=send, args=(number,)) for number in range(10)]
        threads[0].start()
        first.wait(10)
        for thread in threads[1:]:
            thread.start()
        # The first commit holds until the others had time to queue; how many did is up to the machine.
        threading.Timer(3.0, going.set).start()
        for thread in threads:
            thread.join(20)
    assert sum(sizes) == 10
    assert len(sizes) < 10
    assert IncomingMail.objects.count() == 10


def test_an_address_that_is_no_text_is_kept_readable() -> None:
    with smtp() as client:
        client.ehlo()
        client.send(b"MAIL FROM:<\xfclena@lindgren.example>\r\n")
        assert client.getreply()[0] == 250
        client.rcpt(reply_to())
        assert client.data(MAIL)[0] == 250
    assert IncomingMail.objects.get().envelope_from == "�lena@lindgren.example"


def test_starttls_is_offered_when_there_is_a_certificate(settings: Settings, tmp_path: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=in.sentinel.example",
         "-keyout", str(tmp_path / KEY), "-out", str(tmp_path / CERTIFICATE), "-days", "2"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    settings.DATA_DIR = tmp_path
    with smtp() as client:
        client.starttls()
        client.sendmail("a@b.example", reply_to(), MAIL)
    assert raw_of(IncomingMail.objects.get()) == MAIL
