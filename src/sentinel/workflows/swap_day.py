"""A day of the rota changes hands between two officers: the question, the answer, and who is told.

What may be asked and taken is :mod:`sentinel.people.rota`; here both officers and their managers hear of it,
on the console at once and along their ways.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from sentinel.escalation.people_messages import SwapStep, open_rota, swap_words
from sentinel.kernel.errors import Refused
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.people import rota
from sentinel.people.models import ShiftSwap, User
from sentinel.people.selectors import users_by_id
from sentinel.ui.links import console_url
from sentinel.ui.mail import Letter, automatic_headers, compose, headline, link, plain
from sentinel.workflows.letters import sender_for
from sentinel.workflows.telling import along_ways, console_notice

KIND = "rota.swap"
PATH = "/rota/"


def ask_for_day(*, on: date, of_id: int, note: str, actor: User, now: datetime) -> ShiftSwap:
    """An officer asks another to take a day; the other, and both managers, hear of it."""
    with transaction.atomic():
        swap = rota.ask_swap(on=on, of_id=of_id, note=note, actor=actor, now=now)
        _tell(swap, SwapStep.ASKED, key="asked", text=f"“{swap.note}”" if swap.note else "", now=now)
    return swap


def answer_for_day(*, swap_id: int, accept: bool, actor: User, now: datetime) -> ShiftSwap:
    """Whoever was asked takes the day or not; whoever asked, and both managers, hear of it."""
    with transaction.atomic():
        swap = rota.answer_swap(swap_id=swap_id, accept=accept, actor=actor, now=now)
        _tell(swap, SwapStep.ACCEPTED if accept else SwapStep.DECLINED, key="answered", now=now)
    return swap


def take_back_question(*, swap_id: int, actor: User, now: datetime) -> ShiftSwap:
    """Whoever asked for a day needs no answer any more; the other, and both managers, hear of it."""
    with transaction.atomic():
        swap = rota.withdraw_swap(swap_id=swap_id, actor=actor, now=now)
        _tell(swap, SwapStep.WITHDRAWN, key="withdrawn", now=now)
    return swap


def _tell(swap: ShiftSwap, step: SwapStep, *, key: str, text: str = "", now: datetime) -> None:
    """Everybody concerned, each in their own language."""
    both = users_by_id([swap.asked_by_id, swap.asked_of_id])
    people = [*both.values(), *(user.manager for user in both.values() if user.manager)]
    hearers = {user.pk: user for user in people if user.is_active}
    messages: list[NewMessage] = []
    for user in hearers.values():
        title = swap_words(
            step,
            asker=str(swap.asked_by),
            asked=str(swap.asked_of),
            day=swap.shift.on,
            language=user.language,
        )
        messages += _messages(user, key=f"swap:{swap.pk}:{key}", title=title, text=text, now=now)
    enqueue(messages, now=now)


def _messages(user: User, *, key: str, title: str, text: str, now: datetime) -> list[NewMessage]:
    url = console_url(PATH)
    try:
        sender = sender_for(user)
    except Refused:
        # Before the set-up there is no address to write from.
        return [
            console_notice(
                user, key=key, kind=KIND, priority=Priority.ANSWER, title=title, text=text, path=PATH
            )
        ]
    letter = Letter(
        subject=title,
        preheader=text,
        language=user.language,
        sender=sender,
        before=(headline(title), *((plain(text),) if text else ()), link(open_rota(user.language), url)),
    )
    mail = compose(letter, headers=automatic_headers(stream="rota", subject_id=user.pk))
    return along_ways(
        user,
        key=key,
        kind=KIND,
        priority=Priority.ANSWER,
        said={"title": title, "text": text, "url": url},
        mail={**mail.payload(), "from_name": "Sentinel"},
        account_id=None,
        now=now,
    )
