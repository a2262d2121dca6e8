"""What a worker reads about their own problem, from "we have it" to "is it solved?".

Every function takes plain values and returns a :class:`~sentinel.ui.mail.Mail`, in the worker's
language and the site's zone. Links are signed here, with the day of ``now``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NotRequired, TypedDict, Unpack
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import override

from sentinel.checkins.messages import greeting, preference_links, verdict_choice
from sentinel.kernel.links import Purpose
from sentinel.ui.dates import local_day, local_moment
from sentinel.ui.links import public_url
from sentinel.ui.mail import (
    Block,
    Choice,
    Letter,
    Mail,
    Sender,
    automatic_headers,
    compose,
    headline,
    link,
    plain,
    quiet,
    quote,
)


@dataclass(frozen=True, kw_only=True)
class Letterhead:
    """What every mail about a problem needs.

    ``sender.person`` is whoever is on it now. ``words`` are the worker's own, ``words_language`` the
    language they were written in. ``zone`` is the site's; ``reported_at`` and ``now`` are in UTC.
    """

    problem_id: int
    worker_id: int
    worker_name: str
    language: str
    zone: str
    sender: Sender
    words: str
    words_language: str
    reported_at: datetime
    now: datetime


@dataclass(frozen=True, kw_only=True)
class ReceiptFacts:
    """``call_by``: when we call at the latest, None when the worker wants no call. ``number``: which one."""

    head: Letterhead
    call_by: datetime | None
    number: str = ""


@dataclass(frozen=True, kw_only=True)
class TriedFacts:
    """An attempt to call: when, at which number; ``again_at``: when we try next, if that is known."""

    head: Letterhead
    at: datetime
    number: str
    again_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class PromiseFacts:
    """The promised date, and what will be done, in the owner's words (may be empty)."""

    head: Letterhead
    due_on: date
    what: str = ""


@dataclass(frozen=True, kw_only=True)
class PromiseMovedFacts:
    """The new date instead of ``previous_due_on``, and why, in the owner's words."""

    head: Letterhead
    due_on: date
    previous_due_on: date
    reason: str
    what: str = ""


@dataclass(frozen=True, kw_only=True)
class AskFacts:
    """A proposal to confirm. ``ask_number``: 1 is the proposal itself, 2 the first reminder, and so on.

    ``call_by``: when this reminder comes with a call; None otherwise.
    """

    head: Letterhead
    proposal_id: int
    what_was_done: str
    proposed_at: datetime
    ask_number: int = 1
    call_by: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PlainQuestionFacts:
    """A reply to "is it solved?" said neither yes nor no: ``their_words``."""

    head: Letterhead
    proposal_id: int
    what_was_done: str
    their_words: str


@dataclass(frozen=True, kw_only=True)
class TelephoneFacts:
    """A yes said on the telephone at ``said_at``, recorded by ``sender.person``."""

    head: Letterhead
    confirmation_id: int
    said_at: datetime
    what_was_done: str = ""


@dataclass(frozen=True, kw_only=True)
class ReopenedFacts:
    """The worker said "not yet" (or objected, or it came back), perhaps with ``new_words``."""

    head: Letterhead
    call_by: datetime | None
    new_words: str = ""


@dataclass(frozen=True, kw_only=True)
class WrittenFacts:
    """Free text by the owner."""

    head: Letterhead
    text: str


def problem_receipt(facts: ReceiptFacts) -> Mail:
    """ "We have it": who is on it, when they call, and the link to the problem's own page."""
    head = facts.head
    with override(head.language):
        person = head.sender.person
        said = (
            _own_words(head) if head.words else plain(_("You need not write what is wrong: we will ask you."))
        )
        return _automatic(
            head,
            subject=_("We have it, and %(person)s is on it") % {"person": person},
            preheader=_call_line(head, facts.call_by, facts.number),
            before=(
                headline(_("Thank you for telling us. %(person)s is on it.") % {"person": person}),
                said,
                plain(_call_line(head, facts.call_by, facts.number)),
                _problem_link(head, _("See your problem, or add to it")),
            ),
            after=(
                quiet(
                    _("Or simply reply to this e-mail. Nothing is closed before you say that it is solved.")
                ),
            ),
        )


