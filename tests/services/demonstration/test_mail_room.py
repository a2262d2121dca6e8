"""The mail room keeps what the e-mail channel sends, over real SMTP, and takes it apart again."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from sentinel.channels.email.sender import EmailSender, SmtpServer
from sentinel.demonstration.mailroom import listening
from sentinel.demonstration.selectors import caught_mail, caught_mails, count_caught_mails
from sentinel.kernel.errors import Refused
from sentinel.outbox.rules import Result
from tests.channels.contract import NOW, claimed

pytestmark = pytest.mark.django_db(transaction=True)

HTML = (
    '<p>Hello</p><a href="https://s.example/a/t0ken/frown/"><b>I have</b> a problem</a><a href="#top">up</a>'
)
TEXT = "I have a problem: https://s.example/a/t0ken/frown/\nOnly here: https://s.example/u/t0ken/.\n"


@pytest.fixture
def room(settings: Settings) -> Iterator[int]:
    settings.DEMONSTRATION = True
    with listening() as port:
        yield port


def test_a_sent_mail_can_be_opened_with_its_links(room: int) -> None:
    sender = EmailSender(SmtpServer(host="127.0.0.1", port=room, hello_name="s.example"))
    assert (
        sender.send(claimed("email", html=HTML, text=TEXT, headers={"X-Kept": "yes"}), NOW).result
        is Result.ACCEPTED
    )
    sender.close()
    (letter,) = caught_mails()
    assert (letter.recipient, letter.kind) == ("olena@example.com", "problem.receipt")
    assert letter.subject == "Wir haben es: Drucker im 2. Stock – danke"
    opened = caught_mail(letter.id)
    assert opened is not None
    assert (opened.text, opened.html.strip()) == (TEXT, HTML)
    assert [(link.url, link.words) for link in opened.links] == [
        ("https://s.example/a/t0ken/frown/", "I have a problem"),
        ("https://s.example/u/t0ken/", ""),
    ]
    assert dict(opened.headers)["X-Kept"] == "yes"


def test_mails_are_found_by_recipient_and_by_words(room: int) -> None:
    sender = EmailSender(SmtpServer(host="127.0.0.1", port=room, hello_name="s.example"))
    for number, (address, subject) in enumerate(
        [("olena@example.com", "Problem 1"), ("joao@example.com", "Question"), ("olena@example.com", "Done")],
        1,
    ):
        sender.send(claimed("email", number=number, address=address, subject=subject), NOW)
    sender.close()
    assert [letter.subject for letter in caught_mails()] == ["Done", "Question", "Problem 1"]
    assert [letter.subject for letter in caught_mails(recipient="OLENA@example.com")] == ["Done", "Problem 1"]
    assert [letter.subject for letter in caught_mails(search="quest")] == ["Question"]
    assert [letter.subject for letter in caught_mails(limit=1)] == ["Done"]
    assert count_caught_mails() == 3


def test_each_recipient_has_their_own_copy(room: int) -> None:
    with smtplib.SMTP("127.0.0.1", room, local_hostname="s.example") as smtp:
        smtp.sendmail("a@x.example", ["b@x.example", "c@x.example"], b"Subject: both\r\n\r\nhello\r\n")
    assert sorted(letter.recipient for letter in caught_mails()) == ["b@x.example", "c@x.example"]


def test_something_that_is_hardly_a_mail_is_kept_all_the_same(room: int) -> None:
    with smtplib.SMTP("127.0.0.1", room, local_hostname="s.example") as smtp:
        smtp.sendmail("a@x.example", ["b@x.example"], b"\xff\xfe no header at all")
    (letter,) = caught_mails()
    opened = caught_mail(letter.id)
    assert opened is not None
    assert opened.size > 0


def test_there_is_no_mail_room_outside_a_demonstration(settings: Settings) -> None:
    settings.DEMONSTRATION = False
    with pytest.raises(Refused, match="demonstration"), listening():
        raise AssertionError("it listens")


def test_an_unknown_mail_is_none() -> None:
    assert caught_mail(1) is None
