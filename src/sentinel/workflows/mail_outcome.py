"""What handling one incoming mail comes to, and the circumstances it is handled in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sentinel.inbound.meaning import Said
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.reading import Reading
from sentinel.inbound.rules import describe_files, kept_files, may_be_answered
from sentinel.inbound.services import Links
from sentinel.inbound.states import Outcome, ThreadKey
from sentinel.workflows.mail_thread import Thread


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of a mail. ``needs_person``: it waits in front of a person, with ``note`` as the reason."""

    outcome: Outcome
    note: str = ""
    needs_person: bool = False
    said: Said | None = None
    links: Links = field(default_factory=Links)


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A mail that was read: its row (locked), what it says, what it answers, its first bytes (``head``)."""

    mail: IncomingMail
    reading: Reading
    thread: Thread
    head: bytes
    now: datetime

    @property
    def words(self) -> str:
        """What was written anew, as it is stored."""
        return self.mail.words

    @property
    def language(self) -> str:
        """The language of the words, else the worker's."""
        worker = self.thread.worker
        return self.mail.language or (worker.spoken_language if worker else "")

    @property
    def is_own(self) -> bool:
        """Whether it came from the worker's own address."""
        return self.thread.is_from_worker(self.reading)

    @property
    def is_proven(self) -> bool:
        """Whether whoever wrote it had our mail in hand, or at least both its name and its address."""
        is_named = self.thread.key is ThreadKey.REFERENCES and self.is_own
        return self.thread.is_signed or is_named

    @property
    def may_be_answered(self) -> bool:
        """Whether a machine may answer it at all."""
        return may_be_answered(self.head, envelope_from=self.mail.envelope_from)

    @property
    def has_files(self) -> bool:
        """Whether something was attached on purpose."""
        return bool(kept_files(self.reading))

    @property
    def note(self) -> str:
        """What the notice about it says besides the words: attachments, and a foreign address."""
        files = describe_files((part.sniffed_type, part.refused) for part in kept_files(self.reading))
        parts = [f"With {files}" if files else ""]
        if self.thread.worker is not None and not self.is_own:
            parts.append(f"It came from {self.mail.from_address or 'an unnamed sender'}")
        return ". ".join(part for part in parts if part)

    def links(self, *, problem_id: int | None = None, response_id: int | None = None) -> Links:
        """What the mail belongs to."""
        thread = self.thread
        worker = thread.worker
        account_id = worker.site.account_id if worker else None
        if account_id is None and thread.message is not None:
            account_id = thread.message.account_id
        return Links(
            account_id=account_id,
            worker_id=worker.pk if worker else None,
            user_id=thread.user.pk if thread.user else None,
            check_in_id=thread.check_in_id,
            problem_id=problem_id or thread.problem_id,
            response_id=response_id,
        )

    def local_day(self) -> str:
        """Today at the worker's site, for keys that count once a day."""
        zone = self.thread.worker.site.zone if self.thread.worker else "UTC"
        return f"{self.now.astimezone(ZoneInfo(zone)):%Y%m%d}"
