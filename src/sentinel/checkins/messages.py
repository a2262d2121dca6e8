"""What a worker reads in a check-in, and in an answer to what they wrote.

Every function takes plain values and returns a :class:`~sentinel.ui.mail.Mail`, in the worker's
language. Links are signed here, with the day of ``now``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from sentinel.checkins.rules import ResponseKind
from sentinel.kernel.links import Purpose
from sentinel.ui.dates import local_date, local_day
from sentinel.ui.links import mailbox, public_url
from sentinel.ui.mail import (
    Block,
    Choice,
    Letter,
    Mail,
    Option,
    Sender,
    automatic_headers,
    compose,
    headline,
    plain,
    public_number,
    quiet,
    quote,
    subscription_headers,
)

#: The question Sentinel ships; a programme may ask in its own words.
QUESTIONS: Mapping[str, str] = {
    "en": "Do you have any problem, comment or suggestion for us?",
    "de": "Haben Sie ein Problem, einen Hinweis oder eine Anregung für uns?",
    "fr": "Avez-vous un problème, une remarque ou une suggestion à nous signaler ?",
    "es": "¿Tiene algún problema, comentario o sugerencia para nosotros?",
    "ja": "お困りのこと、お気づきの点、ご要望などはございませんか。",
}

#: Glyphs that repeat the meaning of the word beside them. Text signs, not emoji: a font without colour
#: emoji shows an empty box, and a box is no face.
HAPPY, FROWN, YES, NO = "☺\ufe0e", "☹\ufe0e", "✓", "✗"


class _Person(Protocol):
    name: str
    email: str
    telephone: str


class _Programme(Protocol):
    provider_name: str
    sender_address: str


def sender_of(*, programme: _Programme, person: _Person) -> Sender:
    """A user as the sender: their real name, the programme's address, replies to their own mailbox."""
    return Sender(
        person=person.name,
        address=programme.sender_address,
        provider=programme.provider_name,
        reply_to=person.email,
        telephone=public_number(person.telephone),
    )


@dataclass(frozen=True, kw_only=True)
class ProofFacts:
    """What became of what this site reported last month; ``open_count`` has neither date nor end yet.

    ``next_promise``: the earliest date promised for one of them.
    """

    reported: int
    confirmed: int
    promised: int
    open_count: int
    next_promise: date | None


@dataclass(frozen=True, kw_only=True)
class AboutFacts:
    """The problem a check-in asks about: the proposal to confirm, the worker's words, what was done."""

    proposal_id: int
    words: str
    words_language: str
    reported_on: date
    what_was_done: str


@dataclass(frozen=True, kw_only=True)
class QuestionFacts:
    """One check-in. ``is_first``: the worker has never been asked and is told who asks and why.

    ``programme_id`` and ``site_name`` name the stream for mail filters and the reader. ``proof_words``
    stand for :func:`proof_line` where the line was worded before.
    """

    check_in_id: int
    programme_id: int
    worker_id: int
    worker_name: str
    language: str
    site_name: str
    sender: Sender
    question: str
    is_first: bool
    now: datetime
    proof: ProofFacts | None = None
    proof_words: str = ""
    about: AboutFacts | None = None


@dataclass(frozen=True, kw_only=True)
class ResponseAnswerFacts:
    """What a user answers to a comment, a suggestion or praise."""

    worker_id: int
    worker_name: str
    language: str
    sender: Sender
    kind: ResponseKind
    words: str
    words_language: str
    received_at: datetime
    zone: str
    answer: str
    now: datetime


def question_in(questions: Mapping[str, str], language: str) -> str:
    """The programme's question in a language: its own words, else the shipped ones, else English."""
    base = language.split("-")[0]
    for known in (language, base):
        if questions.get(known):
            return questions[known]
    return QUESTIONS.get(base) or questions.get("en") or QUESTIONS["en"]


def check_in_question(facts: QuestionFacts) -> Mail:
    """The one question with its two faces; or, about an unconfirmed problem, "is it solved?"."""
    with override(facts.language):
        letter = _about_letter(facts, facts.about) if facts.about else _question_letter(facts)
        return compose(letter, headers=_headers(facts))


def response_answer(facts: ResponseAnswerFacts) -> Mail:
    """A user's own answer to what a happy worker wrote. A person wrote it, hence no automatic headers."""
    with override(facts.language):
        day = local_day(facts.received_at.astimezone(ZoneInfo(facts.zone)).date(), facts.language)
        letter = Letter(
            subject=_answer_subject(facts.kind),
            preheader=" ".join(facts.answer.split())[:120],
            language=facts.language,
            sender=facts.sender,
            greeting=greeting(facts.worker_name),
            before=(plain(facts.answer),),
            after=(
                quiet(_("On %(day)s you wrote to us:") % {"day": day}),
                quote(facts.words, facts.words_language),
            )
            if facts.words
            else (),
            closing=_("Kind regards"),
            links=preference_links(facts.worker_id, facts.now),
        )
        return compose(letter, headers={})


def _answer_subject(kind: ResponseKind) -> str:
    if kind is ResponseKind.PRAISE:
        return _("Thank you for your kind words")
    return _("About your suggestion") if kind is ResponseKind.SUGGESTION else _("About your comment")


