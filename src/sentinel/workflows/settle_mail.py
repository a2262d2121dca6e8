"""A person deals with a mail that waited for one: it belongs to a problem, is a new one, or is answered."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sentinel.checkins.rules import Severity
from sentinel.inbound.errors import MailSettled, MailUnknown
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.rules import describe_files
from sentinel.inbound.selectors import files_of
from sentinel.inbound.services import lock_mail, settle_by_person
from sentinel.inbound.states import IncomingState, Outcome
from sentinel.kernel.errors import NotAllowed, NotFound, Refused
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.problems.models import Problem
from sentinel.problems.selectors import problems_visible_to
from sentinel.problems.services import lock_problem
from sentinel.timeline.services import About, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem, user_actor
from sentinel.workflows.mail_access import incoming_visible_to
from sentinel.workflows.open_problem import open_problem_for
from sentinel.workflows.worker_words import join_words

_ACTING = (Role.OWNER, Role.MANAGER, Role.EXECUTIVE, Role.OFFICER, Role.ADMINISTRATOR)


def settle_mail(
    *,
    incoming_id: int,
    user: User,
    problem_id: int | None = None,
    worker_id: int | None = None,
    severity: Severity = Severity.HINDERS,
    note: str = "",
    now: datetime,
) -> Problem | None:
    """Say what a mail is that nobody could place. Returns the problem it belongs to.

    ``problem_id``: its words join that problem. ``worker_id``: it opens a problem of that worker.
    Neither: it was answered otherwise, or is nothing; then ``note`` says so and is required.
    Raises MailUnknown, MailSettled, NotFound, NotAllowed or Refused in plain words.
    """
    if problem_id is not None and worker_id is not None:
        raise Refused("mail_one_home", "A mail belongs to a problem or opens one, not both.")
    with transaction.atomic():
        mail = lock_mail(incoming_id)
        if not incoming_visible_to(user, now).filter(pk=incoming_id).exists():
            raise MailUnknown
        if not user.has_role(*_ACTING):
            raise NotAllowed("mail_read_only", "Your role may read mail, but not settle it.")
        if mail.state != IncomingState.PERSON.value:
            raise MailSettled
        if problem_id is not None:
            outcome, problem = Outcome.ATTACHED, _attach(mail, problem_id, user=user, now=now)
        elif worker_id is not None:
            outcome = Outcome.OPENED_BY_PERSON
            problem = _open(mail, worker_id, user=user, severity=severity, now=now)
        else:
            if not note.strip():
                raise Refused("mail_note", "Say what you did about it, or why nothing needs to be done.")
            outcome, problem = Outcome.ANSWERED_OTHERWISE, None
        _settle(mail, outcome=outcome, problem=problem, user=user, note=note, now=now)
        return problem


def _attach(mail: IncomingMail, problem_id: int, *, user: User, now: datetime) -> Problem:
    """The words join; whoever is accountable hears of it. That they are the worker's is this user's word.

    Administrators may do it, too: they sort the mail that nobody else can see.
    """
    problem = lock_problem(problem_id)
    if not problems_visible_to(user, now).filter(pk=problem_id).exists():
        raise NotFound("problem_unknown", "There is no such problem.")
    files = describe_files((file.sniffed_type, file.refused) for file in files_of(mail) if not file.is_inline)
    note = f"From a mail by {mail.from_address or 'an unnamed sender'}" + (f", with {files}" if files else "")
    join_words(problem=problem, words=_words(mail), note=note, actor=user_actor(user), now=now)
    return problem


def _open(mail: IncomingMail, worker_id: int, *, user: User, severity: Severity, now: datetime) -> Problem:
    return open_problem_for(user=user, worker_id=worker_id, words=_words(mail), severity=severity, now=now)


def _words(mail: IncomingMail) -> str:
    return mail.words.strip() or mail.full_text.strip() or mail.subject


def _settle(
    mail: IncomingMail, *, outcome: Outcome, problem: Problem | None, user: User, note: str, now: datetime
) -> None:
    settle_by_person(
        mail=mail,
        user_id=user.pk,
        outcome=outcome,
        note=note.strip(),
        now=now,
        problem_id=problem.pk if problem else None,
        worker_id=problem.worker_id if problem else None,
        account_id=problem.account_id if problem else None,
    )
    about = about_problem(problem) if problem else About(account_id=mail.account_id, worker_id=mail.worker_id)
    record_event(
        verb=Verb.MAIL_SETTLED,
        at=now,
        actor=user_actor(user),
        about=about,
        data={"mail": mail.pk, "outcome": outcome.value, "note": note.strip()},
    )
