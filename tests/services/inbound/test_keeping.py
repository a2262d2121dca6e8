"""Keeping mail: sealed, once, with a note to whoever reads; and forgetting its bytes in time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from sentinel.inbound.keeping import (
    ARRIVED,
    RAW_KEPT_FOR,
    Arrived,
    digest_of,
    forget_raw_mails,
    keep_mail,
    keep_mails,
)
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.sealing import CannotBeOpened, unseal
from sentinel.inbound.states import IncomingState

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
RAW = b"Subject: Re: printer\r\n\r\nStill broken.\r\n"
TO = "rm-token@in.sentinel.example"


def arrived(raw: bytes = RAW, to: str = TO) -> Arrived:
    return Arrived(raw=raw, envelope_from="olena@lindgren.example", envelope_to=to, source="lmtp")


def keep(raw: bytes = RAW, to: str = TO) -> tuple[int, bool]:
    return keep_mail(raw=raw, envelope_from="olena@lindgren.example", envelope_to=to, source="lmtp", now=NOW)


@pytest.mark.django_db
def test_a_kept_mail_waits_to_be_read_and_is_sealed() -> None:
    number, is_new = keep()
    row = IncomingMail.objects.get()
    assert (row.pk, is_new, row.state, row.next_at, row.attempts) == (number, True, "waiting", NOW, 0)
    assert (row.received_at, row.size, row.digest) == (NOW, len(RAW), digest_of(TO, RAW))
    assert (row.reasons, row.words, row.read_at, row.problem_id) == ([], "", None, None)
    assert b"broken" not in bytes(row.raw)
    assert unseal(bytes(row.raw), digest=row.digest) == RAW
    with pytest.raises(CannotBeOpened):
        unseal(bytes(row.raw), digest=digest_of(TO, b"another"))


@pytest.mark.django_db
def test_the_same_mail_is_one_row_for_each_recipient() -> None:
    first, _ = keep()
    assert keep() == (first, False)
    assert keep(to=TO.upper()) == (first, False)
    assert keep(to="rm-other@in.sentinel.example")[1]
    assert keep(raw=RAW + b"\r\n")[1]
    assert IncomingMail.objects.count() == 3


@pytest.mark.django_db
def test_many_are_kept_in_their_order_and_doubles_among_them_once() -> None:
    old, _ = keep(raw=b"old")
    mails = [arrived(b"a"), arrived(b"old"), arrived(b"b"), arrived(b"a"), arrived(b"")]
    kept = keep_mails(mails=mails, now=NOW)
    assert [row.is_new for row in kept] == [True, False, True, False, True]
    assert kept[1].id == old
    assert kept[3].id == kept[0].id
    assert kept[0].id < kept[2].id < kept[4].id
    rows = {row.pk: row for row in IncomingMail.objects.all()}
    assert [unseal(bytes(rows[k.id].raw), digest=rows[k.id].digest) for k in kept] == [m.raw for m in mails]
    assert keep_mails(mails=[], now=NOW) == []


@pytest.mark.django_db
def test_nothing_stays_when_the_caller_s_transaction_fails() -> None:
    with transaction.atomic():
        keep()
        transaction.set_rollback(True)
    assert not IncomingMail.objects.exists()


@pytest.mark.django_db
def test_bytes_that_no_text_can_hold_do_not_stand_in_the_way() -> None:
    keep_mail(raw=b"\0", envelope_from="a\0\udcff" + "x" * 400, envelope_to=TO, source="s" * 60, now=NOW)
    row = IncomingMail.objects.get()
    assert row.envelope_from.startswith("a��xx")
    assert (len(row.envelope_from), len(row.source)) == (320, 40)


@pytest.mark.django_db(transaction=True)
def test_whoever_reads_is_woken_only_by_what_is_new() -> None:
    connection.ensure_connection()
    raw = connection.connection
    raw.execute(f"LISTEN {ARRIVED}")
    try:
        keep()
        assert [note.channel for note in raw.notifies(timeout=20, stop_after=1)] == [ARRIVED]
        keep()
        assert list(raw.notifies(timeout=0.2)) == []
    finally:
        raw.execute(f"UNLISTEN {ARRIVED}")


@pytest.mark.django_db(transaction=True)
def test_the_same_mail_by_two_ways_at_the_same_time_is_one_row() -> None:
    found: list[tuple[int, bool]] = []
    start = threading.Barrier(4)

    def give() -> None:
        start.wait()
        found.append(keep())
        connection.close()

    threads = [threading.Thread(target=give) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len({number for number, _ in found}) == 1
    assert sorted(is_new for _, is_new in found) == [False, False, False, True]


@pytest.mark.django_db
def test_bytes_are_forgotten_in_time_but_not_what_was_understood() -> None:
    number, _ = keep()
    IncomingMail.objects.update(state=IncomingState.DONE.value, read_at=NOW, words="Still broken.")
    assert forget_raw_mails(NOW + RAW_KEPT_FOR) == 0
    assert forget_raw_mails(NOW + RAW_KEPT_FOR + timedelta(seconds=1)) == 1
    row = IncomingMail.objects.get()
    assert (bytes(row.raw), row.size, row.words) == (b"", len(RAW), "Still broken.")
    assert forget_raw_mails(NOW + 2 * RAW_KEPT_FOR) == 0
    # Given again years later, it is still the same mail.
    assert keep() == (number, False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "read_at", "settled_at"),
    [
        (IncomingState.WAITING, None, None),
        (IncomingState.PERSON, NOW, None),
        (IncomingState.DONE, NOW, NOW + timedelta(days=60)),
    ],
)
def test_bytes_that_somebody_still_needs_are_kept(
    state: IncomingState, read_at: datetime | None, settled_at: datetime | None
) -> None:
    keep()
    IncomingMail.objects.update(state=state.value, read_at=read_at, settled_at=settled_at)
    assert forget_raw_mails(NOW + RAW_KEPT_FOR + timedelta(days=30)) == 0