def tried_to_call(facts: TriedFacts) -> Mail:
    """ "We tried to reach you": when we try again, and how to tell us a better number or time."""
    head = facts.head
    with override(head.language):
        moment = local_moment(facts.at, head.zone, head.language)
        tried = (
            _("I called %(number)s (%(moment)s) and did not reach you.")
            % {"number": facts.number, "moment": moment}
            if facts.number
            else _("I tried to call you (%(moment)s) and did not reach you.") % {"moment": moment}
        )
        lines = [headline(_("I tried to call you.")), plain(tried)]
        if facts.again_at:
            again = local_moment(facts.again_at, head.zone, head.language)
            lines.append(plain(_("I will try again: %(moment)s.") % {"moment": again}))
        return _automatic(
            head,
            subject=_("I tried to call you"),
            preheader=tried,
            before=(*lines, _problem_link(head, _("Another number or a better time? Tell me here"))),
            after=_reminder(head),
        )


def promise(facts: PromiseFacts) -> Mail:
    """ "Solved by this date"."""
    head = facts.head
    with override(head.language):
        day = local_day(facts.due_on, head.language)
        return _automatic(
            head,
            subject=_("Our promise: solved by %(day)s") % {"day": day},
            preheader=facts.what
            or _("If that date has to move, you will hear it from me first, with the reason."),
            before=(
                headline(_("We will solve it by %(day)s.") % {"day": day}),
                *_what_we_do(facts.what),
                plain(_("If that date has to move, you will hear it from me first, with the reason.")),
                _problem_link(head, _("See your problem, or add to it")),
            ),
            after=_reminder(head),
        )


def promise_moved(facts: PromiseMovedFacts) -> Mail:
    """ "It takes longer": the new date, the old one, and the reason."""
    head = facts.head
    with override(head.language):
        day = local_day(facts.due_on, head.language)
        before = local_day(facts.previous_due_on, head.language)
        return _automatic(
            head,
            subject=_("New date: %(day)s") % {"day": day},
            preheader=facts.reason,
            before=(
                headline(_("The new date is %(day)s.") % {"day": day}),
                plain(
                    _("I had promised you %(day)s. I am sorry that we cannot keep that date.")
                    % {"day": before}
                ),
                plain(_("The reason: %(reason)s") % {"reason": facts.reason}),
                *_what_we_do(facts.what),
                _problem_link(head, _("See your problem, or add to it")),
            ),
            after=_reminder(head),
        )


def ask(facts: AskFacts) -> Mail:
    """ "Is it solved?": two equal links, yes and not yet; a reminder when ``ask_number`` > 1."""
    head = facts.head
    with override(head.language):
        opening, subject = _ask_tone(facts.ask_number)
        lines = [headline(_("Is it solved?"))]
        lines += [plain(opening)] if opening else []
        if head.words:
            day = local_day(_site_day(head.reported_at, head.zone), head.language)
            lines += [plain(_("On %(day)s you told us:") % {"day": day}), _own_words(head)]
        lines.append(plain(_("What we did: %(what)s") % {"what": facts.what_was_done}))
        after = [plain(_("Only your answer closes it. If it is not solved, we go on."))]
        if facts.call_by:
            moment = local_moment(facts.call_by, head.zone, head.language)
            after.append(
                plain(
                    _("I will also call you, at the latest %(moment)s, to hear it from you.")
                    % {"moment": moment}
                )
            )
        return _automatic(
            head,
            subject=subject,
            preheader=_("Only your answer closes it."),
            before=tuple(lines),
            choice=verdict_choice(facts.proposal_id, head.now),
            after=(*after, _problem_link(head, _("See your problem, or add to it"))),
        )


def ask_plainly_mail(facts: PlainQuestionFacts) -> Mail:
    """ "Yes or no?": the worker replied, but we could not tell for sure which of the two they mean."""
    head = facts.head
    with override(head.language):
        said = (quote(facts.their_words, head.language),) if facts.their_words else ()
        return _automatic(
            head,
            subject=_("Is it solved, yes or no?"),
            preheader=_("Only your answer closes it."),
            before=(
                headline(_("Thank you for your reply. Is it solved?")),
                *said,
                plain(
                    _(
                        "I am not sure whether that is a yes. Please press one of the two, or reply with"
                        " yes or no."
                    )
                ),
                plain(_("What we did: %(what)s") % {"what": facts.what_was_done}),
            ),
            choice=verdict_choice(facts.proposal_id, head.now),
            after=(plain(_("Only your answer closes it. If it is not solved, we go on.")),),
        )


