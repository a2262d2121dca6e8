"""What must always hold, and what it means when it does not. Pure.

Each check looks at one kind of lateness or loss. :func:`judge` gets what the database shows at this
moment and says which faults there are; who is told and what is repaired is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Grade(StrEnum):
    """How bad a fault is."""

    ALARM = "alarm"  # somebody may wait in vain: now
    NOTE = "note"  # somebody must look, today


class Check(StrEnum):
    """What is looked at."""

    PROBLEM_WITHOUT_DUTY = "problem_without_duty"
    DUTY_WITHOUT_PROBLEM = "duty_without_problem"
    TIMER_LATE = "timer_late"
    DUTY_QUARANTINED = "duty_quarantined"
    MESSAGE_LATE = "message_late"
    LEASE_EXPIRED = "lease_expired"
    NOTICE_UNKNOWN = "notice_unknown"
    MAIL_UNREAD = "mail_unread"
    SENDER_SILENT = "sender_silent"
    SENDER_GONE = "sender_gone"
    EAR_SILENT = "ear_silent"
    ENGINE_SILENT = "engine_silent"
    CLOCK_STEPPED = "clock_stepped"
    CANARY_LATE = "canary_late"
    NOBODY_REACHABLE = "nobody_reachable"
    EXCHANGE_SILENT = "exchange_silent"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one check found in the database: how many, the oldest one's instant, and some of their ids."""

    check: Check
    count: int
    oldest: datetime | None = None
    ids: tuple[int, ...] = ()
    scope: str = ""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that must not be. ``key`` is its identity while it lasts; ``words`` are for people;
    ``is_told``: whether administrators get a notice of it."""

    key: str
    check: Check
    grade: Grade
    words: str
    what_to_do: str
    ids: tuple[int, ...] = ()
    late_seconds: int = 0
    is_told: bool = False


#: A timer or an alarm that is this late is a fault (the console's red bar says the same).
TIMER_PATIENCE = timedelta(seconds=60)
MESSAGE_PATIENCE = timedelta(minutes=2)
#: A lease runs out by itself; when nobody takes the message over for so long, no engine works there.
LEASE_PATIENCE = timedelta(seconds=60)
MAIL_PATIENCE = timedelta(minutes=2)
SENDER_PATIENCE = timedelta(minutes=2)
#: A mailbox is looked into every half minute, a listener is tried every few seconds.
EAR_PATIENCE = timedelta(seconds=90)
#: An exchange is asked each minute; one that is restarted is back before the third question.
EXCHANGE_PATIENCE = timedelta(minutes=3)
#: A decider with a big turn may take its time; timers that are late meanwhile are a fault of their own.
CYCLE_PATIENCE = timedelta(minutes=2)
CANARY_PATIENCE = timedelta(minutes=5)
#: The wall clock and a clock that only runs forward may drift apart by so much between two audits.
TOLERATED_STEP = timedelta(seconds=5)


@dataclass(frozen=True)
class _Law:
    """How one check is judged."""

    grade: Grade
    words: Callable[[Seen], str]
    what_to_do: str
    patience: timedelta = field(default=timedelta())
    is_told: bool = False  # an alarm always is


def _many(count: int, one: str, several: str) -> str:
    return f"1 {one}" if count == 1 else f"{count} {several}"


def _because(detail: str) -> str:
    return f" ({detail[:300]})" if detail else ""


_LAWS: dict[Check, _Law] = {
    Check.PROBLEM_WITHOUT_DUTY: _Law(
        Grade.ALARM,
        lambda seen: f"{_many(seen.count, 'open problem has', 'open problems have')} no duty",
        "A duty is set again by itself; find out who wrote to the database past Sentinel.",
    ),
    Check.DUTY_WITHOUT_PROBLEM: _Law(
        Grade.NOTE,
        lambda seen: f"{_many(seen.count, 'closed problem still has', 'closed problems still have')} a duty",
        "It is taken away by itself; find out who wrote to the database past Sentinel.",
    ),
    Check.TIMER_LATE: _Law(
        Grade.ALARM,
        lambda seen: f"{_many(seen.count, 'timer is', 'timers are')} late: escalations wait",
        "See that engines run and that the database answers: sentinel doctor.",
        TIMER_PATIENCE,
    ),
    Check.DUTY_QUARANTINED: _Law(
        Grade.ALARM,
        lambda seen: f"{_many(seen.count, 'duty was', 'duties were')} put aside because firing failed",
        "Act on these problems by hand; the reason stands on the team board.",
    ),
    Check.MESSAGE_LATE: _Law(
        Grade.ALARM,
        lambda seen: f"{_many(seen.count, 'message waits', 'messages wait')} on channel {seen.scope}",
        "See whether the provider of this channel answers: sentinel doctor.",
        MESSAGE_PATIENCE,
    ),
    Check.LEASE_EXPIRED: _Law(
        Grade.ALARM,
        lambda seen: (
            f"{_many(seen.count, 'message was', 'messages were')} claimed and never settled ({seen.scope})"
        ),
        "No engine takes them over: start one.",
        LEASE_PATIENCE,
    ),
    Check.NOTICE_UNKNOWN: _Law(
        Grade.NOTE,
        lambda seen: f"of {_many(seen.count, 'message', 'messages')} nobody knows whether it arrived",
        "Ask the recipients.",
    ),
    Check.MAIL_UNREAD: _Law(
        Grade.ALARM,
        lambda seen: f"{_many(seen.count, 'mail that came in was', 'mails that came in were')} not read yet",
        "See that an engine runs; its log says why a mail cannot be read.",
        MAIL_PATIENCE,
    ),
    Check.SENDER_SILENT: _Law(
        Grade.ALARM,
        lambda seen: f"{_many(seen.count, 'check-in is', 'check-ins are')} due and no sender works",
        "Start `sentinel sender`, or let the runs go on if somebody paused them.",
        SENDER_PATIENCE,
    ),
    Check.SENDER_GONE: _Law(
        Grade.NOTE,
        lambda _seen: "the sender of check-ins gives no sign of life; nothing is due yet",
        "Start `sentinel sender` before the next check-ins are due.",
        SENDER_PATIENCE,
    ),
    Check.EAR_SILENT: _Law(
        Grade.ALARM,
        lambda seen: f"the ear is dead: no mail comes in by the {seen.scope}{_because(seen.detail)}",
        "Start `sentinel inbound`, or see in its log why it cannot take mail.",
        EAR_PATIENCE,
    ),
    Check.ENGINE_SILENT: _Law(
        Grade.ALARM,
        lambda _seen: "an engine lives, but none finishes its cycles: nothing is decided",
        "Restart the engines; the log says which pass hung.",
        CYCLE_PATIENCE,
    ),
    Check.CLOCK_STEPPED: _Law(
        Grade.NOTE,
        lambda seen: f"the clock jumped by {seen.detail}",
        "Use NTP on this machine and on the database's.",
    ),
    Check.CANARY_LATE: _Law(
        Grade.ALARM,
        lambda seen: f"the test message sent {seen.scope} has not arrived",
        "Follow it in the outbox: the last error stands there.",
        CANARY_PATIENCE,
    ),
    # No alarm: everybody can dial themselves, and the call brief tells them to.
    Check.EXCHANGE_SILENT: _Law(
        Grade.NOTE,
        lambda seen: f"no calls can be placed: {seen.detail[:400]}",
        "See that the exchange or voice service is up, reachable from the engine, and takes the account:"
        " sentinel doctor calls. Until then the call brief asks people to dial themselves.",
        EXCHANGE_PATIENCE,
        is_told=True,
    ),
    # No alarm: their notices go to the next person meanwhile, and a watchman outside must not be told that
    # Sentinel is down because somebody switched their e-mail off.
    Check.NOBODY_REACHABLE: _Law(
        Grade.NOTE,
        lambda seen: f"{seen.detail[:400].rstrip('.') or 'somebody cannot be reached'}",
        "They repair a way on their profile, or you correct their address in the back office. Until then the"
        " next person hears what is urgent in their place.",
        is_told=True,
    ),
}


def judge(seen: Iterable[Seen], now: datetime) -> list[Fault]:
    """The faults among what was seen: too many, or too late. Alarms first."""
    faults = [fault for one in seen if (fault := _judge_one(one, now)) is not None]
    return sorted(faults, key=lambda fault: (fault.grade is not Grade.ALARM, fault.key))


def _judge_one(seen: Seen, now: datetime) -> Fault | None:
    law = _LAWS[seen.check]
    late = now - seen.oldest if seen.oldest is not None else None
    if seen.count == 0 or (law.patience and (late is None or late <= law.patience)):
        return None
    return Fault(
        key=f"{seen.check.value}:{seen.scope}" if seen.scope else seen.check.value,
        check=seen.check,
        grade=law.grade,
        words=law.words(seen),
        what_to_do=law.what_to_do,
        ids=seen.ids,
        late_seconds=max(0, int(late.total_seconds())) if late is not None else 0,
        is_told=law.is_told or law.grade is Grade.ALARM,
    )


def step_of_clock(*, wall_elapsed: timedelta, steady_elapsed: timedelta) -> timedelta | None:
    """How far the wall clock jumped between two looks, None when it ran like a clock."""
    step = wall_elapsed - steady_elapsed
    return step if abs(step) > TOLERATED_STEP else None


def may_ping(faults: Iterable[Fault]) -> bool:
    """Whether the outside may be told that all is well: no alarm, and nothing but notes."""
    return all(fault.grade is not Grade.ALARM for fault in faults)
