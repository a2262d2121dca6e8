"""What users of the provider are told: duties, rungs, news. One clear subject, verbatim words first.

Every function takes plain values and returns a :class:`Notice`: the e-mail and the console entry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.utils.translation import get_language_info, gettext_noop, override

from sentinel.checkins.rules import ResponseKind, Severity
from sentinel.escalation.rules import Audience, DutyKind
from sentinel.escalation.small_print import Pointer, Reader, Skipped, Told, Tried, short, small_print
from sentinel.ui.dates import local_moment, local_time
from sentinel.ui.formatting import duration_text
from sentinel.ui.links import console_url
from sentinel.ui.mail import (
    Block,
    Letter,
    Mail,
    Sender,
    automatic_headers,
    compose,
    headline,
    link,
    plain,
    quote,
    tel_url,
)
from sentinel.ui.words import gettext as _


class Reason(StrEnum):
    """Why somebody is told now."""

    NEW = "new"  # a frown just came in
    DUE = "due"  # a new duty on the same problem (a call to repeat, a promise to make …)
    LATE = "late"  # a rung fired: what was owed did not happen
    TAKEN_OVER = "taken_over"  # this person answers for it from now on
    HANDED_OVER = "handed_over"
    PROMISE_MISSED = "promise_missed"
    REOPENED = "reopened"  # the worker said "not yet"
    OBJECTED = "objected"  # the worker objected to a yes by telephone
    CAME_BACK = "came_back"  # the worker reported a closed problem again
    WORKER_WROTE = "worker_wrote"
    MANAGER_WANTED = "manager_wanted"  # the worker wants to talk to the manager
    CONFIRMED = "confirmed"  # good news: the worker said yes


@dataclass(frozen=True, kw_only=True)
class NoticeFacts:
    """One notice about one problem to one user. Instants in UTC.

    ``owed``/``due_at``/``accountable_name``: the duty in force after this firing (None once confirmed).
    ``new_words``: what the worker said just now, when that is not ``words``.
    ``site_opens_at``: when calling makes sense again; None while the site is open.
    """

    reason: Reason
    recipient_id: int
    recipient_language: str
    recipient_zone: str
    sender: Sender
    audience: Audience | None
    rung: int
    repeat: int
    problem_id: int
    worker_name: str
    account_name: str
    site_name: str
    site_zone: str
    words: str
    words_language: str
    severity: Severity
    may_call: bool
    telephone: str
    call_when: str
    call_language: str
    opened_at: datetime
    owed: DutyKind | None
    due_at: datetime | None
    accountable_id: int | None
    accountable_name: str
    now: datetime
    new_words: str = ""
    note: str = ""
    tried: tuple[Tried, ...] = ()
    told: tuple[Told, ...] = ()
    others: tuple[Pointer, ...] = ()
    skipped: Skipped | None = None
    site_opens_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class NewsFacts:
    """A comment, a suggestion or praise from a worker, for the owner. ``response_id``: its page.

    ``note``: what came with it, such as pictures.
    """

    recipient_language: str
    sender: Sender
    response_id: int
    kind: ResponseKind
    worker_name: str
    account_name: str
    site_name: str
    words: str
    words_language: str
    now: datetime
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class PleaseCheckFacts:
    """A frown that may be a mail scanner's; quiet, console only."""

    please_check_id: int
    recipient_language: str
    worker_name: str
    account_name: str
    site_name: str
    now: datetime


@dataclass(frozen=True, kw_only=True)
class ConsoleNotice:
    """An entry of the console's notices."""

    title: str
    text: str
    url: str

    def payload(self) -> dict[str, str]:
        """The outbox payload of the channel ``console``."""
        return {"title": self.title, "text": self.text, "url": self.url}


@dataclass(frozen=True, kw_only=True)
class Notice:
    """The same news for both channels; ``notice.mail.payload()`` and ``notice.console.payload()``."""

    mail: Mail
    console: ConsoleNotice


def duty_notice(facts: NoticeFacts) -> Notice:
    """Tell a user what is owed on a problem, or that it is late."""
    with override(facts.recipient_language):
        title = _title(facts)
        url = console_url(f"/problems/{facts.problem_id}/")
        letter = Letter(
            subject=title,
            preheader=facts.new_words or facts.words,
            language=facts.recipient_language,
            sender=facts.sender,
            before=_body(facts, title, url),
            notes=_notes(facts),
        )
        headers = automatic_headers(stream="duty", subject_id=facts.problem_id)
        mail = replace(compose(letter, headers=headers), from_name="Sentinel")
        said = facts.new_words or facts.words
        where = f"{facts.account_name}, {facts.site_name}"
        return Notice(
            mail=mail,
            console=ConsoleNotice(title=title, text=f"“{said}” {where}" if said else where, url=url),
        )


