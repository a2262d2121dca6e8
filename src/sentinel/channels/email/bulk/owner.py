"""What a session asks of whoever hands it mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sentinel.bulk.rules import Answer
from sentinel.channels.email.bulk.jobs import Job

if TYPE_CHECKING:
    from sentinel.channels.email.bulk.session import Session


class Owner(Protocol):
    """Whoever hands jobs to a session and hears what became of them."""

    def next_job(self, session: Session) -> Job | None:
        """The next mail for this connection, filled and with its envelope, or None for now."""

    def begin(self, session: Session, job: Job) -> None:
        """The server waits for the body: write it down, then call ``session.release(job)``."""

    def accepted(self, session: Session, job: Job, words: str) -> None:
        """The server took a job's body."""

    def answered(self, session: Session, job: Job, answer: Answer) -> None:
        """The server refused a job, for now or for good."""

    def returned(self, session: Session, job: Job) -> None:
        """The connection ended before the job's body left."""

    def unclear(self, session: Session, job: Job, why: str) -> None:
        """The connection ended while the body was on the wire."""

    def hungry(self, session: Session) -> None:
        """Nothing to do: ``session.start(job)`` wakes it."""

    def closed(self, session: Session, why: str) -> None:
        """The connection is gone."""
