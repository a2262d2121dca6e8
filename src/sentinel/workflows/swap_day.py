"""A day of the rota changes hands between two officers: the question, the answer, and who is told.

What may be asked and taken is :mod:`sentinel.people.rota`; here both officers and their managers hear of it,
on the console at once and along their ways.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

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
        asks = f"{swap.asked_by} asks {swap.asked_of} to be officer of the day on {_day(swap)}."
        _tell(swap, title=asks, text=f"“{swap.note}”" if swap.note else "", step="asked", now=now)
    return swap


def answer_for_day(*, swap_id: int, accept: bool, actor: User, now: datetime) -> ShiftSwap:
    """Whoever was asked takes the day or not; whoever asked, and both managers, hear of it."""
    with transaction.atomic():
        swap = rota.answer_swap(swap_id=swap_id, accept=accept, actor=actor, now=now)
        said = (
            f"{swap.asked_of} is officer of the day on {_day(swap)}, in place of {swap.asked_by}."
            if accept
            else f"{swap.asked_of} does not take {_day(swap)}; {swap.asked_by} stays officer of the day."
        )
        _tell(swap, title=said, text="", step="answered", now=now)
    return swap


def take_back_question(*, swap_id: int, actor: User, now: datetime) -> ShiftSwap:
    """Whoever asked for a day needs no answer any more; the other, and both managers, hear of it."""
    with transaction.atomic():
        swap = rota.withdraw_swap(swap_id=swap_id, actor=actor, now=now)
        said = f"{swap.asked_by} needs nobody for {_day(swap)} any more and stays officer of the day."
        _tell(swap, title=said, text="", step="withdrawn", now=now)
    return swap


def _tell(swap: ShiftSwap, *, title: str, text: str, step: str, now: datetime) -> None:
    both = users_by_id([swap.asked_by_id, swap.asked_of_id])
    people = [*both.values(), *(user.manager for user in both.values() if user.manager)]
    hearers = {user.pk: user for user in people if user.is_active}
    messages: list[NewMessage] = []
    for user in hearers.values():
        messages += _messages(user, key=f"swap:{swap.pk}:{step}", title=title, text=text, now=now)
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
        language="en",
        sender=sender,
        before=(headline(title), *((plain(text),) if text else ()), link("Open the rota", url)),
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


def _day(swap: ShiftSwap) -> str:
    return f"{swap.shift.on:%A, %-d %B %Y}"