def greeting(name: str) -> str:
    """The salutation in the language in force; it does not need to know whether to say Mr or Ms."""
    return _("Hello %(name)s,") % {"name": name}


def preference_links(worker_id: int, now: datetime) -> tuple[Option, ...]:
    """The links under every mail to a worker."""
    today = now.date()
    return (
        Option(
            label=_("Change how often we ask, or the language"),
            url=public_url(Purpose.PREFERENCES, worker_id, today=today),
        ),
        Option(label=_("Stop asking me"), url=public_url(Purpose.UNSUBSCRIBE, worker_id, today=today)),
    )


def proof_line(facts: ProofFacts | None, language: str) -> str:
    """ "Last month at your site: 14 reported, 13 confirmed solved, 1 promised for 12 June"; or nothing."""
    if facts is None or facts.reported == 0:
        return ""
    parts = [_("%(n)s reported") % {"n": facts.reported}]
    if facts.confirmed:
        parts.append(_("%(n)s confirmed solved") % {"n": facts.confirmed})
    if facts.promised and facts.next_promise:
        day = local_date(facts.next_promise, language)
        parts.append(_("%(n)s promised for %(day)s") % {"n": facts.promised, "day": day})
    if facts.open_count:
        parts.append(_("%(n)s in work") % {"n": facts.open_count})
    return _("Last month at your site: %(facts)s.") % {"facts": _(", ").join(parts)}


def _question_letter(facts: QuestionFacts) -> Letter:
    today = facts.now.date()
    proof = facts.proof_words or proof_line(facts.proof, facts.language)
    before: list[Block] = []
    if facts.is_first:
        before.append(
            plain(
                _(
                    "I am your contact at %(provider)s. From now on I will ask you one short question"
                    " regularly, so that nothing that bothers you stays unsolved:"
                )
                % {"provider": facts.sender.provider}
            )
        )
    before.append(headline(facts.question))
    after = [plain(_("Or simply reply to this e-mail. If something is wrong, a person will call you back."))]
    return Letter(
        subject=facts.question,
        preheader=proof or _("One click is enough. A person reads every answer."),
        language=facts.language,
        sender=facts.sender,
        greeting=greeting(facts.worker_name),
        before=tuple(before),
        choice=Choice(
            good=Option(
                label=_("All is well"),
                url=public_url(Purpose.ANSWER, facts.check_in_id, "happy", today=today),
                glyph=HAPPY,
            ),
            bad=Option(
                label=_("I have a problem"),
                url=public_url(Purpose.ANSWER, facts.check_in_id, "frown", today=today),
                glyph=FROWN,
            ),
            trap=public_url(Purpose.ANSWER, facts.check_in_id, "more", today=today),
        ),
        after=(*after, quiet(proof)) if proof else tuple(after),
        closing=_("Kind regards"),
        notes=(_why_you(facts),),
        links=preference_links(facts.worker_id, facts.now),
    )


def _about_letter(facts: QuestionFacts, about: AboutFacts) -> Letter:
    told = (
        _("On %(day)s you told us:") if about.words else _("On %(day)s you told us that you had a problem.")
    )
    before = [
        headline(_("Is your problem solved?")),
        plain(told % {"day": local_day(about.reported_on, facts.language)}),
    ]
    if about.words:
        before.append(quote(about.words, about.words_language))
    before.append(plain(_("What we did: %(what)s") % {"what": about.what_was_done}))
    return Letter(
        subject=_("Is your problem solved?"),
        preheader=_("Only your answer closes it."),
        language=facts.language,
        sender=facts.sender,
        greeting=greeting(facts.worker_name),
        before=tuple(before),
        choice=verdict_choice(about.proposal_id, facts.now),
        after=(plain(_("Only your answer closes it. Until then we keep it open.")),),
        closing=_("Kind regards"),
        notes=(_why_you(facts),),
        links=preference_links(facts.worker_id, facts.now),
    )


def verdict_choice(proposal_id: int, now: datetime) -> Choice:
    """The two equal answers to "is it solved?"; both lead to a page, where the worker presses once more."""
    return Choice(
        good=Option(
            label=_("Yes, it is solved"),
            url=public_url(Purpose.CONFIRM, proposal_id, "yes", today=now.date()),
            glyph=YES,
        ),
        bad=Option(
            label=_("No, not yet"),
            url=public_url(Purpose.CONFIRM, proposal_id, "no", today=now.date()),
            glyph=NO,
        ),
    )


def _why_you(facts: QuestionFacts) -> str:
    return _("%(provider)s asks everybody at %(site)s, with your employer's permission.") % {
        "provider": facts.sender.provider,
        "site": facts.site_name,
    }


def _headers(facts: QuestionFacts) -> dict[str, str]:
    host = urlsplit(settings.BASE_URL).hostname or "localhost"
    return automatic_headers(stream="check-in", subject_id=facts.programme_id) | subscription_headers(
        one_click_url=public_url(Purpose.UNSUBSCRIBE, facts.worker_id, "one-click", today=facts.now.date()),
        list_name=facts.sender.provider,
        list_id=f"check-in-{facts.programme_id}.{host}",
        mailbox=mailbox(Purpose.UNSUBSCRIBE, facts.worker_id, today=facts.now.date()),
    )
