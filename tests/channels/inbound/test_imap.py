"""Fetching a mailbox, over real sockets: nothing lost, nothing twice, nothing deleted."""

from __future__ import annotations

import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from sentinel.channels.email.inbound import imap
from sentinel.channels.email.inbound.imap import Account, Poller
from sentinel.inbound import keeping
from sentinel.inbound.models import IncomingMail, PolledMailbox
from sentinel.inbound.sealing import unseal
from sentinel.kernel.links import Purpose
from sentinel.ui.links import mailbox
from tests.fakes.imap_server import ImapServer

DOMAIN = "in.sentinel.example"
TODAY = date(2026, 3, 6)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _domain(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.INBOUND_DOMAIN = DOMAIN
    monkeypatch.setattr(imap, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(imap, "SECONDS_BETWEEN_GLANCES", 0.1)


def reply_to(number: int = 1) -> str:
    return mailbox(Purpose.REPLY_TO_MESSAGE, number, today=TODAY)


def mail(number: int, **headers: str) -> bytes:
    headers = {"Delivered-To": reply_to(number), "Return-Path": "<olena@lindgren.example>", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", f"Mail {number}", ""]).encode()


def account(server: ImapServer, **more: Any) -> Account:
    return Account(
        host="127.0.0.1",
        port=server.port,
        username="user",
        password="secret",
        **{"encrypted": False, **more},
    )


@contextmanager
def polling(account: Account) -> Iterator[threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=Poller(account, stop).run)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def eventually(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to pass"
        threading.Event().wait(0.02)


def kept(number: int) -> Callable[[], bool]:
    return lambda: IncomingMail.objects.count() == number


def last_uid() -> int:
    return PolledMailbox.objects.get().last_uid


def test_what_lies_there_and_what_comes_is_kept_as_it_is_and_marked_as_read() -> None:
    with ImapServer() as server:
        server.deliver(mail(1))
        with polling(account(server)):
            eventually(kept(1))
            server.deliver(mail(2) + b"\xff\r\n.\r\n")
            eventually(kept(2))  # it said so by itself: we look only every half a minute
            eventually(lambda: all(m.flags == {r"\Seen"} for m in server.folders["INBOX"]))
        assert len(server.folders["INBOX"]) == 2
        assert not [line for line in server.log if "EXPUNGE" in line]
    rows = list(IncomingMail.objects.order_by("id"))
    assert [unseal(bytes(row.raw), digest=row.digest) for row in rows] == [
        mail(1),
        mail(2) + b"\xff\r\n.\r\n",
    ]
    assert [row.envelope_to for row in rows] == [reply_to(1), reply_to(2)]
    assert {(row.source, row.envelope_from) for row in rows} == {("imap", "olena@lindgren.example")}
    assert last_uid() == 2
    assert PolledMailbox.objects.get().name == "user@127.0.0.1/INBOX"


def test_it_is_told_over_an_encrypted_connection_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=imap", "-days", "2",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ImapServer(tls=context) as server, polling(account(server, encrypted=True)):
        for number in range(1, 6):
            server.deliver(mail(number) + b"x" * 50_000)
            eventually(kept(number))  # told again each time: we look only every half a minute


def test_a_server_that_nobody_vouches_for_is_not_spoken_to(tmp_path: Path) -> None:
    with ImapServer() as server, polling(account(server, encrypted=True)):
        eventually(lambda: PolledMailbox.objects.filter(last_error__startswith="SSL").exists())
        assert server.log == []


def test_without_idle_it_looks_from_time_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "SECONDS_BETWEEN_LOOKS", 0.1)
    with ImapServer(capabilities=()) as server, polling(account(server)):
        server.deliver(mail(1))
        eventually(kept(1))
        server.deliver(mail(2))
        eventually(kept(2))


@pytest.mark.parametrize("capabilities", [("MOVE",), ("UIDPLUS",), ()])
def test_kept_mail_is_moved_and_nothing_else_vanishes(
    capabilities: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "SECONDS_BETWEEN_LOOKS", 0.1)
    with ImapServer(capabilities) as server:
        # Somebody marked a mail as deleted before we kept it: that must not cost it.
        server.deliver(mail(1))
        server.folders["INBOX"][0].flags.add(r"\Deleted")
        server.drop_before = ["UID FETCH"]
        with polling(account(server, done_folder="Done")):
            eventually(kept(1))
            eventually(lambda: len(server.folders["Done"]) == 1)
        assert "EXPUNGE" not in server.log
        left = server.folders["INBOX"]
        # A server that can neither move nor expunge single mails keeps it, marked as deleted.
        assert [m.flags for m in left] == ([] if capabilities else [{r"\Deleted"}])


def test_what_was_kept_but_not_moved_is_moved_the_next_time() -> None:
    with ImapServer() as server:
        server.deliver(mail(1))
        server.drop_before = ["UID MOVE"]
        with polling(account(server, done_folder="Done")):
            eventually(lambda: len(server.folders["Done"]) == 1)
        assert server.folders["INBOX"] == []
    assert IncomingMail.objects.count() == 1


@pytest.mark.parametrize("step", ["LOGIN", "SELECT", "UID SEARCH", "UID FETCH", "UID STORE", "IDLE"])
def test_a_connection_that_breaks_anywhere_costs_nothing(step: str) -> None:
    with ImapServer() as server:
        for number in range(1, 121):
            server.deliver(mail(number))
        server.drop_before = [step] * 2
        with polling(account(server)):
            eventually(kept(120))
            server.deliver(mail(121))
            eventually(kept(121))
            eventually(lambda: PolledMailbox.objects.get().last_error == "")
    assert last_uid() == 121


def test_nothing_is_marked_before_it_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    keep, failed = keeping.keep_mails, threading.Event()

    def away(**arguments: Any) -> object:
        if not failed.is_set():
            failed.set()
            raise OperationalError("the server is gone")
        return keep(**arguments)

    monkeypatch.setattr(keeping, "keep_mails", away)
    monkeypatch.setattr(imap, "FIRST_PAUSE", 1.0)
    with ImapServer() as server:
        server.deliver(mail(1))
        with polling(account(server)):
            assert failed.wait(10)
            eventually(lambda: "OperationalError" in PolledMailbox.objects.get().last_error)
            assert server.folders["INBOX"][0].flags == set()
            assert last_uid() == 0
            eventually(kept(1))


def test_after_a_restore_of_the_server_nothing_is_lost_or_kept_twice() -> None:
    with ImapServer() as server:
        for number in (1, 2, 3):
            server.deliver(mail(number))
        del server.folders["INBOX"][0]
        with polling(account(server)):
            eventually(kept(2))
            eventually(lambda: last_uid() == 3)
        server.renumber()
        server.deliver(mail(4))
        with polling(account(server)):
            eventually(kept(3))
        assert last_uid() == 3
        assert PolledMailbox.objects.get().uid_validity == 2


def test_a_wrong_password_is_written_down_and_it_stops_when_told() -> None:
    with ImapServer() as server:
        wrong = Account(
            host="127.0.0.1", port=server.port, username="user", password="guess", encrypted=False
        )
        with polling(wrong):
            eventually(lambda: PolledMailbox.objects.exclude(last_error="").exists())
        assert "guess" not in PolledMailbox.objects.get().last_error
        assert "guess" not in repr(wrong)