def news_notice(facts: NewsFacts) -> Notice:
    """Tell the owner what a happy worker wrote."""
    with override(facts.recipient_language):
        title = _NEWS.get(facts.kind, _COMMENT)
        words = {"worker": facts.worker_name, "account": facts.account_name}
        subject = _(title) % words
        url = console_url(f"/responses/{facts.response_id}/")
        letter = Letter(
            subject=subject,
            preheader=facts.words,
            language=facts.recipient_language,
            sender=facts.sender,
            before=(
                headline(subject),
                quote(facts.words, facts.words_language),
                plain(f"{facts.worker_name}, {facts.site_name}, {facts.account_name}"),
                *((plain(facts.note),) if facts.note else ()),
                link(_("Answer"), url),
            ),
        )
        headers = automatic_headers(stream="news", subject_id=facts.response_id)
        return Notice(
            mail=replace(compose(letter, headers=headers), from_name="Sentinel"),
            console=ConsoleNotice(title=subject, text=f"“{facts.words}”", url=url),
        )


def please_check_notice(facts: PleaseCheckFacts) -> ConsoleNotice:
    """Ask the owner, quietly, to look at a frown nobody can vouch for."""
    with override(facts.recipient_language):
        return ConsoleNotice(
            title=_("Please check: a frown from %(worker)s") % {"worker": facts.worker_name},
            text=_(
                "%(account)s, %(site)s. It may have been a mail scanner: no person is proven to have pressed."
                " A short question to the worker settles it."
            )
            % {"account": facts.account_name, "site": facts.site_name},
            url=console_url(f"/please-check/{facts.please_check_id}/"),
        )


_COMMENT = gettext_noop("%(worker)s (%(account)s) left a comment")
_NEWS = {
    ResponseKind.SUGGESTION: gettext_noop("%(worker)s (%(account)s) has a suggestion"),
    ResponseKind.PRAISE: gettext_noop("%(worker)s (%(account)s) has praise for you"),
}

_OWED = {
    DutyKind.ACKNOWLEDGE: gettext_noop("take it"),
    DutyKind.CALL: gettext_noop("call %(worker)s"),
    DutyKind.PROMISE: gettext_noop("promise %(worker)s a date"),
    DutyKind.SOLVE: gettext_noop("solve it, or say that it is solved"),
    DutyKind.ASK: gettext_noop("hear from %(worker)s whether it is solved"),
}

_MISSING = {
    DutyKind.ACKNOWLEDGE: gettext_noop("nobody has taken the problem of %(worker)s"),
    DutyKind.CALL: gettext_noop("nobody has called %(worker)s"),
    DutyKind.PROMISE: gettext_noop("%(worker)s has no date"),
    DutyKind.SOLVE: gettext_noop("not solved for %(worker)s"),
    DutyKind.ASK: gettext_noop("%(worker)s has not said whether it is solved"),
}

_TITLES = {
    Reason.DUE: gettext_noop("Next: %(owed)s, %(what)s"),
    Reason.TAKEN_OVER: gettext_noop("%(whose)s now: %(worker)s, %(what)s"),
    Reason.HANDED_OVER: gettext_noop("%(whose)s from now on: %(worker)s, %(what)s"),
    Reason.PROMISE_MISSED: gettext_noop("Promise missed: %(worker)s, %(what)s"),
    Reason.REOPENED: gettext_noop("Not solved: call %(worker)s %(when)s, %(what)s"),
    Reason.OBJECTED: gettext_noop("%(worker)s objects, it is not solved: %(what)s"),
    Reason.CAME_BACK: gettext_noop("It came back: call %(worker)s %(when)s, %(what)s"),
    Reason.WORKER_WROTE: gettext_noop("%(worker)s wrote: %(what)s"),
    Reason.MANAGER_WANTED: gettext_noop("%(worker)s wants to talk to the manager: %(what)s"),
    Reason.CONFIRMED: gettext_noop("Solved, says %(worker)s: %(what)s"),
}


