"""The one door through which every incoming mail goes, whichever way it came: kept first, read later.

A mail is accepted only when it is in the database, so that nothing that was accepted can be lost; and the
same mail given twice for one recipient is one row, because every way in may give it again after an
unclear end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
from django.db import connection, transaction

from sentinel.inbound.models import IncomingMail
from sentinel.inbound.sealing import seal
from sentinel.inbound.states import IncomingState

#: PostgreSQL channel that wakes whoever reads; a hint, never the carrier.
ARRIVED = "sentinel_inbound"
#: The largest mail that is kept whole, in bytes.
LARGEST = 30 * 1024 * 1024
#: How long the bytes of a mail stay after it was read and settled; what was understood stays.
RAW_KEPT_FOR = timedelta(days=90)
_LONGEST_ADDRESS = 320
_FORGET_AT_ONCE = 1000


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A mail as it came, for one recipient. ``envelope_from`` is empty for a mail system's own reports.

    ``source`` names the way in: smtp, lmtp, imap, or a provider's name (at most 40 characters).
    """

    raw: bytes
    envelope_from: str
    envelope_to: str
    source: str


class Kept(NamedTuple):
    """The row of a mail; ``is_new`` is False when it had been given before."""

    id: int
    is_new: bool


def keep_mail(*, raw: bytes, envelope_from: str, envelope_to: str, source: str, now: datetime) -> Kept:
    """Keep one mail in one transaction (or in the caller's); whoever reads is woken by its commit."""
    arrived = Arrived(raw=raw, envelope_from=envelope_from, envelope_to=envelope_to, source=source)
    return keep_mails(mails=[arrived], now=now)[0]


# One statement however many mails: a commit waits for the disk once for all of them.
_KEEP = """
INSERT INTO inbound_incomingmail
    (received_at, source, envelope_from, envelope_to, digest, size, raw, state, next_at, attempts,
     last_error, kind, reasons, thread, from_address, from_name, subject, message_id, words, full_text,
     language, said, outcome, outcome_note)
SELECT %(now)s, new.source, new.sender, new.recipient, new.digest, new.size, new.raw, %(state)s, %(now)s, 0,
       '', '', '[]', '', '', '', '', '', '', '', '', '', '', ''
FROM unnest(%(sources)s::text[], %(senders)s::text[], %(recipients)s::text[], %(digests)s::text[],
            %(sizes)s::int[], %(raws)b::bytea[])
     WITH ORDINALITY AS new (source, sender, recipient, digest, size, raw, place)
ORDER BY new.place
ON CONFLICT (digest) DO NOTHING
RETURNING digest, id
"""


def keep_mails(*, mails: Sequence[Arrived], now: datetime) -> list[Kept]:
    """Keep many mails in one transaction (or in the caller's): all of them, or none and an error.

    Returns one :class:`Kept` for each, in the same order.
    """
    if not mails:
        return []
    recipients = [_storable(mail.envelope_to).strip().lower() for mail in mails]
    digests = [digest_of(to, mail.raw) for to, mail in zip(recipients, mails, strict=True)]
    values = {
        "now": now,
        "state": IncomingState.WAITING.value,
        "sources": [mail.source[:40] for mail in mails],
        "senders": [_storable(mail.envelope_from) for mail in mails],
        "recipients": recipients,
        "digests": digests,
        "sizes": [len(mail.raw) for mail in mails],
        "raws": [seal(mail.raw, digest=digest) for mail, digest in zip(mails, digests, strict=True)],
    }
    with transaction.atomic(), connection.wrap_database_errors, _cursor() as cursor:
        new = dict(cursor.execute(_KEEP, values).fetchall())
        if new:
            cursor.execute("SELECT pg_notify(%s, '')", [ARRIVED])
        known = dict(_ids_of(cursor, [digest for digest in digests if digest not in new]))
    kept = []
    for digest in digests:
        kept.append(Kept(known.get(digest) or new[digest], digest in new and digest not in known))
        known.setdefault(digest, kept[-1].id)  # the same mail twice in one batch is new only once
    return kept


def _cursor() -> psycopg.Cursor[tuple[str, int]]:
    """Not Django's: that one would write every mail into the statement as text, twice its size."""
    return psycopg.Cursor(connection.connection)


def _ids_of(cursor: psycopg.Cursor[tuple[str, int]], digests: list[str]) -> list[tuple[str, int]]:
    if not digests:
        return []
    return cursor.execute(
        "SELECT digest, id FROM inbound_incomingmail WHERE digest = ANY(%s)", [digests]
    ).fetchall()


def digest_of(envelope_to: str, raw: bytes) -> str:
    """The identity of a mail for one recipient; also what its sealed bytes are bound to."""
    return hashlib.sha256(envelope_to.encode() + b"\0" + raw).hexdigest()


def _storable(address: str) -> str:
    """The address as PostgreSQL can hold it: strangers send bytes that are no text."""
    text = address.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return text.replace("\0", "�")[:_LONGEST_ADDRESS]


def forget_raw_mails(now: datetime) -> int:
    """Empty the bytes of mails that were read and settled :data:`RAW_KEPT_FOR` ago; returns how many.

    A mail that waits for a person is kept until somebody has settled it. At most a thousand at once;
    call again while it returns something.
    """
    cutoff = now - RAW_KEPT_FOR
    old = (
        IncomingMail.objects.exclude(raw=b"")
        .filter(state=IncomingState.DONE.value, received_at__lt=cutoff, read_at__lt=cutoff)
        .exclude(settled_at__gte=cutoff)
        .order_by("received_at")
        .values("pk")[:_FORGET_AT_ONCE]
    )
    return IncomingMail.objects.filter(pk__in=old).update(raw=b"")
