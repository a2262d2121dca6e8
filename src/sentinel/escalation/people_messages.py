"""What users are told about each other, each in their own language: days of the rota that change hands, who
is away, and why something comes to them in place of somebody whom nothing reaches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.utils.translation import gettext_noop, override

from sentinel.people.reach_rules import Reach, WayFault, WayVerdict
from sentinel.ui.dates import local_date, local_day
from sentinel.ui.words import gettext as _


class SwapStep(StrEnum):
    """What happened to the question whether somebody takes a day."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class Undelivered:
    """A message that reached its person on no way. ``reason``: the service's own words."""

    by_mail: bool
    address: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Missed:
    """Whom a notice did not reach: ``failed`` for good, or none of their ways works (``reach``)."""

    reach: Reach
    failed: Undelivered | None = None


_SWAP = {
    SwapStep.ASKED: gettext_noop("%(asker)s asks %(asked)s to be officer of the day on %(day)s."),
    SwapStep.ACCEPTED: gettext_noop("%(asked)s is officer of the day on %(day)s, in place of %(asker)s."),
    SwapStep.DECLINED: gettext_noop("%(asked)s does not take %(day)s; %(asker)s stays officer of the day."),
    SwapStep.WITHDRAWN: gettext_noop(
        "%(asker)s needs nobody for %(day)s any more and stays officer of the day."
    ),
}
_CANNOT = gettext_noop("%(name)s cannot be reached")
_WAS_NOT = gettext_noop("%(name)s was not reached")
_CANNOT_SO = gettext_noop("%(name)s cannot be reached, so this comes to you.")
_WAS_NOT_SO = gettext_noop("%(name)s was not reached, so this comes to you.")
_MAIL_FAILED = gettext_noop("Mail to %(address)s failed: %(reason)s")
_MESSAGE_FAILED = gettext_noop("A message to %(address)s failed: %(reason)s")
#: Ways without a name of their own; what a user called theirs stays as it is.
_WAYS = {
    "e-mail": gettext_noop("e-mail"),
    "push": gettext_noop("push"),
    "chat": gettext_noop("chat"),
    "webhook": gettext_noop("webhook"),
}
_FAULTS = {
    WayFault.UNVERIFIED: gettext_noop("%(way)s its code was never typed back"),
    WayFault.OFF: gettext_noop("%(way)s switched off"),
    WayFault.REFUSED: gettext_noop("%(way)s refused by the mail server"),
}


def swap_words(step: SwapStep, *, asker: str, asked: str, day: date, language: str) -> str:
    """One sentence about a day of the rota that changes hands, or does not."""
    with override(language):
        return _(_SWAP[step]) % {"asker": asker, "asked": asked, "day": local_day(day, language)}


def open_rota(language: str) -> str:
    """The label of the link to the rota."""
    with override(language):
        return _("Open the rota")


def away_words(name: str, language: str) -> str:
    """Why a duty came to whoever stands in."""
    with override(language):
        return _("%(name)s is away.") % {"name": name}


def worker_away_words(name: str, *, back_on: date, language: str) -> str:
    """Why a call or a question waits: the worker's own mailbox said so."""
    with override(language):
        words = {"name": name, "day": local_date(back_on, language)}
        return _("%(name)s is away until %(day)s (their own absence note).") % words


def why_missed(missed: Missed, language: str) -> str:
    """Why a notice did not reach somebody, in a sentence."""
    with override(language):
        failed = missed.failed
        if failed is None:
            return _why_never(missed.reach)
        words = {"address": failed.address, "reason": failed.reason}
        return _(_MAIL_FAILED if failed.by_mail else _MESSAGE_FAILED) % words


def passed_on_words(missed: Missed, language: str) -> str:
    """What stands above a notice that comes to somebody in place of another person."""
    with override(language):
        said = _(_WAS_NOT_SO if missed.failed else _CANNOT_SO) % {"name": missed.reach.name}
    return f"{said} {why_missed(missed, language)}".strip()


def out_of_reach_words(missed: Missed, *, instead: str, language: str) -> tuple[str, str]:
    """Title and text for administrators. ``instead``: who hears of it meanwhile; empty: nobody does."""
    why = why_missed(missed, language)
    with override(language):
        title = _(_WAS_NOT if missed.failed else _CANNOT) % {"name": missed.reach.name}
        meanwhile = _("Nobody else could be told.")
        if instead:
            meanwhile = _("Notices go to %(name)s in the meantime.") % {"name": instead}
        return title, f"{why} {meanwhile} {_('Please look at it with them.')}".strip()


def _why_never(reach: Reach) -> str:
    """As :attr:`Reach.why_never`, in the language that is switched on."""
    words = {"name": reach.name}
    if not reach.is_active:
        return _("%(name)s no longer works here.") % words
    if reach.is_never_open:
        return _("The calendar of %(name)s has no working hours.") % words
    if reach.has_way:
        return ""
    ways = "; ".join(_way(way) for way in reach.ways)
    return _("%(name)s has no way that works: %(ways)s.") % (words | {"ways": ways})


def _way(way: WayVerdict) -> str:
    name = _(_WAYS[way.name]) if way.name in _WAYS else way.name
    if way.fault is None:
        return name
    said = _(_FAULTS[way.fault]) % {"way": name}
    return f"{said} ({way.detail})" if way.detail else said
