"""Fills the demonstration once: decides its present, enters the cast, plays the history up to it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.apps import apps
from django.db import connection, transaction

from sentinel.accounts.models import Account
from sentinel.accounts.services import repair_address
from sentinel.channels import registry
from sentinel.channels.console.sender import ConsoleSender
from sentinel.demonstration.selectors import demonstration, forget_clock_offset
from sentinel.demonstration.services import (
    begin_filling,
    finish_filling,
    refuse_outside_demonstration,
    set_clock_offset,
)
from sentinel.engine.selectors import running_engines
from sentinel.kernel import clock
from sentinel.kernel.clock import FixedClock
from sentinel.kernel.errors import Conflict, Refused
from sentinel.ops.demo.cast import CUSTOMERS
from sentinel.ops.demo.player import Interrupted, MailRoom, Player
from sentinel.ops.demo.post import last_post
from sentinel.ops.demo.scenes import (
    ASKED_WEEKLY_FOR,
    CLOSED_MAILBOXES,
    NEWCOMERS_WORKERS,
    REPAIRED,
    Scenes,
    reserved,
)
from sentinel.ops.demo.staff import Staff
from sentinel.ops.demo.stage import Stage, enter_customer, enter_provider
from sentinel.ops.demo.workers import Workers
from sentinel.outbox.services import mark_read
from sentinel.people.models import User
from sentinel.people.selectors import calendar_of
from sentinel.people.services import set_absence
from sentinel.problems.models import Problem

SEED = 1
#: The filling may take this long without the fast clock falling behind the real one.
ALLOWANCE = timedelta(seconds=90)
#: A heartbeat older than this belongs to an engine that no longer runs.
ALIVE_WITHIN = timedelta(seconds=15)
#: Serialises fillings; any number will do as long as everybody takes the same one.
FILLING_LOCK = 7_362_002
ROTA_AHEAD = timedelta(days=28)
DAY = timedelta(days=1)

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is played."""

    weeks: int = 15
    workers_per_place: int = 99


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What the filling came to."""

    problems: int
    mails: int
    stops: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.problems} problems and {self.mails} mails, played in {self.seconds:.0f} s "
            f"at {self.stops} moments"
        )


def is_filled() -> bool:
    """Whether the demonstration is complete."""
    found = demonstration()
    return found is not None and found.filled_at is not None


def fill(
    *,
    say: Say,
    should_stop: Callable[[], bool],
    scale: Scale | None = None,
    seed: int = SEED,
    present: datetime | None = None,
) -> Filled | None:
    """Fill an empty demonstration, or redo an interrupted filling; None when it is filled already.

    ``present``: where the history ends; by default the next good moment to look at it. Refuses outside
    demonstration mode, and when there is data that the demonstration did not make.
    """
    refuse_outside_demonstration()
    with _alone():
        if is_filled():
            return None
        if demonstration() is None and (Account.objects.exists() or User.objects.exists()):
            raise Refused(
                "demonstration_not_ours",
                "There are users or accounts already; `sentinel demo reset` would remove them.",
            )
        return _fill(say, should_stop, scale or Scale(), seed, present)


def fill_at_first_start(say: Say, should_stop: Callable[[], bool]) -> bool:
    """For `sentinel up`: fill a demonstration that nobody has filled or used. False when interrupted."""
    if demonstration() is None and (Account.objects.exists() or User.objects.exists()):
        return True
    try:
        filled = fill(say=say, should_stop=should_stop)
    except Interrupted:
        say("stopped; the demonstration will be played from its start next time")
        return False
    if filled is not None:
        say(str(filled))
    return True


def reset(
    *, say: Say, should_stop: Callable[[], bool], scale: Scale | None = None, seed: int = SEED
) -> Filled:
    """Forget everything in the demonstration and fill it anew. Refuses while an engine is at work."""
    refuse_outside_demonstration()
    if any(engine.beat_at > clock.now() - ALIVE_WITHIN for engine in running_engines()):
        raise Refused(
            "demonstration_running", "Stop `sentinel up` first; its engine is at work on this data."
        )
    with _alone():
        return _fill(say, should_stop, scale or Scale(), seed, None)


def good_present(earliest: datetime, stage: Stage) -> datetime:
    """The first moment from ``earliest`` on at which the main owner is well into her working day.

    At night and on weekends nobody owes anything at once; then the demonstration's clock is set forward
    to the next morning, so that a newcomer sees a day at work whenever they start.
    """
    calendar = calendar_of(stage.users["maria.behrens"])
    day = calendar.localdate(earliest)
    while True:
        opens, closes = calendar.start_of_day(day), calendar.end_of_day(day)
        if opens is not None and closes is not None:
            moment = max(earliest, opens + timedelta(minutes=75))
            if moment <= closes - timedelta(hours=2):
                return moment
        day += DAY


def _fill(
    say: Say, should_stop: Callable[[], bool], scale: Scale, seed: int, present: datetime | None
) -> Filled:
    started = time.monotonic()
    real_now = datetime.now(UTC)
    earliest = present or real_now.replace(microsecond=0) + ALLOWANCE
    start = (earliest - scale.weeks * 7 * DAY).replace(hour=6, minute=0, second=0, microsecond=0)
    _forget_everything(seed=seed, present=earliest, real_now=real_now)
    say(f"playing {scale.weeks} weeks of an invented provider, once; this takes about half a minute")
    room = MailRoom()
    with (
        clock.using(FixedClock(start)) as fixed,
        registry.using({"email": room, "console": ConsoleSender()}),
        _quick_commits(),
        _hushed(),
    ):
        stage = enter_provider(now=start, rota_until=(earliest + ROTA_AHEAD).date())
        present = present or good_present(earliest, stage)
        player = Player(fixed, until=present, should_stop=should_stop)
        _rehearse(player, stage, room, scale=scale, seed=seed, start=start, present=present)
        _play(player, say, weeks=scale.weeks, present=present)
    set_clock_offset(offset=max(timedelta(), present - datetime.now(UTC)))
    begin_filling(seed=seed, present=present, real_now=real_now)
    finish_filling(real_now=datetime.now(UTC))
    return Filled(
        problems=Problem.objects.count(),
        mails=room.count,
        stops=player.stops,
        seconds=time.monotonic() - started,
    )


@contextmanager
def _hushed() -> Iterator[None]:
    """Without a line about each of a thousand messages: they bury the address that a newcomer waits for."""
    logger = logging.getLogger("sentinel")
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


def _rehearse(
    player: Player,
    stage: Stage,
    room: MailRoom,
    *,
    scale: Scale,
    seed: int,
    start: datetime,
    present: datetime,
) -> None:
    """Put everything on the agenda that is known beforehand."""
    staff = Staff(player, seed=seed)
    workers = Workers(player, staff, seed=seed, reserved=reserved(), silent=NEWCOMERS_WORKERS)
    room.readers.append(workers.read)
    for customer in CUSTOMERS:
        joins = start + min(customer.joins_after_days, scale.weeks) * DAY

        def enter(customer=customer) -> None:  # type: ignore[no-untyped-def]
            enter_customer(stage, customer, workers_per_place=scale.workers_per_place, now=player.now)
            for mailbox, days in CLOSED_MAILBOXES.items():
                worker = stage.worker(mailbox)
                if worker is not None:
                    room.dead_addresses[worker.email] = present - days * DAY

        player.at(joins, enter)
    scenes = Scenes(player, stage, workers, present=present)
    arrange_at = start + 3 * scale.weeks * DAY
    player.at(arrange_at, lambda: _ignore(scenes.arrange(since=arrange_at)))
    player.at(present - 82 * DAY, lambda: _repair(stage, room, player))
    player.at(present - 45 * DAY, lambda: _holiday(stage, player))
    # A shorter history has entered everybody by then, and asks new workers weekly anyhow.
    asks = max(present - ASKED_WEEKLY_FOR * DAY, start + DAY)
    player.at(asks, lambda: _ask_weekly(stage, workers))
    player.at(present - 20 * timedelta(hours=1), lambda: _read_notices(stage, player))
    player.at(present - 26 * timedelta(hours=1), lambda: last_post(player.now, reserved=reserved()))


def _ignore(_result: object) -> None:
    """An agenda's entry returns nothing."""


