"""The problem's states and which act leads from where to where. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class ProblemState(StrEnum):
    """States of a problem, in the order of the story."""

    REPORTED = "reported"  # the worker said so; nobody has taken it yet
    ACKNOWLEDGED = "acknowledged"  # somebody has it
    IN_CONTACT = "in_contact"  # somebody talked with the worker
    COMMITTED = "committed"  # the worker was promised a date
    PROPOSED = "proposed"  # a user says it is solved; the worker was asked ("unconfirmed")
    REOPENED = "reopened"  # the worker said no
    CONFIRMED = "confirmed"  # the worker said yes: the only happy end
    ENDED = "ended"  # over without the worker's yes; never counted as solved


OPEN_STATES = tuple(s for s in ProblemState if s not in (ProblemState.CONFIRMED, ProblemState.ENDED))

_S = ProblemState
#: Every allowed change of state. Whatever is not here is refused.
TRANSITIONS: dict[ProblemState, frozenset[ProblemState]] = {
    _S.REPORTED: frozenset({_S.ACKNOWLEDGED, _S.IN_CONTACT, _S.ENDED}),
    _S.ACKNOWLEDGED: frozenset({_S.IN_CONTACT, _S.ENDED}),
    _S.IN_CONTACT: frozenset({_S.COMMITTED, _S.PROPOSED, _S.ENDED}),
    _S.COMMITTED: frozenset({_S.COMMITTED, _S.PROPOSED, _S.ENDED}),
    _S.PROPOSED: frozenset({_S.CONFIRMED, _S.REOPENED, _S.ENDED}),
    _S.REOPENED: frozenset({_S.IN_CONTACT, _S.COMMITTED, _S.PROPOSED, _S.ENDED}),
    # Only the worker leads out of an end: an objection, or "it came back".
    _S.CONFIRMED: frozenset({_S.REOPENED}),
    _S.ENDED: frozenset({_S.REOPENED}),
}


class CallOutcome(StrEnum):
    """What came of a call."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    CALL_BACK = "call_back"  # the worker asked to be called at ``call_back_at``
    WRONG_NUMBER = "wrong_number"


class Verdict(StrEnum):
    """The worker's answer to a proposal."""

    YES = "yes"
    NO = "no"


class How(StrEnum):
    """How a verdict reached us."""

    LINK = "link"  # the worker's own verified press
    REPLY = "reply"  # the worker's own unmistakable mail
    TELEPHONE = "telephone"  # said on the telephone, recorded by a user, open to objection


class EndReason(StrEnum):
    """Why a problem may end without the worker's yes."""

    LEFT = "left"  # the worker left the customer
    UNREACHABLE = "unreachable"
    WITHDREW = "withdrew"  # the worker took it back


#: What must be on record before a problem may be ended: attempts to call, mails to the worker.
CALLS_BEFORE_END = 2
MAILS_BEFORE_END = 2
#: "No" by mail link at most so often a day on one problem; later ones join as words.
REOPENINGS_A_DAY = 3

#: Reports of one site that follow each other within this time are one storm …
STORM_WITHIN = timedelta(minutes=10)
#: … when there are at least so many.
FEWEST_IN_STORM = 3


def storm_around(reports: Sequence[tuple[int, datetime]], *, about: int) -> tuple[int, ...]:
    """The ids of the reports of one site that belong to the same storm as ``about``, in order of time.

    ``reports``: (id, when) of the site. A gap longer than :data:`STORM_WITHIN` ends a storm. The result may
    be too few to be called one; it always holds ``about`` itself.
    """
    found: list[int] = []
    last: datetime | None = None
    for pk, at in sorted(reports, key=lambda report: (report[1], report[0])):
        if last is not None and at - last > STORM_WITHIN:
            if about in found:
                break
            found = []
        found.append(pk)
        last = at
    return tuple(found)


def may_change(*, state: ProblemState, to: ProblemState) -> bool:
    """Whether the table allows this change."""
    return to in TRANSITIONS[state]


@dataclass(frozen=True, kw_only=True)
class EndFacts:
    """What is on record when a manager wants to end a problem."""

    is_manager: bool
    has_reason: bool
    call_attempts: int
    mails_sent: int


def why_not_end(facts: EndFacts) -> tuple[str, ...]:
    """Everything that still forbids the end; empty when allowed."""
    missing = []
    if not facts.is_manager:
        missing.append("only a manager may end a problem")
    if not facts.has_reason:
        missing.append("the end needs a reason")
    if facts.call_attempts < CALLS_BEFORE_END:
        missing.append(f"{facts.call_attempts} of {CALLS_BEFORE_END} call attempts are on record")
    if facts.mails_sent < MAILS_BEFORE_END:
        missing.append(f"{facts.mails_sent} of {MAILS_BEFORE_END} mails to the worker are on record")
    return tuple(missing)
