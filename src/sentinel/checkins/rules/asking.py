"""Whether a worker may be asked right now, and every reason why not. Pure.

The same function answers at planning, again at the moment of sending, and on the screen that explains
why somebody was not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sentinel.accounts.rules import MailState, Rhythm


class WhyNot(StrEnum):
    """Why a worker is not asked; stored as the ``reason`` of a skipped check-in."""

    NO_PROGRAMME = "no_programme"
    ACCOUNT_INACTIVE = "account_inactive"
    NO_PERMISSION = "no_permission"
    LEFT = "left"
    UNSUBSCRIBED = "unsubscribed"
    PAUSED = "paused"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"
    COMPLAINT_BRAKE = "complaint_brake"
    OPEN_PROBLEM = "open_problem"
    AWAY = "away"
    FATIGUE = "fatigue"
    NO_SENDING_DAY = "no_sending_day"
    NOT_DELIVERED = "not_delivered"  # it was sent, and no mail server took it


_WORDS = {
    WhyNot.NO_PROGRAMME: "no programme is active",
    WhyNot.ACCOUNT_INACTIVE: "the account is not active",
    WhyNot.NO_PERMISSION: "no permission of the customer covers this site today",
    WhyNot.LEFT: "the worker has left",
    WhyNot.UNSUBSCRIBED: "the worker does not want to be asked",
    WhyNot.PAUSED: "the worker has paused",
    WhyNot.BOUNCED: "mail to this address came back",
    WhyNot.COMPLAINED: "the worker reported our mail as unwanted",
    WhyNot.SUPPRESSED: "the address or its domain is on the list of those we never write to",
    WhyNot.COMPLAINT_BRAKE: "too many at this account reported our mail as unwanted; nobody there is asked",
    WhyNot.OPEN_PROBLEM: "the worker has an open problem; it is followed up instead",
    WhyNot.AWAY: "the worker is away, as their own note says",
    WhyNot.FATIGUE: "the worker was written to less than a week ago",
    WhyNot.NO_SENDING_DAY: "the site has no day on which mail may be sent",
    WhyNot.NOT_DELIVERED: "the worker's mail server did not take the mail",
}


def words_of(reason: WhyNot) -> str:
    """The reason in plain English words."""
    return _WORDS[reason]


@dataclass(frozen=True, kw_only=True)
class AskingFacts:
    """What decides whether a worker may be asked. ``zone`` is the site's; instants in UTC.

    ``about_problem_id``: the open problem the check-in asks about, which therefore does not forbid it.
    ``mails_in_7_days``: mail of any kind but answers to the worker's own words. ``away_until``: the first
    day back. ``is_braked``: the account's check-ins stand still because of complaints.
    """

    zone: str
    has_programme: bool = True
    account_is_active: bool = True
    is_permitted: bool = True
    has_left: bool = False
    is_unsubscribed: bool = False
    rhythm: Rhythm = Rhythm.PROGRAMME
    paused_until: date | None = None
    away_until: date | None = None
    mail_state: MailState = MailState.GOOD
    is_suppressed: bool = False
    is_braked: bool = False
    has_open_problem: bool = False
    about_problem_id: int | None = None
    last_sent_at: datetime | None = None
    mails_in_7_days: int = 0
    minimum_days_between: int = 7
    mails_per_7_days: int = 2


def why_not_asked(facts: AskingFacts, now: datetime) -> tuple[WhyNot, ...]:
    """Every reason that forbids a check-in at ``now``, the weightiest first; empty when it may go."""
    found = {
        WhyNot.NO_PROGRAMME: not facts.has_programme,
        WhyNot.ACCOUNT_INACTIVE: not facts.account_is_active,
        WhyNot.NO_PERMISSION: not facts.is_permitted,
        WhyNot.LEFT: facts.has_left,
        WhyNot.UNSUBSCRIBED: facts.is_unsubscribed,
        WhyNot.PAUSED: _is_paused(facts, now),
        WhyNot.BOUNCED: facts.mail_state is MailState.BOUNCED,
        WhyNot.COMPLAINED: facts.mail_state is MailState.COMPLAINED,
        WhyNot.SUPPRESSED: facts.is_suppressed,
        WhyNot.COMPLAINT_BRAKE: facts.is_braked,
        WhyNot.OPEN_PROBLEM: facts.has_open_problem and facts.about_problem_id is None,
        WhyNot.AWAY: facts.away_until is not None and _day(now, facts.zone) < facts.away_until,
        WhyNot.FATIGUE: _is_tired(facts, now),
    }
    return tuple(reason for reason, holds in found.items() if holds)


def _is_paused(facts: AskingFacts, now: datetime) -> bool:
    if facts.paused_until is not None:
        return _day(now, facts.zone) < facts.paused_until
    return facts.rhythm is Rhythm.PAUSE


def _is_tired(facts: AskingFacts, now: datetime) -> bool:
    if facts.mails_in_7_days >= facts.mails_per_7_days:
        return True
    if facts.last_sent_at is None:
        return False
    # Days on the wall: a week has passed although the mail left a minute earlier in the day.
    passed = _day(now, facts.zone) - _day(facts.last_sent_at, facts.zone)
    return passed.days < facts.minimum_days_between


def _day(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()