def _repair(stage: Stage, room: MailRoom, player: Player) -> None:
    worker = stage.worker(REPAIRED)
    if worker is not None and worker.email in room.dead_addresses:
        del room.dead_addresses[worker.email]
        address = worker.email.replace("@", ".2@")
        repair_address(worker_id=worker.pk, email=address, user=worker.site.account.owner, now=player.now)


def _ask_weekly(stage: Stage, workers: Workers) -> None:
    for mailbox in NEWCOMERS_WORKERS:
        worker = stage.worker(mailbox)
        if worker is not None:
            workers.ask_weekly(worker)


def _holiday(stage: Stage, player: Player) -> None:
    """Maria is away for a few days; Tom stands in."""
    set_absence(
        user_id=stage.users["maria.behrens"].pk,
        starts_at=player.now + DAY,
        ends_at=player.now + 6 * DAY,
        deputy_id=stage.users["tom.albrecht"].pk,
        reason="Holiday",
        actor=stage.users["maria.behrens"],
        now=player.now,
    )


def _read_notices(stage: Stage, player: Player) -> None:
    """People read their notices; only those of the last day are new."""
    for user in stage.users.values():
        mark_read(user_id=user.pk, now=player.now)


def _play(player: Player, say: Say, *, weeks: int, present: datetime) -> None:
    for left in range(weeks - 1, -1, -1):
        player.run(present - left * 7 * DAY)
        if left % 3 == 0:
            say(f"week {weeks - left} of {weeks} played: {Problem.objects.count()} problems so far")


@contextmanager
def _alone() -> Iterator[None]:
    """Two fillings at once would make one mess; the second is refused."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [FILLING_LOCK])
        if not cursor.fetchone()[0]:
            raise Conflict("demonstration_filling", "Somebody else is filling the demonstration right now.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [FILLING_LOCK])


@contextmanager
def _quick_commits() -> Iterator[None]:
    """Commits need not wait for the disk: an interrupted filling is thrown away anyhow. The commit that
    finishes it waits, and with it everything before."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET synchronous_commit")


def _forget_everything(*, seed: int, present: datetime, real_now: datetime) -> None:
    """Empty every table of ours and mark the filling as begun, together.

    The timeline refuses to forget single events, as it must; an invented past is dropped whole.
    """
    tables = [
        connection.ops.quote_name(model._meta.db_table)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and model._meta.app_label not in ("contenttypes", "auth")
    ]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
        forget_clock_offset()
        set_clock_offset(offset=timedelta())
        begin_filling(seed=seed, present=present, real_now=real_now)
