"""Putting check-ins on their way: a run per programme and day, its templates and editions, its deliveries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from django.db import connection

from sentinel.bulk.editions import verify
from sentinel.bulk.errors import EditionError
from sentinel.bulk.models import Edition, Run, Template
from sentinel.bulk.states import DeliveryState

#: So many rows go to the server in one COPY.
CHUNK = 20_000


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One recipient's mail, composed by the builder of single mails: what a template is held against."""

    shared: Mapping[str, str]
    values: Mapping[str, str]
    composed: bytes


@dataclass(frozen=True, kw_only=True)
class NewEdition:
    """What a group of deliveries has in common; ``sender`` is the From address in ASCII."""

    template_id: int
    sender: str
    shared: Mapping[str, str]

    @property
    def key(self) -> str:
        """Equal editions of a run are one."""
        words = json.dumps([self.template_id, self.sender, self.shared], sort_keys=True)
        return hashlib.sha256(words.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class NewDelivery:
    """One delivery to launch; see :class:`~sentinel.bulk.models.Delivery` for the columns.

    With ``reason`` it is recorded as skipped and needs no edition. ``name`` is one line, ``address`` the
    bare address with its domain in ASCII.
    """

    run_id: int
    edition_id: int | None
    check_in_id: int
    worker_id: int
    account_id: int
    name: str
    address: str
    reason: str = ""


def ensure_run(*, programme_id: int, day: date, name: str, now: datetime) -> Run:
    """The programme's run of a day, created when it is the first time that anything leaves on that day."""
    Run.objects.bulk_create(
        [Run(programme_id=programme_id, day=day, name=name[:160], created_at=now)], ignore_conflicts=True
    )
    return Run.objects.get(programme_id=programme_id, day=day)


def store_template(*, language: str, compiled: bytes, proofs: Sequence[Proof], now: datetime) -> int:
    """The id of a template, stored only after it was filled and read back once per proof.

    Raises :class:`~sentinel.bulk.errors.EditionDiffers` when it says anything else than the proofs, and
    EditionError without proofs. One that is stored already was verified then.
    """
    key = hashlib.sha256(compiled).hexdigest()
    known: int | None = Template.objects.filter(key=key).values_list("pk", flat=True).first()
    if known is not None:
        return known
    if not proofs:
        raise EditionError("a template without proof is not stored")
    for proof in proofs:
        verify(compiled, shared=proof.shared, values=proof.values, composed=proof.composed)
    Template.objects.bulk_create(
        [Template(key=key, language=language[:5], compiled=compiled, created_at=now)], ignore_conflicts=True
    )
    return Template.objects.values_list("pk", flat=True).get(key=key)


def ensure_editions(*, run_id: int, editions: Collection[NewEdition]) -> dict[str, int]:
    """The ids of editions of a run by their key, created where they are new; three queries at most."""
    wanted = {edition.key: edition for edition in editions}
    rows = Edition.objects.filter(run=run_id, key__in=wanted)
    found = dict(rows.values_list("key", "pk"))
    missing = [
        Edition(
            run_id=run_id,
            template_id=edition.template_id,
            key=key,
            sender=edition.sender,
            shared=dict(edition.shared),
        )
        for key, edition in wanted.items()
        if key not in found
    ]
    if missing:
        Edition.objects.bulk_create(missing, ignore_conflicts=True)
        found = dict(rows.values_list("key", "pk"))
    return found


_COLUMNS = (
    "run_id", "edition_id", "check_in_id", "worker_id", "account_id", "name", "address", "domain", "state",
    "reason",
)  # fmt: skip
# Lives as long as the connection, is empty after every commit: no catalogue entry per launch.
_LANDING = """
CREATE TEMPORARY TABLE IF NOT EXISTS bulk_landing (
    run_id bigint, edition_id bigint, check_in_id bigint, worker_id bigint, account_id bigint, name text,
    address text, domain text, state text, reason text) ON COMMIT DELETE ROWS
"""
_TAKE_OFF = """
WITH launched AS (
    INSERT INTO bulk_delivery (run_id, edition_id, check_in_id, worker_id, account_id, name, address, domain,
        issued_at, state, next_at, attempts, settled_at, relay, enhanced, answer, reason)
    SELECT run_id, edition_id, check_in_id, worker_id, account_id, name, address, domain,
        %(now)s, state, %(now)s, 0, CASE WHEN state = 'skipped' THEN %(now)s::timestamptz END, '', '', '',
        reason
    FROM bulk_landing
    ON CONFLICT (check_in_id) DO NOTHING
    RETURNING run_id, state)
SELECT run_id, count(*), count(*) FILTER (WHERE state = 'skipped') FROM launched GROUP BY run_id
"""


def launch(rows: Iterable[NewDelivery], *, now: datetime) -> int:
    """Put deliveries on their way, or record why they are not; returns how many are new.

    A check-in that has a delivery already is left alone, so launching twice launches once. ``now``
    becomes the mails' Date. Must run inside the transaction that decides the check-ins; any number of
    rows, streamed.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("launch() must run inside the transaction that decides the check-ins")
    counted: dict[int, tuple[int, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LANDING)
        for chunk in _chunks(rows):
            cursor.execute("DELETE FROM bulk_landing")
            with cursor.copy(f"COPY bulk_landing ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
                for row in chunk:
                    copy.write_row(row)
            cursor.execute(_TAKE_OFF, {"now": now})
            for run_id, new, skipped in cursor.fetchall():
                before = counted.get(run_id, (0, 0))
                counted[run_id] = (before[0] + new, before[1] + skipped)
        # Last, and in order: the sender counts on the same rows and must not wait for the launch.
        for run_id, (new, skipped) in sorted(counted.items()):
            cursor.execute(
                "UPDATE bulk_run SET total = total + %s, skipped = skipped + %s WHERE id = %s",
                [new, skipped, run_id],
            )
    return sum(new for new, _ in counted.values())


def _chunks(rows: Iterable[NewDelivery]) -> Iterator[list[tuple[Any, ...]]]:
    left = iter(rows)
    while chunk := [_landing(row) for row in islice(left, CHUNK)]:
        yield chunk


def _landing(row: NewDelivery) -> tuple[Any, ...]:
    state = DeliveryState.SKIPPED if row.reason else DeliveryState.PENDING
    if row.edition_id is None and not row.reason:
        raise EditionError(f"check-in {row.check_in_id} has neither an edition nor a reason to be skipped")
    return (
        row.run_id, row.edition_id, row.check_in_id, row.worker_id, row.account_id, row.name[:200],
        row.address[:320], row.address.rpartition("@")[2].lower()[:255], state.value, row.reason[:60],
    )  # fmt: skip
