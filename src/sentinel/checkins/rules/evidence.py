"""How sure we are that a human answered: GET never counts, a press counts by its evidence. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Face(StrEnum):
    """The two faces of the mail."""

    HAPPY = "happy"
    FROWN = "frown"


class ResponseKind(StrEnum):
    """What the worker wanted to say."""

    PROBLEM = "problem"
    COMMENT = "comment"
    SUGGESTION = "suggestion"
    PRAISE = "praise"
    NOTHING = "nothing"  # a happy face and no words


class Severity(StrEnum):
    """How bad it is, in the worker's eyes."""

    ANNOYING = "annoying"
    HINDERS = "hinders"
    STOPPED = "stopped"  # work stopped


class Evidence(StrEnum):
    """How sure we are that a human answered."""

    VERIFIED = "verified"
    PROVISIONAL = "provisional"
    ROBOT = "robot"


class CheckInState(StrEnum):
    """States of a check-in."""

    PLANNED = "planned"
    SENT = "sent"
    SKIPPED = "skipped"


class ByMail(StrEnum):
    """Whether an answer came by mail, and whether its thread proves who was asked."""

    NO = ""
    THREADED = "threaded"  # a reply that carries a signed token of ours
    UNPROVEN = "unproven"  # only its From address names the worker, and anybody can write that


#: Both faces of one check-in opened within this time, without words, are a robot's doing.
BURST = timedelta(seconds=60)
#: A provisional frown that nothing contradicts becomes a "please check" after this time.
PROVISIONAL_PATIENCE = timedelta(minutes=15)
#: Why a trusted event does not verify by itself.
PRESSED_AT_ONCE = "pressed within a minute of sending, where scanners press buttons"


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One opening of a link: when and which (``happy``, ``frown``, ``honeypot``)."""

    at: datetime
    target: str


@dataclass(frozen=True, kw_only=True)
class Press:
    """One answer, as the page sent it or a mail said it.

    ``trusted_event``: a trusted pointer or keyboard event on the visible page, not by automation.
    ``script_ran``: the page's script filled its field. ``plain_step_passed``: the named word was chosen.
    """

    face: Face
    at: datetime
    has_text: bool
    trusted_event: bool
    script_ran: bool
    plain_step_passed: bool
    by_mail: ByMail = ByMail.NO


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How an answer counts, why, and whether the worker is shown the plain step to verify it."""

    evidence: Evidence
    reasons: tuple[str, ...]
    offer_plain_step: bool


def judge(
    *, press: Press, visits: Sequence[Visit], presses: Sequence[Press], is_doubtful_here: bool = False
) -> Verdict:
    """Judge one press by itself, the openings and the other presses of the same check-in.

    A mail reply with a valid thread token is a human's; a mail without one proves nothing.
    Typed words and the plain step are always a human's. Otherwise the honeypot or the other face
    within :data:`BURST` mean a robot (a human is offered the plain step), then a trusted event
    verifies, a script without it is provisional, and a bare POST is a robot until the plain step.

    ``is_doubtful_here``: scanners press buttons where this mail went, and it left only seconds ago
    (:func:`sentinel.standing.rules.is_doubtful_here`); then an event alone is provisional too.
    """
    if press.by_mail is ByMail.THREADED:
        return Verdict(evidence=Evidence.VERIFIED, reasons=("mail reply",), offer_plain_step=False)
    if press.by_mail is ByMail.UNPROVEN:
        return Verdict(
            evidence=Evidence.PROVISIONAL, reasons=("mail that proves no sender",), offer_plain_step=False
        )
    if press.has_text:
        return Verdict(evidence=Evidence.VERIFIED, reasons=("typed text",), offer_plain_step=False)
    if press.plain_step_passed:
        return Verdict(evidence=Evidence.VERIFIED, reasons=("plain step passed",), offer_plain_step=False)
    near = [v for v in visits if abs(press.at - v.at) <= BURST]
    reasons: list[str] = []
    if any(v.target == "honeypot" for v in near):
        reasons.append("honeypot opened")
    other = Face.HAPPY if press.face is Face.FROWN else Face.FROWN
    if any(v.target == other.value for v in near) or any(
        p.face is other and not p.has_text and abs(press.at - p.at) <= BURST for p in presses
    ):
        reasons.append("both faces within a minute")
    if reasons:
        return Verdict(evidence=Evidence.ROBOT, reasons=tuple(reasons), offer_plain_step=True)
    if press.trusted_event:
        return _by_event(is_doubtful_here)
    if press.script_ran:
        return Verdict(
            evidence=Evidence.PROVISIONAL, reasons=("script without event",), offer_plain_step=True
        )
    return Verdict(evidence=Evidence.ROBOT, reasons=("no evidence",), offer_plain_step=True)


def _by_event(is_doubtful_here: bool) -> Verdict:
    seen = "trusted event"  # stays among the reasons even in doubt: it was seen, and waits for the plain step
    if is_doubtful_here:
        return Verdict(evidence=Evidence.PROVISIONAL, reasons=(seen, PRESSED_AT_ONCE), offer_plain_step=True)
    return Verdict(evidence=Evidence.VERIFIED, reasons=(seen,), offer_plain_step=False)