def _title(facts: NoticeFacts) -> str:
    """One line that says who must do what now, readable on a locked phone."""
    said = facts.new_words if facts.reason is Reason.WORKER_WROTE and facts.new_words else facts.words
    words = {
        "worker": facts.worker_name,
        "what": short(said) or _("no words yet"),
        "there": _("%(site)s, %(time)s there") % {"site": facts.site_name, "time": _there(facts)},
        "owed": _owed(facts),
        "whose": _whose(facts),
        "when": _when(facts),
    }
    if facts.reason is Reason.NEW:
        if not facts.may_call:
            return _("Write to %(worker)s now: %(what)s (%(there)s)") % words
        if facts.severity is Severity.STOPPED:
            return _("Work stopped. Call %(worker)s %(when)s: %(what)s (%(there)s)") % words
        return _("Call %(worker)s %(when)s: %(what)s (%(there)s)") % words
    if facts.reason is Reason.LATE and facts.owed and facts.due_at:
        late = duration_text(int((facts.now - facts.due_at).total_seconds()))
        missing = _(_MISSING[facts.owed]) % words
        if facts.now > facts.due_at and late:
            return _("Late %(late)s: %(missing)s (%(account)s)") % {
                "late": late,
                "missing": missing,
                "account": facts.account_name,
            }
        return _("Due now: %(missing)s (%(account)s)") % {"missing": missing, "account": facts.account_name}
    return _(_TITLES.get(facts.reason, _TITLES[Reason.DUE])) % words


def _when(facts: NoticeFacts) -> str:
    """When to call: nobody answers at a site that is closed. Its own clock, as the worker would say it."""
    opens, language = facts.site_opens_at, facts.recipient_language
    if opens is None:
        return _("now")
    zone = ZoneInfo(facts.site_zone)
    words = {"site": facts.site_name}
    if opens.astimezone(zone).date() == facts.now.astimezone(zone).date():
        return _("at %(time)s (%(site)s)") % (words | {"time": local_time(opens, facts.site_zone, language)})
    return _("on %(moment)s (%(site)s)") % (
        words | {"moment": local_moment(opens, facts.site_zone, language)}
    )


def _whose(facts: NoticeFacts) -> str:
    if facts.accountable_id == facts.recipient_id:
        return _("Yours")
    return _("With %(name)s") % {"name": facts.accountable_name}


def _body(facts: NoticeFacts, title: str, url: str) -> tuple[Block, ...]:
    """The worker's own words first; then who and where, the number, what is owed, the page."""
    blocks = [headline(title)]
    blocks += [quote(said, facts.words_language) for said in (facts.new_words, facts.words) if said]
    blocks.append(
        plain(
            _("%(worker)s, %(site)s, %(account)s. It is %(time)s there.")
            % {
                "worker": facts.worker_name,
                "site": facts.site_name,
                "account": facts.account_name,
                "time": _there(facts),
            }
        )
    )
    if facts.may_call and facts.telephone:
        blocks.append(link(_("Call %(number)s") % {"number": facts.telephone}, tel_url(facts.telephone)))
    wishes = [
        facts.call_when,
        facts.call_language and _("speaks %(language)s") % {"language": _language_name(facts.call_language)},
    ]
    if any(wishes):
        blocks.append(
            plain(_("The worker's wishes: %(wishes)s") % {"wishes": "; ".join(filter(None, wishes))})
        )
    if facts.owed and facts.due_at:
        due = local_moment(facts.due_at, facts.recipient_zone, facts.recipient_language)
        owes = _("Owed by %(who)s until %(due)s: %(owed)s.")
        blocks.append(plain(owes % {"who": facts.accountable_name, "due": due, "owed": _owed(facts)}))
    if facts.note:
        blocks.append(plain(facts.note))
    return (*blocks, link(_("Open the problem"), url))


def _notes(facts: NoticeFacts) -> tuple[str, ...]:
    return small_print(
        Reader(zone=facts.recipient_zone, language=facts.recipient_language),
        opened_at=facts.opened_at,
        tried=facts.tried,
        told=facts.told,
        others=facts.others,
        skipped=facts.skipped,
    )


def _language_name(code: str) -> str:
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def _owed(facts: NoticeFacts) -> str:
    if facts.owed is None:
        return ""
    if facts.owed is DutyKind.CALL and not facts.may_call:
        return _("write to %(worker)s, who wants no call") % {"worker": facts.worker_name}
    return _(_OWED[facts.owed]) % {"worker": facts.worker_name}


def _there(facts: NoticeFacts) -> str:
    return local_time(facts.now, facts.site_zone, facts.recipient_language)
