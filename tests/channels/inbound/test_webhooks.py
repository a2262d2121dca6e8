"""What mail providers post, in their own shapes: every reply, bounce and complaint becomes one kept mail."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve
from pytest_django.fixtures import Settings

from sentinel.config.environment import Environment
from sentinel.config.urls import provider_webhooks
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.reading import Grade, Kind, Ours, Reading, read_mail
from sentinel.inbound.sealing import unseal
from sentinel.kernel.links import Purpose
from sentinel.ui.links import mailbox

DOMAIN = "in.sentinel.example"
SECRET = "sentinel:a-long-random-password"
PASSWORD = SECRET.partition(":")[2]
TODAY = date(2026, 3, 6)
NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
WORKER = "olena@lindgren.example"
MIME = "From: Olena <olena@lindgren.example>\r\nSubject: Re: printer\r\n\r\nImmer noch kaputt, grüße\r\n"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _provider(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.channels.inbound.webhook_urls"
    settings.INBOUND_DOMAIN = DOMAIN
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": PASSWORD}


def address(purpose: Purpose, number: int = 7) -> str:
    return mailbox(purpose, number, today=TODAY)


def post(path: str, data: Any, secret: str = SECRET, **headers: str) -> HttpResponse:
    headers["authorization"] = f"Basic {b64encode(secret.encode()).decode()}"
    body = data if isinstance(data, dict | str) else json.dumps(data)
    if isinstance(data, dict) and path.endswith("/mailgun/inbound/"):
        return Client().post(path, data, headers=headers)  # type: ignore[return-value]  # test responses
    body = json.dumps(data) if isinstance(data, dict) else data
    return Client().post(path, body, content_type="application/json", headers=headers)  # type: ignore[return-value]


def the_mail() -> tuple[IncomingMail, bytes]:
    row = IncomingMail.objects.get()
    return row, unseal(bytes(row.raw), digest=row.digest)


def reading() -> Reading:
    row, raw = the_mail()
    ours = Ours(base_url="https://s.example", inbound_domain=DOMAIN, senders=frozenset())
    return read_mail(raw, envelope_from=row.envelope_from, envelope_to=row.envelope_to, ours=ours, now=NOW)


def postmark_reply(**more: Any) -> dict[str, Any]:
    return {
        "FromFull": {"Email": WORKER, "Name": "Olena"},
        "ToFull": [{"Email": address(Purpose.REPLY_TO_MESSAGE), "Name": ""}],
        "Subject": "Re: printer",
        "MessageID": "22c74902-a0c1-4511-804f2-341342852c90",
        "OriginalRecipient": address(Purpose.REPLY_TO_MESSAGE),
        "Date": "Fri, 6 Mar 2026 09:00:00 +0000",
        "TextBody": "Immer noch kaputt, grüße",
        "HtmlBody": "<p>Immer noch kaputt</p>",
        "Headers": [
            {"Name": "Return-Path", "Value": f"<{WORKER}>"},
            {"Name": "In-Reply-To", "Value": "<0001.sentinel@provider.example>"},
        ],
        "Attachments": [
            {"Name": "foto.png", "ContentType": "image/png", "Content": b64encode(b"\x89PNG").decode()}
        ],
        **more,
    }


def mailgun_signature(token: str = "t" * 50) -> dict[str, str]:
    stamp = "1772787600"
    signed = hmac.new(PASSWORD.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {"timestamp": stamp, "token": token, "signature": signed}


def mailgun_failure(**more: Any) -> dict[str, Any]:
    return {
        "signature": mailgun_signature(),
        "event-data": {
            "event": "failed",
            "severity": "permanent",
            "reason": "bounce",
            "timestamp": 1772787600.0,
            "recipient": WORKER,
            "envelope": {"sender": address(Purpose.BOUNCE_OF_MESSAGE), "transport": "smtp"},
            "message": {"headers": {"message-id": f"{'0' * 31}1.sentinel@provider.example"}},
            "delivery-status": {
                "code": 550,
                "message": "5.1.1 The account does not exist",
                "description": "",
            },
            **more,
        },
    }


def sns(message: dict[str, Any], number: str = "sns-1", **more: Any) -> tuple[dict[str, Any], dict[str, str]]:
    body = {
        "Type": "Notification",
        "MessageId": number,
        "TopicArn": "arn:aws:sns:eu-central-1:123456789012:ses",
        "Timestamp": "2026-03-06T09:00:00.000Z",
        "Message": json.dumps(message),
        **more,
    }
    return body, {"x-amz-sns-message-type": body["Type"], "x-amz-sns-message-id": number}


def ses(kind: str, **more: Any) -> dict[str, Any]:
    mail = {
        "messageId": "0100018d-ses",
        "source": address(Purpose.BOUNCE_OF_MESSAGE),
        "destination": [WORKER],
        "headers": [{"name": "Message-ID", "value": f"<{'0' * 31}1.sentinel@provider.example>"}],
    }
    return {"eventType": kind, "mail": mail, **more}


def test_a_reply_by_postmark_is_kept_with_its_parts_and_only_once() -> None:
    for _ in range(2):
        assert post("/anymail/postmark/inbound/", postmark_reply()).status_code == 200
    row, raw = the_mail()
    assert (row.source, row.envelope_from) == ("postmark", WORKER)
    assert row.envelope_to == address(Purpose.REPLY_TO_MESSAGE)
    mail = message_from_bytes(raw, _class=EmailMessage, policy=default_policy)
    assert mail["In-Reply-To"] == "<0001.sentinel@provider.example>"
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "Immer noch kaputt, grüße"
    assert [part.get_content() for part in mail.iter_attachments()] == [b"\x89PNG"]
    assert reading().kind is Kind.HUMAN


def test_the_mail_as_it_came_is_kept_when_the_provider_gives_it() -> None:
    post("/anymail/postmark/inbound/", postmark_reply(RawEmail=MIME))
    assert the_mail()[1] == MIME.encode()


def test_a_reply_by_mailgun_is_kept_as_it_came() -> None:
    data = {
        "recipient": address(Purpose.REPLY_TO_DELIVERY),
        "sender": WORKER,
        "body-mime": MIME,
        **mailgun_signature(),
    }
    assert post("/anymail/mailgun/inbound/", data).status_code == 200
    row, raw = the_mail()
    assert (row.source, row.envelope_from, raw) == ("mailgun", WORKER, MIME.encode())
    assert row.envelope_to == address(Purpose.REPLY_TO_DELIVERY)


@pytest.mark.parametrize("is_encoded", [True, False])
def test_a_reply_by_amazon_is_kept_as_it_came(is_encoded: bool) -> None:
    encoded = b64encode(MIME.encode()).decode()
    received = {
        "notificationType": "Received",
        "content": encoded if is_encoded else MIME,
        "receipt": {
            "recipients": [address(Purpose.REPLY_TO_MESSAGE)],
            "action": {"type": "SNS", "encoding": "BASE64" if is_encoded else "UTF-8"},
        },
        "mail": {"source": WORKER, "messageId": "abc", "timestamp": "2026-03-06T09:00:00.000Z"},
    }
    body, headers = sns(received)
    assert post("/anymail/amazon_ses/inbound/", body, **headers).status_code == 200
    row, raw = the_mail()
    assert (row.source, row.envelope_from, raw) == ("amazon_ses", WORKER, MIME.encode())


def test_a_reply_to_an_address_that_is_none_of_ours_waits_for_a_person() -> None:
    data = postmark_reply(OriginalRecipient="x@elsewhere.example", ToFull=[])
    post("/anymail/postmark/inbound/", data)
    assert the_mail()[0].envelope_to == "postmaster@in.sentinel.example"


def test_a_bounce_by_mailgun_becomes_a_delivery_report_to_the_address_that_was_named() -> None:
    for _ in range(2):
        assert post("/anymail/mailgun/tracking/", mailgun_failure()).status_code == 200
    row, _ = the_mail()
    assert (row.envelope_to, row.envelope_from) == (address(Purpose.BOUNCE_OF_MESSAGE), "")
    read = reading()
    assert read.kind is Kind.DELIVERY_REPORT
    (report,) = read.reports
    assert (report.grade, report.status, report.recipient) == (Grade.HARD, "5.1.1", WORKER)
    assert report.original_message_id == f"{'0' * 31}1.sentinel@provider.example"


def test_a_delay_is_a_delay() -> None:
    later = mailgun_failure(
        severity="temporary", **{"delivery-status": {"message": "greylisted", "description": None}}
    )
    post("/anymail/mailgun/tracking/", later)
    (report,) = reading().reports
    assert (report.grade, report.action) == (Grade.DELAY, "delayed")


def test_the_token_of_a_check_in_is_found_in_its_message_id() -> None:
    reply = address(Purpose.REPLY_TO_DELIVERY, 12)
    named = mailgun_failure(
        envelope={}, message={"headers": {"message-id": f"{reply.partition('@')[0]}@provider.example"}}
    )
    post("/anymail/mailgun/tracking/", named)
    assert the_mail()[0].envelope_to == reply


@pytest.mark.parametrize(
    ("kind", "details", "grade"),
    [
        ("HardBounce", "smtp;550 5.1.1 user unknown", Grade.HARD),
        ("HardBounce", "", Grade.HARD),
        ("SoftBounce", "", Grade.SOFT),
        ("Transient", "", Grade.DELAY),
        ("DMARCPolicy", "", Grade.BLOCK),
        ("BadEmailAddress", "", Grade.HARD),
    ],
)
def test_each_kind_of_bounce_by_postmark_is_read_as_what_it_is(kind: str, details: str, grade: Grade) -> None:
    bounce = {
        "RecordType": "Bounce", "Type": kind, "ID": 42, "Email": WORKER, "BouncedAt": "2026-03-06T09:00:00Z",
        "MessageID": "883953f4", "Details": details, "Description": "", "From": "care@provider.example",
    }  # fmt: skip
    assert post("/anymail/postmark/tracking/", bounce).status_code == 200
    (report,) = reading().reports
    assert (report.grade, report.recipient) == (grade, WORKER)
    assert the_mail()[0].envelope_to == "postmaster@in.sentinel.example"


@pytest.mark.parametrize(
    ("bounce_type", "code", "grade"),
    [
        ("Permanent", "smtp; 550 5.1.1 user unknown", Grade.HARD),
        ("Permanent", None, Grade.HARD),
        ("Transient", None, Grade.SOFT),
        ("Transient", "smtp; 552 5.2.2 over quota", Grade.SOFT),
    ],
)
def test_each_kind_of_bounce_by_amazon_is_read_as_what_it_is(
    bounce_type: str, code: str | None, grade: Grade
) -> None:
    recipient = {"emailAddress": WORKER, **({"diagnosticCode": code} if code else {})}
    bounce = {"bounceType": bounce_type, "bounceSubType": "General", "bouncedRecipients": [recipient]}
    body, headers = sns(ses("Bounce", bounce=bounce))
    assert post("/anymail/amazon_ses/tracking/", body, **headers).status_code == 200
    (report,) = reading().reports
    assert (report.grade, report.recipient) == (grade, WORKER)
    assert the_mail()[0].envelope_to == address(Purpose.BOUNCE_OF_MESSAGE)


def test_a_complaint_is_a_complaint() -> None:
    complaint = {"complainedRecipients": [{"emailAddress": WORKER}], "complaintFeedbackType": "abuse"}
    body, headers = sns(ses("Complaint", complaint=complaint))
    for number in ("sns-1", "sns-1", "sns-2"):
        body["MessageId"] = headers["x-amz-sns-message-id"] = number
        assert post("/anymail/amazon_ses/tracking/", body, **headers).status_code == 200
    # The provider's number makes it one event; another number is another complaint.
    assert IncomingMail.objects.count() == 2
    IncomingMail.objects.order_by("id")[1].delete()
    read = reading()
    assert read.kind is Kind.COMPLAINT
    assert read.complaint is not None
    assert read.complaint.recipient == WORKER
    assert read.complaint.original_message_id == f"{'0' * 31}1.sentinel@provider.example"


def test_what_does_not_concern_us_is_let_go() -> None:
    body, headers = sns(ses("Delivery", delivery={"recipients": [WORKER]}))
    assert post("/anymail/amazon_ses/tracking/", body, **headers).status_code == 200
    post("/anymail/mailgun/tracking/", mailgun_failure(event="opened", severity=None))
    assert not IncomingMail.objects.exists()


def test_a_subscription_of_amazon_is_told_to_the_administrator(caplog: pytest.LogCaptureFixture) -> None:
    body, headers = sns(
        {}, Type="SubscriptionConfirmation", SubscribeURL="https://sns.example/confirm", Token="t"
    )
    headers["x-amz-sns-message-type"] = "SubscriptionConfirmation"
    assert post("/anymail/amazon_ses/tracking/", body, **headers).status_code == 200
    assert "https://sns.example/confirm" in caplog.text


@pytest.mark.parametrize("secret", ["", "sentinel:wrong", "sentinel:", "other:" + PASSWORD])
@pytest.mark.parametrize("path", ["postmark/inbound/", "postmark/tracking/", "mailgun/tracking/"])
def test_without_the_secret_nothing_is_taken(secret: str, path: str) -> None:
    data = mailgun_failure() if "mailgun" in path else postmark_reply()
    assert post(f"/anymail/{path}", data, secret=secret).status_code == 400
    assert not IncomingMail.objects.exists()


def test_a_call_that_mailgun_did_not_sign_is_refused() -> None:
    forged = mailgun_failure()
    forged["signature"]["signature"] = "0" * 64
    assert post("/anymail/mailgun/tracking/", forged).status_code == 400


def test_words_of_a_mail_system_add_no_header_and_no_part() -> None:
    nasty = (
        "5.1.1 no\r\nBcc: x@y.example\r\n\r\n--=_x\r\nContent-Type: text/html\r\n\r\n<b>\x00é" + "x" * 5000
    )
    post("/anymail/mailgun/tracking/", mailgun_failure(**{"delivery-status": {"message": nasty}}))
    _, raw = the_mail()
    mail = message_from_bytes(raw, _class=EmailMessage, policy=default_policy)
    assert "Bcc" not in mail
    assert len(list(mail.iter_parts())) == 3
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert reading().reports[0].status == "5.1.1"


def test_without_a_secret_there_are_no_such_addresses(settings: Settings, client: Client) -> None:
    settings.ENVIRONMENT = Environment()
    assert provider_webhooks() == []
    settings.ENVIRONMENT = Environment(inbound_webhook_secret=SECRET)
    assert len(provider_webhooks()) == 1
    settings.ROOT_URLCONF = "sentinel.config.urls"
    assert client.post("/anymail/postmark/inbound/", {}).status_code == 404


def test_the_console_s_own_addresses_are_still_there() -> None:
    assert resolve("/health/web").url_name == "health-web"