def confirmed_by_telephone(facts: TelephoneFacts) -> Mail:
    """ "You told us on the telephone that it is solved": with a one-click objection."""
    head = facts.head
    with override(head.language):
        moment = local_moment(facts.said_at, head.zone, head.language)
        noted = _("%(person)s noted that you said so on the telephone (%(moment)s).") % {
            "person": head.sender.person,
            "moment": moment,
        }
        objection = public_url(Purpose.OBJECT, facts.confirmation_id, today=head.now.date())
        return _automatic(
            head,
            subject=_("You told us by telephone that it is solved"),
            preheader=_("If that is right, there is nothing to do."),
            before=(
                headline(_("Your problem is solved. Is that right?")),
                plain(noted),
                *([_own_words(head)] if head.words else []),
                plain(
                    _("If that is right, there is nothing to do. If not, tell us here, and we go on at once:")
                ),
                link(_("No, it is not solved"), objection),
            ),
        )


def reopened_receipt(facts: ReopenedFacts) -> Mail:
    """ "Thank you for telling us": it goes on, with more attention."""
    head = facts.head
    with override(head.language):
        said = quote(facts.new_words, head.language) if facts.new_words else _own_words(head)
        return _automatic(
            head,
            subject=_("Not solved yet: we go on"),
            preheader=_call_line(head, facts.call_by, ""),
            before=(
                headline(_("Thank you for telling us that it is not solved.")),
                *([said] if said.text else []),
                plain(
                    _("We go on at once, with more attention than before. %(person)s is on it.")
                    % {"person": head.sender.person}
                ),
                plain(_call_line(head, facts.call_by, "")),
                _problem_link(head, _("See your problem, or add to it")),
            ),
        )


def written(facts: WrittenFacts) -> Mail:
    """A letter by the owner about the problem. A person wrote it, hence no automatic headers."""
    head = facts.head
    with override(head.language):
        letter = _letter(
            head,
            subject=_("About your problem"),
            preheader=" ".join(facts.text.split())[:120],
            before=(plain(facts.text), _problem_link(head, _("See your problem, or add to it"))),
            after=_reminder(head),
        )
        return compose(letter, headers={})


def _automatic(head: Letterhead, **parts: Unpack[_Parts]) -> Mail:
    return compose(
        _letter(head, **parts), headers=automatic_headers(stream="problem", subject_id=head.problem_id)
    )


class _Parts(TypedDict):
    subject: str
    preheader: str
    before: tuple[Block, ...]
    after: NotRequired[tuple[Block, ...]]
    choice: NotRequired[Choice]


def _letter(head: Letterhead, **parts: Unpack[_Parts]) -> Letter:
    return Letter(
        language=head.language,
        sender=head.sender,
        greeting=greeting(head.worker_name),
        closing=_("Kind regards"),
        links=preference_links(head.worker_id, head.now),
        **parts,
    )


def _own_words(head: Letterhead) -> Block:
    return quote(head.words, head.words_language)


def _reminder(head: Letterhead) -> tuple[Block, ...]:
    """What it was about, small, below the news."""
    return (quiet(_("You told us:")), _own_words(head)) if head.words else ()


def _problem_link(head: Letterhead, label: str) -> Block:
    return link(label, public_url(Purpose.PROBLEM, head.problem_id, today=head.now.date()))


def _what_we_do(what: str) -> tuple[Block, ...]:
    return (plain(_("What we will do: %(what)s") % {"what": what}),) if what else ()


def _call_line(head: Letterhead, call_by: datetime | None, number: str) -> str:
    if call_by is None:
        return _("As you wish, we do not call; %(person)s will write to you.") % {
            "person": head.sender.person
        }
    words = {
        "person": head.sender.person,
        "moment": local_moment(call_by, head.zone, head.language),
        "number": number,
    }
    if number:
        return _("%(person)s will call you on %(number)s, at the latest %(moment)s.") % words
    return _("%(person)s will call you, at the latest %(moment)s.") % words


def _ask_tone(ask_number: int) -> tuple[str, str]:
    """How the n-th asking opens, and its subject: each more frank, none of them pushing."""
    if ask_number <= 1:
        return "", _("Is it solved?")
    subject = _("Is it solved? We would like to be sure")
    if ask_number == 2:
        return _("We believe that it works again. Does it, for you? One click is enough."), subject
    if ask_number == 3:
        return _("We have not heard from you yet. Without your answer it stays open with us."), subject
    return _("We ask once more, because we do not want to call solved what is not solved for you."), subject


def _site_day(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()
