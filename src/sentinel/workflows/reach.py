"""Whoever cannot be reached must not be the end of a notice: the next person hears of it, at once.

Decided when the notice is decided, in the same transaction: the account's manager, else the officer of the
day, else an executive, else an administrator, whoever of them a notice reaches. The notice says why it
came, the timeline keeps it, and the administrators are asked to look, once a day and person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sentinel.escalation.people_messages import (
    Missed,
    Undelivered,
    out_of_reach_words,
    passed_on_words,
    why_missed,
)
from sentinel.escalation.selectors import executives_for, officer_for
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import enqueue
from sentinel.people.models import ContactMethod, User
from sentinel.people.reach import reaches, without_mail, without_way
from sentinel.people.rules import Role
from sentinel.people.selectors import active_users_with_role, usable_ways, users_by_id, who_acts
from sentinel.problems.models import Problem
from sentinel.timeline.services import ENGINE, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem
from sentinel.workflows.telling import console_notice

KIND = "people.out_of_reach"


@dataclass(frozen=True, kw_only=True)
class Hearers:
    """Who hears of something. ``ways``: what each has besides e-mail; ``silent``: who gets no e-mail;
    ``notes``: the sentence for whoever hears of it in place of somebody else."""

    people: list[User]
    ways: dict[int, list[ContactMethod]]
    silent: set[int]
    notes: dict[int, str] = field(default_factory=dict)


def hearers(problem: Problem, *, users: Collection[User], is_urgent: bool, now: datetime) -> Hearers:
    """The users with their ways, and for those whom nothing reaches the next person, told why.

    What is not urgent waits on the console of the person; nobody else is bothered with it.
    """
    people = list({user.pk: user for user in users if user.is_active}.values())
    silent, ways = without_mail(people), usable_ways(people)
    lost = [user for user in people if user.pk in silent and not ways.get(user.pk)] if is_urgent else []
    if not lost:
        return Hearers(people=people, ways=ways, silent=silent)
    notes: dict[int, list[str]] = {}
    # In one order everywhere: two transactions that miss the same people must not wait for each other.
    for user in sorted(lost, key=lambda person: person.pk):
        instead, sentence = pass_on(problem, lost=user, now=now)
        if instead is not None:
            notes.setdefault(instead.pk, []).append(sentence)
            people = list({person.pk: person for person in (*people, instead)}.values())
    return Hearers(
        people=people,
        ways=usable_ways(people),
        silent=without_mail(people),
        notes={pk: " ".join(said) for pk, said in notes.items()},
    )


def pass_on(
    problem: Problem,
    *,
    lost: User,
    now: datetime,
    failed: Undelivered | None = None,
    tried: Collection[int] = (),
) -> tuple[User | None, str]:
    """Find who hears a notice in place of somebody it does not reach, and write that down.

    Returns the person (None when there is nobody at all) and the sentence for them, in their
    language. ``failed``: the delivery that failed; without it the verdict about the person's ways says why.
    ``tried``: whom it did not reach
    before (ids); a relay that refuses everything would send it round between two people for ever.
    """
    missed = Missed(reach=reaches([lost], now=now)[lost.pk], failed=failed)
    instead = next(_in_line(problem, but={lost.pk, *tried}, now=now), None)
    record_event(
        verb=Verb.NOTICE_PASSED_ON,
        at=now,
        actor=ENGINE,
        about=about_problem(problem, user=lost),
        data={
            "from": str(lost),
            "to": str(instead) if instead else "nobody",
            "why": why_missed(missed, "en"),  # the timeline has one language
        },
    )
    _ask_administrators(missed, lost=lost, instead=instead, now=now)
    return instead, passed_on_words(missed, instead.language) if instead else ""


def _in_line(problem: Problem, *, but: Collection[int], now: datetime) -> Iterator[User]:
    """Whom a notice reaches, nearest first; absent ones replaced by whoever stands in."""
    seen = set(but)
    for group in _groups(problem, now):
        acting = users_by_id(who_acts(user.pk, now) for user in group)
        ready = [user for user in acting.values() if user.is_active and user.pk not in seen]
        seen |= set(acting)
        mute = {user.pk for user in without_way(ready)}
        yield from (user for user in ready if user.pk not in mute)


def _groups(problem: Problem, now: datetime) -> Iterator[list[User]]:
    account = problem.account
    manager = account.manager or problem.owner.manager
    officer = officer_for(account, now)
    yield [manager] if manager else []
    yield [officer] if officer else []
    yield executives_for(account)
    yield list(active_users_with_role(Role.ADMINISTRATOR))


def _ask_administrators(missed: Missed, *, lost: User, instead: User | None, now: datetime) -> None:
    notices = []
    for user in active_users_with_role(Role.ADMINISTRATOR):
        who = str(instead) if instead else ""
        title, text = out_of_reach_words(missed, instead=who, language=user.language)
        notices.append(
            console_notice(
                user,
                key=f"out_of_reach:{lost.pk}:{now:%Y%m%d}",
                kind=KIND,
                priority=Priority.LADDER,
                title=title,
                text=text,
                path="/health/",
            )
        )
    enqueue(notices, now=now)
