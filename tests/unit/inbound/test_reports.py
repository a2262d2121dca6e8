"""Delivery reports and complaints: what they mean for an address, and that no person is taken for one."""

from __future__ import annotations

import pytest

from sentinel.inbound.reading import Grade, Kind
from tests.corpus import WORKER
from tests.unit.inbound.mails import MESSAGE_ID, mail, read, status_report

GRADES = [
    ("failed", "5.1.1", "550 5.1.1 User unknown", Grade.HARD, "5.1.1"),
    ("failed", "5.1.2", "", Grade.HARD, "5.1.2"),
    ("failed", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound", Grade.HARD, "5.1.10"),
    ("failed", "5.0.0", "550 5.1.1 unknown", Grade.HARD, "5.1.1"),
    ("failed", "5.0.0", "550 No such user here", Grade.HARD, "5.0.0"),
    ("failed", "5.2.1", "550 5.2.1 disabled", Grade.SOFT, "5.2.1"),
    ("failed", "5.2.2", "552 5.2.2 Over quota", Grade.SOFT, "5.2.2"),
    ("failed", "5.3.4", "552 5.3.4 Message size exceeds limit", Grade.SOFT, "5.3.4"),
    ("failed", "4.4.1", "connect to mx: Connection timed out", Grade.SOFT, "4.4.1"),
    ("failed", "4.2.2", "452 4.2.2 mailbox full", Grade.SOFT, "4.2.2"),
    ("failed", "5.4.7", "delivery time expired", Grade.SOFT, "5.4.7"),
    ("failed", "5.7.1",
        "554 5.7.1 Service unavailable; Client host blocked using zen.spamhaus.org", Grade.BLOCK,
        "5.7.1"),
    ("failed", "5.7.26",
        "550-5.7.26 This mail has been blocked because the sender is unauthenticated", Grade.BLOCK,
        "5.7.26"),
    ("failed", "5.7.1", "550 5.7.1 recipient: User unknown", Grade.HARD, "5.7.1"),
    ("failed", "5.0.0", "554 Message rejected because of spam content", Grade.BLOCK, "5.0.0"),
    ("failed", "5.1.8", "501 5.1.8 Bad sender address", Grade.BLOCK, "5.1.8"),
    ("failed", "5.4.4", "Host or domain name not found", Grade.HARD, "5.4.4"),
    ("delayed", "4.4.1", "still trying", Grade.DELAY, "4.4.1"),
    ("delayed", "5.1.1", "odd, and still no failure", Grade.DELAY, "5.1.1"),
    ("relayed", "2.0.0", "", Grade.IGNORE, "2.0.0"),
    ("delivered", "2.1.5", "", Grade.IGNORE, "2.1.5"),
    ("expanded", "2.0.0", "", Grade.IGNORE, "2.0.0"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "status", "diagnostic", "grade", "code"), GRADES)
def test_a_standard_report_is_graded(
    action: str, status: str, diagnostic: str, grade: Grade, code: str
) -> None:
    found = read(status_report(action, status, diagnostic), envelope_from="")
    assert found.kind is Kind.DELIVERY_REPORT
    [report] = found.reports
    assert (report.grade, report.status, report.action) == (grade, code, action)
    assert report.recipient == WORKER
    assert report.original_message_id == MESSAGE_ID
    assert found.attachments == ()


TEXTS = {
    "qmail": (
        ("Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your "
        "message to the"
        " following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        "<olena@lindgren.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        "--- Below this line is a copy of the message.\n\nReturn-Path: <x@y.example>\nMessage-ID: "
        "<old@one.example>\n"),
        "failure notice", Grade.HARD, "5.1.1",
    ),
    "exim": (
        ("This message was created automatically by mail delivery software.\n\nA message that you sent "
        "could not be"
        " delivered to one or more of its\nrecipients. This is a permanent error. The following "
        "address(es) failed:\n\n"
        "  olena@lindgren.example\n    Unrouteable address\n"),
        "Mail delivery failed: returning message to sender", Grade.HARD, "",
    ),
    "exim warning": (
        ("This message was created automatically by mail delivery software.\nA message that you sent "
        "has not yet been"
        " delivered to one or more of its\nrecipients after more than 24 hours on the queue.\n\nNo "
        "action is required on"
        " your part. Delivery attempts will continue for\nsome time.\n\n  olena@lindgren.example\n    "
        "Delay reason: timed out\n"),
        "Warning: message 1abc delayed 24 hours", Grade.DELAY, "",
    ),
    "full, German": (
        ("Ihre Nachricht konnte nicht zugestellt werden:\n<olena@lindgren.example>: Das Postfach ist "
        "voll (552).\n"),
        "Unzustellbar: Frage", Grade.SOFT, "",
    ),
    "unknown, French": (
        ("Votre message n'a pas pu être remis à :\n<olena@lindgren.example>\nAdresse inconnue, "
        "l'utilisateur n'existe pas.\n"),
        "Non remis : Question", Grade.HARD, "",
    ),
    "blocked": (
        "Your message could not be delivered to <olena@lindgren.example>:\n554 5.7.1 blocked using dnsbl\n",
        "Undeliverable: Question", Grade.BLOCK, "5.7.1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("envelope_from", ["", "MAILER-DAEMON@mx.example"])
def test_a_report_in_words_is_understood(name: str, envelope_from: str) -> None:
    body, subject, grade, status = TEXTS[name]
    raw = mail(body, sender="Mail Delivery System <MAILER-DAEMON@mx.example>", Subject=subject)
    found = read(raw, envelope_from=envelope_from)
    assert found.kind is Kind.DELIVERY_REPORT
    [report] = found.reports
    assert (report.grade, report.status, report.recipient) == (grade, status, WORKER)


@pytest.mark.parametrize("name", TEXTS)
def test_a_person_who_quotes_a_report_is_a_person(name: str) -> None:
    body, subject, _, _ = TEXTS[name]
    found = read(mail(f"I got this when I wrote to you:\n\n{body}", Subject=f"Re: {subject}"))
    assert found.kind is Kind.HUMAN
    assert found.words.startswith("I got this")


def test_a_person_who_forwards_a_report_is_a_person() -> None:
    inner = status_report("failed", "5.1.1").decode()
    body = f"--y\r\n\r\nWhat is this?\r\n--y\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--y--\r\n"
    found = read(mail(body, Content_Type='multipart/mixed; boundary="y"'))
    assert found.kind is Kind.HUMAN
    assert found.words == "What is this?"
    assert [part.declared_type for part in found.attachments] == ["message/rfc822"]


@pytest.mark.parametrize(
    "words", ["5.1.1", "It says 550 5.1.1 user unknown.", "undeliverable", "Mailbox full, 552"]
)
def test_numbers_and_words_of_reports_make_no_report(words: str) -> None:
    found = read(mail(words), envelope_to="bd-x@in.sentinel.example")
    assert (found.kind, found.words) == (Kind.HUMAN, words)


def test_the_gravest_of_several_recipients_comes_first() -> None:
    raw = status_report("delayed", "4.4.1").replace(
        b"\r\n\r\n--x\r\nContent-Type: text/rfc822",
        b"\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: "
        b"5.1.1\r\n\r\n--x\r\nContent-Type: text/rfc822",
    )
    assert [report.grade for report in read(raw, envelope_from="").reports] == [Grade.HARD, Grade.DELAY]


def test_a_complaint_is_understood() -> None:
    body = (
        "--x\r\n\r\nThis is an abuse report.\r\n--x\r\nContent-Type: "
        "message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n"
        f"Original-Rcpt-To: <{WORKER}>\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: "
        f"<{MESSAGE_ID}>\r\n\r\nhi\r\n--x--"
    )
    raw = mail(
        body,
        sender="feedback@isp.example",
        Content_Type='multipart/report; report-type=feedback-report; boundary="x"',
    )
    found = read(raw)
    assert found.kind is Kind.COMPLAINT
    assert found.complaint is not None
    assert (found.complaint.feedback_type, found.complaint.recipient) == ("abuse", WORKER)
    assert found.complaint.original_message_id == MESSAGE_ID


@pytest.mark.parametrize("body", ["", "\r\n\r\n\r\n", "Action failed", "Action: failed" * 50, "\x00\x01"])
def test_a_broken_report_breaks_nothing(body: str) -> None:
    found = read(mail(body, Content_Type="message/delivery-status"), envelope_from="")
    assert found.kind in Kind
