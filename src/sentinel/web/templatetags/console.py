"""Tags of the console's templates: the words of states, and who is who."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString

from sentinel.bulk.models import Run, SenderState
from sentinel.bulk.selectors import Progress
from sentinel.bulk.states import RunState
from sentinel.checkins.rules import WhyNot, words_of
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.states import IncomingState
from sentinel.kernel.durations import describe_duration
from sentinel.people.models import User
from sentinel.people.selectors import active_users
from sentinel.ui.templatetags.ui import pill
from sentinel.web import words
from sentinel.web.reads.conversations import clock_text

register = template.Library()


@register.simple_tag
def state_pill(state: str) -> SafeString:
    """The state of a problem."""
    return pill(*words.STATES.get(state, (state, "neutral")))


@register.simple_tag
def severity_pill(severity: str) -> SafeString:
    """How bad it is, in the worker's eyes."""
    return pill(*words.SEVERITIES.get(severity, (severity, "neutral")))


@register.simple_tag
def kind_pill(kind: str) -> SafeString:
    """What the worker wanted to say."""
    return pill(*words.KINDS.get(kind, (kind, "neutral")))


@register.simple_tag
def mail_state_pill(state: str) -> SafeString:
    """What is known about an address."""
    return pill(*words.MAIL_STATES.get(state, (state, "neutral")))


@register.filter
def duty_words(kind: str) -> str:
    """What somebody owes next."""
    return words.DUTIES.get(kind, kind)


@register.filter
def outcome_words(outcome: str) -> str:
    """What came of a call."""
    return words.OUTCOMES.get(outcome, outcome)


@register.filter
def end_reason_words(reason: str) -> str:
    """Why a problem ended without the worker's yes."""
    return words.END_REASONS.get(reason, reason)


@register.filter
def rhythm_words(rhythm: str) -> str:
    """How often a worker wants to be asked."""
    return words.RHYTHMS.get(rhythm, rhythm)


@register.filter
def audience_words(audience: list[str]) -> str:
    """Whom a rung tells: "owner and deputy"."""
    named = [words.AUDIENCES.get(a, a) for a in audience]
    return " and ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else "".join(named)


@register.filter
def language_name(code: str) -> str:
    """A language for people."""
    return words.language_name(code)


@register.filter
def way_words(channel: str) -> str:
    """How a message goes: by mail, chat, push …"""
    return words.way_words(channel)


@register.filter
def roles_text(roles: list[str]) -> str:
    """All roles of a user."""
    return words.roles_text(roles)


@register.filter
def dial(number: str) -> str:
    """A number as ``tel:`` links want it."""
    return "".join(c for c in number if c.isdigit() or c == "+")


@register.filter
def date_in(moment: datetime, zone: str) -> str:
    """An instant as a wall clock there shows it, "Fri 14:00", where the place is named beside it."""
    return date_format(moment.astimezone(ZoneInfo(zone)), "D H:i")


@register.filter
def to_the_second(moment: datetime) -> str:
    """An instant in the viewer's own zone, where seconds tell what followed from what: "11:00:04"."""
    return date_format(timezone.localtime(moment), "H:i:s")


@register.filter
def clock(seconds: int) -> str:
    """Seconds as a telephone shows them: 2:14."""
    return clock_text(seconds)


@register.filter
def duration(value: timedelta) -> str:
    """A duration in words, to the minute from one minute on; nothing is "at once"."""
    if value >= timedelta(minutes=1):
        value = timedelta(minutes=round(value / timedelta(minutes=1)))
    return describe_duration(value) if value else "at once"


@register.simple_tag
def is_past(moment: datetime, now: datetime) -> bool:
    """Whether an instant lies behind us."""
    return moment < now


@register.filter
def path_only(url: str) -> str:
    """The path of one of our own addresses: forms send only paths back to us."""
    return urlsplit(url).path or "/"


# The order in which a newcomer meets the cast.
_ORDER = ("owner", "manager", "officer", "executive", "administrator", "analyst")


@register.simple_tag
def demonstration_cast() -> list[User]:
    """The users one can come in as; nobody outside demonstration mode."""
    if not settings.DEMONSTRATION:
        return []
    return sorted(
        active_users(), key=lambda user: min((_ORDER.index(r) for r in user.roles if r in _ORDER), default=9)
    )


@register.simple_tag
def run_pill(run: Run, progress: Progress, sender: SenderState) -> SafeString:
    """Where a run stands; one that waits for a sender that was stopped stands still, too."""
    if run.state == RunState.PAUSED.value:
        return pill("Paused", "soon")
    if not progress.waiting:
        return pill("Through", "calm")
    return pill("Stands still", "soon") if sender.paused_at else pill("On its way", "info")


@register.simple_tag
def incoming_pill(mail: IncomingMail) -> SafeString:
    """Where an incoming mail stands, or what it is."""
    if mail.state == IncomingState.PERSON.value:
        return pill("Waits for you", "suffer")
    if mail.state == IncomingState.WAITING.value:
        return pill("Being read", "info")
    return pill(words.MAIL_KINDS.get(mail.kind, mail.kind), "neutral")


@register.simple_tag
def grade_pill(grade: str) -> SafeString:
    """How a finding of the mail doctor is graded."""
    return pill(*words.GRADES.get(grade, (grade, "neutral")))


@register.filter
def mail_kind_words(kind: str) -> str:
    """What an incoming mail is."""
    return words.MAIL_KINDS.get(kind, kind or "not read yet")


@register.filter
def mail_thread_words(thread: str) -> str:
    """By which key a mail was recognised."""
    return words.MAIL_THREADS.get(thread, thread or "not read yet")


@register.filter
def mail_outcome_words(outcome: str) -> str:
    """What an incoming mail set in motion."""
    return words.MAIL_OUTCOMES.get(outcome, outcome.replace("_", " ").capitalize() or "Not read yet")


@register.filter
def suppressed_words(because: str) -> str:
    """Why an address is left alone."""
    return words.SUPPRESSED.get(because, because)


@register.filter
def skip_words(reasons: str) -> str:
    """Why a check-in was not sent: the reasons as they are stored, in words."""
    known = {reason.value: words_of(reason) for reason in WhyNot}
    return "; ".join(known.get(reason, reason.replace("_", " ")) for reason in reasons.split(",") if reason)
