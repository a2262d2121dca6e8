"""The steps of reading one mail, in order. Each keeps what it found even when a later one fails."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

from sentinel.inbound.reading import automatic, reports
from sentinel.inbound.reading.absence import back_on
from sentinel.inbound.reading.attachments import attachments_of
from sentinel.inbound.reading.headers import Headers, addresses, message_ids, one_line, sender
from sentinel.inbound.reading.language import language_of
from sentinel.inbound.reading.markup import flat_text, lines_of_markup
from sentinel.inbound.reading.mime import Body, Piece, bodies, leaves, parse, text_budget
from sentinel.inbound.reading.replies import lines_of_plain, words_of
from sentinel.inbound.reading.shapes import Complaint, Kind, Line, Notes, Ours, Part, Reading, Report
from sentinel.inbound.reading.tokens import find_tokens

_RECIPIENT_HEADERS = (
    "x-gm-original-to", "delivered-to", "envelope-to", "x-original-to", "x-forwarded-to", "to", "cc",
)  # fmt: skip
_MOST_REFERENCES, _MOST_RECIPIENTS = 50, 50
_ENCRYPTED = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")
_PREFIX = re.compile(
    r"\s*(?:re|aw|antw|sv|vs|r|res|rif|ref|odp|tr|rv|fw|fwd|wg|ynt|回复|答复|返信)\s?(?:\[\d+\])?\s?[:：]",
    re.IGNORECASE,
)
#: HTML that says much more than the text beside it is what people saw.
_POOR_TEXT = 0.2


class Reader:
    """One mail being read. Not for a second mail."""

    def __init__(self, *, envelope_from: str, envelope_to: str, ours: Ours, now: datetime) -> None:
        self.envelope_from = envelope_from.strip("<> ").lower()
        self.envelope_to = envelope_to.strip("<> ").lower()
        self.ours, self.now = ours, now
        self.notes = Notes()
        self.kind = Kind.HUMAN
        self.reasons: list[str] = []
        self.root = Piece(raw=b"", headers=Headers([]), start=0, end=0)
        self.message_id = self.subject = self.from_address = self.from_name = ""
        self.references: tuple[str, ...] = ()
        self.recipients: tuple[str, ...] = ()
        self.tokens: tuple[tuple[str, str], ...] = ()
        self.lines: list[Line] = []
        self.full_text = self.words = self.language = ""
        self.back_on: date | None = None
        self.reports: tuple[Report, ...] = ()
        self.complaint: Complaint | None = None
        self.attachments: tuple[Part, ...] = ()

    def read(self, raw: bytes) -> None:
        """All steps; a failing one makes the mail unreadable and does not stop the others."""
        self._step("parts", lambda: setattr(self, "root", parse(raw, self.notes)))
        self._step("headers", self._read_headers)
        self._step("text", self._read_text)
        self._step("words", self._read_words)
        self._step("kind", self._read_kind)
        self._step("attachments", self._read_attachments)

    def _step(self, name: str, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:
            self.kind = Kind.UNREADABLE
            self.reasons.append(f"reading its {name} failed: {type(error).__name__}")
            self.notes.add(f"reading the {name} failed")

    def reading(self) -> Reading:
        """What was found."""
        return Reading(
            kind=self.kind,
            reasons=tuple(self.reasons),
            message_id=self.message_id,
            references=self.references,
            from_address=self.from_address,
            from_name=self.from_name,
            subject=self.subject,
            recipients=self.recipients,
            link_tokens=self.tokens,
            words=self.words,
            full_text=self.full_text,
            language=self.language,
            back_on=self.back_on,
            reports=self.reports,
            complaint=self.complaint,
            attachments=self.attachments,
            defects=tuple(self.notes.defects),
            truncated=self.notes.truncated,
        )

    def _read_headers(self) -> None:
        headers = self.root.headers
        self.from_address, self.from_name = sender(headers.raw("from"))
        self.subject = headers.text("subject")[:1_000]
        self.message_id = next(iter(message_ids(headers.raw("message-id"))), "")
        answered = message_ids(headers.raw("in-reply-to"))
        earlier = message_ids(headers.raw("references"))
        self.references = tuple(dict.fromkeys(answered + earlier[::-1]))[:_MOST_REFERENCES]
        named = [
            address
            for name in _RECIPIENT_HEADERS
            for value in headers.all(name)[:10]
            for address in addresses(value)
        ]
        self.recipients = tuple(dict.fromkeys(filter(None, [self.envelope_to, *named])))[:_MOST_RECIPIENTS]
        for name in ("from", "subject", "message-id", "content-type"):
            if headers.count(name) > 1:
                self.notes.add(f"the header {name} comes more than once")

    def _read_text(self) -> None:
        texts: list[str] = []
        sources: list[str] = []
        spent = 0
        for body in bodies(self.root):
            lines, text, used = self._body(body, text_budget(spent), sources)
            spent += used
            if lines and self.lines:
                self.lines.append(Line(""))
            self.lines.extend(lines)
            texts.append(text)
        self.full_text = "\n\n".join(filter(None, (text.strip("\n") for text in texts)))
        self.tokens = find_tokens([*texts, *sources], self.ours)

    def _body(self, body: Body, budget: int, sources: list[str]) -> tuple[list[Line], str, int]:
        """The lines and the text of one body, and how much was decoded; HTML goes to ``sources`` too."""
        plain = body.plain.text(budget, self.notes) if body.plain else ""
        markup = body.markup.text(max(0, budget - len(plain)), self.notes) if body.markup else ""
        used = len(plain) + len(markup)
        if markup:
            sources.append(markup)
        if body.plain and plain.strip() and not (markup and self._is_poor(plain, markup)):
            parameters = body.plain.parameters
            is_flowed = parameters.get("format", "").lower() == "flowed"
            deletes = parameters.get("delsp", "").lower() == "yes"
            return lines_of_plain(plain, flowed=is_flowed, delete_space=deletes), plain, used
        lines = lines_of_markup(markup, self.notes) if markup else []
        return lines, flat_text(lines), used

    @staticmethod
    def _is_poor(plain: str, markup: str) -> bool:
        """Whether the text part is only a hint that the mail is HTML."""
        size = len(plain.strip())
        if size > 200:
            return False
        return size < _POOR_TEXT * len(flat_text(lines_of_markup(markup[:20_000], Notes())))

    def _read_words(self) -> None:
        self.words = words_of(self.lines, ours=self.ours, author=self.from_name, full_text=self.full_text)
        if not self.words and not self._answers():
            # Some people write into the subject and nowhere else.
            self.words = self.subject
        self.language = language_of(self.words)

    def _answers(self) -> bool:
        return bool(self.references) or _PREFIX.match(self.subject) is not None

    def _read_kind(self) -> None:
        """Reports in standard form first, then loops, then reports in words, then automatic replies."""
        kind, reasons = self._kind()
        if self.kind is not Kind.UNREADABLE:
            self.kind = kind
        self.reasons += reasons

    def _kind(self) -> tuple[Kind, list[str]]:
        if self._is_empty():
            return Kind.UNREADABLE, ["there is nothing in it that can be read"]
        if complaint := reports.complaint_of(self.root):
            self.complaint = complaint
            return Kind.COMPLAINT, ["somebody called our mail spam"]
        if found := reports.structured_reports(self.root):
            self.reports = reports.worst_first(found)
            return Kind.DELIVERY_REPORT, ["it is a delivery report"]
        if reason := automatic.loop_reason(self.root.headers, self.from_address, self.ours):
            return Kind.LOOP, [reason]
        return self._kind_by_signs()

    def _kind_by_signs(self) -> tuple[Kind, list[str]]:
        headers = self.root.headers
        null_sender = not self.envelope_from or headers.raw("return-path").strip() == "<>"
        if self._is_receipt():
            return Kind.AUTO_REPLY, ["it is a receipt"]
        by_machine = reports.is_from_machine(self.envelope_from, headers, self.from_address, self.from_name)
        report = reports.text_report(headers, self.subject, self.full_text, from_machine=by_machine)
        signs = (
            []
            if automatic.is_by_hand(headers)
            else automatic.automatic_reasons(
                headers, self.from_address, self.subject, self.words, null_sender=null_sender
            )
        )
        # An absence note may have a null sender and quote an error; a failure's subject or text decides.
        if report and not self._is_away(signs):
            self.reports = (report,)
            return Kind.DELIVERY_REPORT, ["a mail system says that it could not deliver"]
        back = back_on(self.words, self._sent_on())
        if not signs and not automatic.is_by_hand(headers):
            worded = automatic.says_automatic(self.words, back_is_known=back is not None)
            signs = [worded] if worded else []
        if signs:
            kind = automatic.kind_of_automatic(self.subject, self.words or self.full_text)
            self.back_on = back if kind is Kind.OUT_OF_OFFICE else None
            return kind, signs
        if self._is_encrypted():
            return Kind.UNREADABLE, ["it is encrypted"]
        return Kind.HUMAN, ["nothing says that a machine wrote it"]

    def _is_away(self, signs: list[str]) -> bool:
        return (
            bool(signs)
            and not reports.looks_failed(self.subject)
            and "x-failed-recipients" not in self.root.headers
            and (
                automatic.kind_of_automatic(self.subject, "") is Kind.OUT_OF_OFFICE
                or "automatic reply" in " ".join(signs)
            )
        )

    def _is_receipt(self) -> bool:
        kinds = [(self.root.content_type, self.root.parameters.get("report-type", "").lower())]
        kinds += [(child.content_type, "") for child in self.root.children]
        if any(automatic.is_receipt(kind, report, self.subject) for kind, report in kinds):
            return True
        return any(
            piece.content_type == "text/calendar" and piece.parameters.get("method", "").lower() == "reply"
            for piece in leaves(self.root)
        )

    def _is_empty(self) -> bool:
        """Neither a header that mails have nor text that people read."""
        if any(
            name in self.root.headers for name in ("from", "subject", "date", "message-id", "received", "to")
        ):
            return False
        text = self.full_text[:5_000]
        strange = sum(not (letter.isprintable() or letter.isspace()) for letter in text)
        return not text.strip() or strange > len(text) / 20

    def _is_encrypted(self) -> bool:
        return not self.words and any(
            piece.content_type in _ENCRYPTED and piece.parameters.get("smime-type", "") != "signed-data"
            for piece in (self.root, *self.root.children)
        )

    def _sent_on(self) -> date:
        """The day the note was written: its own date when that can be true."""
        try:
            sent = parsedate_to_datetime(self.root.headers.raw("date")[:100])
        except (ValueError, TypeError, IndexError, OverflowError):
            return self.now.date()
        sent = sent.replace(tzinfo=UTC) if sent.tzinfo is None else sent
        try:
            age = self.now - sent
        except OverflowError:
            return self.now.date()
        return sent.date() if timedelta(0) <= age <= timedelta(days=30) else self.now.date()

    def _read_attachments(self) -> None:
        if self.kind in (Kind.DELIVERY_REPORT, Kind.COMPLAINT):
            return
        readable = {id(piece) for body in bodies(self.root) for piece in (body.plain, body.markup) if piece}
        files = (
            piece
            for piece in leaves(self.root)
            if id(piece) not in readable and piece.main_type != "multipart"
        )
        self.attachments = attachments_of(files, self.notes)


def line_of(text: str) -> str:
    """One line for a list of mails."""
    return one_line(text)[:200]
