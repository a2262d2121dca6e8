"""From a claimed delivery to bytes: editions, links, envelope, signature."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.bulk.editions import Filler, can_carry, envelope_sender, values_for
from sentinel.bulk.errors import EditionError
from sentinel.channels.email.bulk.jobs import Job
from sentinel.channels.email.bulk.session import Session
from sentinel.channels.email.bulk.settings import Settings, Signing

if TYPE_CHECKING:
    from sentinel.channels.email.dkim import Signer

#: Fillers kept; one holds about the size of a mail.
MOST_EDITIONS = 500


class CannotBeWritten(ValueError):
    """This delivery can never become a mail on this connection. ``code`` is what a server would say."""

    def __init__(self, code: int, enhanced: str, why: str) -> None:
        super().__init__(why)
        self.code, self.enhanced = code, enhanced


@dataclass(slots=True)
class _Edition:
    filler: Filler
    sender: str


class Letters:
    """Fills mails. The same delivery gives the same bytes, in every process and at every time."""

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.secrets[0].encode()
        self._reply_domain = settings.reply_domain
        self._signer = _signer(settings.dkim) if settings.dkim else None
        self._editions: OrderedDict[int, _Edition | str] = OrderedDict()

    def missing(self, ids: set[int]) -> set[int]:
        """Editions that have to be loaded before their deliveries can be filled."""
        return ids - self._editions.keys()

    def learn(self, edition_id: int, *, sender: str, shared: dict[str, str], compiled: bytes) -> None:
        """Keep an edition; a damaged one is remembered as such, and its deliveries fail with its reason."""
        try:
            self._editions[edition_id] = _Edition(Filler(compiled, shared), sender)
        except EditionError as error:
            self._editions[edition_id] = str(error)

    def forget_old(self, needed: set[int]) -> None:
        """Keep no more than :data:`MOST_EDITIONS`, but all that are needed."""
        for edition_id in list(self._editions):
            if len(self._editions) <= MOST_EDITIONS:
                return
            if edition_id not in needed:
                del self._editions[edition_id]

    def write(self, job: Job, session: Session) -> None:
        """Set the job's content and envelope for this connection. Raises :class:`CannotBeWritten`."""
        edition = self._editions.get(job.edition_id, "its edition is gone")
        if isinstance(edition, str):
            raise CannotBeWritten(554, "5.6.0", edition)
        if not can_carry(job.address):
            raise CannotBeWritten(553, "5.1.3", "this is no address a mail server understands")
        values = values_for(
            delivery_id=job.id,
            check_in_id=job.check_in_id,
            worker_id=job.worker_id,
            name=job.name,
            address=job.address,
            issued_at=job.issued_at,
            secret=self._secret,
        )
        try:
            content = edition.filler.fill(values)
        except EditionError as error:
            raise CannotBeWritten(554, "5.6.0", str(error)) from error
        if self._signer is not None:
            content = self._signer.sign(content) + content
        if session.size_limit and len(content) > session.size_limit:
            raise CannotBeWritten(552, "5.3.4", f"the relay takes no more than {session.size_limit} bytes")
        sender = envelope_sender(values, sender=edition.sender, inbound_domain=self._reply_domain)
        size = f" SIZE={len(content)}" if session.size_limit else ""
        job.content = content
        job.envelope = f"MAIL FROM:<{sender}>{size}\r\nRCPT TO:<{job.address}>\r\nDATA\r\n".encode("ascii")


def _signer(signing: Signing) -> Signer:
    # why: the library behind it takes more memory than all of the sender, and most relays sign themselves
    from sentinel.channels.email.dkim import Signer

    return Signer(signing.key, signing.selector)
