"""Reading what only a demonstration has: its clock's offset and the caught mail."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from html.parser import HTMLParser

from django.conf import settings
from django.db.models import Q

from sentinel.demonstration.models import CaughtMail, ClockOffset, Demonstration

_FRESH_SECONDS = 0.5
_URL = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:)\]]")


class _OffsetCache:
    """The last offset read, for half a second: the clock is asked far more often than it is moved."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value: timedelta | None = None
        self._until = float("-inf")

    def get(self) -> timedelta:
        with self._lock:
            if self._value is not None and time.monotonic() < self._until:
                return self._value
        value = ClockOffset.objects.filter(pk=1).values_list("offset", flat=True).first() or timedelta()
        with self._lock:
            self._value, self._until = value, time.monotonic() + _FRESH_SECONDS
        return value

    def last(self) -> timedelta:
        with self._lock:
            return self._value if self._value is not None else timedelta()

    def forget(self) -> None:
        with self._lock:
            self._until = float("-inf")


_cache = _OffsetCache()
forget_clock_offset = _cache.forget
last_clock_offset = _cache.last


def clock_offset() -> timedelta:
    """How far the demonstration's clock runs ahead; always zero outside a demonstration."""
    return _cache.get() if settings.DEMONSTRATION else timedelta()


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One caught mail in a list."""

    id: int
    received_at: datetime
    sender: str
    recipient: str
    subject: str
    message_id: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link of a mail: where it leads and the words on it."""

    url: str
    words: str


@dataclass(frozen=True, kw_only=True)
class OpenedLetter:
    """A caught mail, taken apart. ``html`` is as it came: show it in a sandboxed frame only."""

    letter: Letter
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    links: tuple[Link, ...]
    size: int


def demonstration() -> Demonstration | None:
    """How the demonstration was filled; None when it was not even begun."""
    return Demonstration.objects.filter(pk=1).first()


def caught_mails(*, limit: int = 50, recipient: str = "", search: str = "") -> list[Letter]:
    """The newest caught mails; ``recipient`` is a whole address, ``search`` is part of subject or address."""
    rows = CaughtMail.objects.all()
    if recipient:
        rows = rows.filter(recipient__iexact=recipient)
    if search:
        rows = rows.filter(Q(subject__icontains=search) | Q(recipient__icontains=search) | Q(kind=search))
    return [_letter(row) for row in rows.defer("raw").order_by("-id")[:limit]]


def count_caught_mails() -> int:
    """How many mails the mail room keeps."""
    return CaughtMail.objects.count()


def caught_mail(mail_id: int) -> OpenedLetter | None:
    """One caught mail with its parts, or None when there is no such mail."""
    row = CaughtMail.objects.filter(pk=mail_id).first()
    if row is None:
        return None
    raw = bytes(row.raw)
    mail = message_from_bytes(raw, _class=EmailMessage, policy=default_policy)
    text, html = _body(mail, "plain"), _body(mail, "html")
    return OpenedLetter(
        letter=_letter(row),
        headers=tuple((name, str(value)) for name, value in mail.items()),
        text=text,
        html=html,
        links=_links(text, html),
        size=len(raw),
    )


def _letter(row: CaughtMail) -> Letter:
    return Letter(**{name: getattr(row, name) for name in Letter.__dataclass_fields__})


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    content = part.get_content()
    return content.replace("\r\n", "\n") if isinstance(content, str) else ""


class _Anchors(HTMLParser):
    """Collects the links of a page with their words."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Link] = []
        self._href = ""
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._href, self._words = dict(attrs).get("href") or "", []

    def handle_data(self, data: str) -> None:
        if self._href:
            self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._href:
            self.found.append(Link(url=self._href, words=" ".join("".join(self._words).split())))
            self._href = ""


def _links(text: str, html: str) -> tuple[Link, ...]:
    """Every address once, in the order of the page; those of the text part alone come last."""
    anchors = _Anchors()
    anchors.feed(html)
    found: dict[str, Link] = {}
    for link in (*anchors.found, *(Link(url=url, words="") for url in _URL.findall(text))):
        if link.url.startswith(("http://", "https://", "mailto:", "tel:")):
            found.setdefault(link.url, link)
    return tuple(found.values())
