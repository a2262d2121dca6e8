"""Small raw mails for the tests of the reader."""

from __future__ import annotations

from sentinel.inbound.reading import Ours, Reading, read_mail
from tests.corpus import BASE_URL, INBOUND_DOMAIN, NOW, SENDER, WORKER, default_places

OURS = Ours(base_url=BASE_URL, inbound_domain=INBOUND_DOMAIN, senders=frozenset({SENDER}))
MESSAGE_ID = default_places()["message_id"]


def mail(
    body: str = "The belt is torn.", *, sender: str = f"Olena Kovalenko <{WORKER}>", **headers: str
) -> bytes:
    """A mail of one part; ``headers`` with underscores for dashes replace or add to the usual ones."""
    usual = {
        "From": sender,
        "To": SENDER,
        "Subject": "Re: Question",
        "Content-Type": "text/plain; charset=utf-8",
    }
    named = usual | {name.replace("_", "-"): value for name, value in headers.items()}
    return ("".join(f"{name}: {value}\r\n" for name, value in named.items()) + "\r\n" + body).encode()


def read(raw: bytes, *, envelope_from: str = WORKER, envelope_to: str = SENDER) -> Reading:
    """Read as of the corpus's day."""
    return read_mail(raw, envelope_from=envelope_from, envelope_to=envelope_to, ours=OURS, now=NOW)


def status_report(action: str, status: str, diagnostic: str = "", *, original: str = MESSAGE_ID) -> bytes:
    """A delivery report in the standard form."""
    code = f"Diagnostic-Code: smtp; {diagnostic}\r\n" if diagnostic else ""
    body = (
        "--x\r\n\r\nSorry.\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.lindgren.example\r\n\r\n"
        f"Final-Recipient: rfc822; {WORKER.upper()}\r\nAction: {action}\r\nStatus: {status}\r\n{code}\r\n"
        f"--x\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{original}>\r\n\r\n--x--\r\n"
    )
    return mail(
        body,
        sender="MAILER-DAEMON@mx.lindgren.example",
        Subject="Undelivered Mail Returned to Sender",
        Content_Type='multipart/report; report-type=delivery-status; boundary="x"',
    )
