"""A user answers a notice by mail: a note on the problem, and never anything else.

Mail proves too little to acknowledge, promise or propose by it; the console is one click away.
"""

from __future__ import annotations

from sentinel.inbound.rules import describe_files, kept_files
from sentinel.inbound.services import Links
from sentinel.inbound.states import Outcome
from sentinel.people.models import User
from sentinel.workflows.mail_outcome import Arrival, Done
from sentinel.workflows.manage_problem import add_note


def user_writing(arrival: Arrival) -> User | None:
    """The active user whose address the mail comes from. A worker's own address is never a user's."""
    if not arrival.mail.from_address or arrival.is_own:
        return None
    return User.objects.filter(email__iexact=arrival.mail.from_address, is_active=True).first()


def act_on_user_mail(arrival: Arrival, user: User) -> Done:
    """Keep a user's words as a note on the problem they answer; without one, a person looks."""
    problem_id = arrival.thread.problem_id
    account_id = arrival.links().account_id
    links = Links(account_id=account_id, user_id=user.pk, problem_id=problem_id)
    if arrival.thread.worker is not None:
        # The worker holds this address, too, and anybody can write a From: it would be a note in a
        # colleague's name that the colleague never wrote.
        note = f"It comes from the address of {user}, but answers mail to {arrival.thread.worker.name}."
        return Done(outcome=Outcome.UNPLACED, needs_person=True, note=note, links=links)
    if problem_id is None or not arrival.thread.is_signed:
        note = f"{user} wrote to a mailbox that takes answers about one problem only."
        return Done(outcome=Outcome.UNPLACED, needs_person=True, note=note, links=links)
    files = describe_files((part.sniffed_type, part.refused) for part in kept_files(arrival.reading))
    text = "\n\n".join(part for part in (arrival.words, f"With {files}" if files else "") if part)
    if not text:
        return Done(outcome=Outcome.EMPTY, note="Nothing new was written.", links=links)
    add_note(problem_id=problem_id, user=user, text=text, now=arrival.now)
    return Done(outcome=Outcome.NOTED, links=links)
