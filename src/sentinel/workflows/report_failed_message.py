"""A message that will not arrive must itself become visible: on the timeline, and to somebody who can act."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sentinel.accounts.models import Account, Worker
from sentinel.accounts.services.reachability import mark_bounced
from sentinel.hooks.services import RECIPIENT, switch_off_lost_endpoint
from sentinel.outbox.rules import Priority, State
from sentinel.outbox.services import Claimed, NewMessage, enqueue
from sentinel.people.contacts import switch_off_lost_method
from sentinel.people.models import User
from sentinel.people.reach import mark_mail_refused
from sentinel.people.rules import Role
from sentinel.people.selectors import active_users_with_role
from sentinel.problems.models import Problem
from sentinel.timeline.services import ENGINE, About, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.hand_on_notice import hand_on_notice
from sentinel.workflows.telling import console_notice
from sentinel.workflows.ways import CODE_KIND, TEST_KIND


def report_failed_message(
    *, message: Claimed, state: State, reason: str, address_refused: bool, now: datetime
) -> None:
    """Record that a message failed for good and tell whoever can do something about it, by console.

    A worker's refused address is marked as bounced, which gives the owner a repair task; a user's way at
    which nobody is any more is switched off, and so is their refused e-mail. When the last way of a notice
    about an open problem failed, the next person gets that notice in their place. Any other message to a user
    is reported to the account's manager, mail to a worker to the problem's owner; with neither, to the
    administrators. Reports about console notices go nowhere else: they cannot fail.
    """
    with transaction.atomic():
        problem = (
            Problem.objects.select_related("account__manager", "account__owner", "owner", "worker")
            .filter(pk=message.problem_id)
            .first()
            if message.problem_id is not None
            else None
        )
        account = problem.account if problem else Account.objects.filter(pk=message.account_id or 0).first()
        worker = (
            Worker.objects.filter(pk=message.recipient_id).first()
            if message.recipient_kind == "worker"
            else None
        )
        if address_refused:
            _give_up_address(message, worker=worker, reason=reason, now=now)
        record_event(
            verb=Verb.MESSAGE_FAILED,
            at=now,
            actor=ENGINE,
            about=About(
                account_id=account.pk if account else None,
                site_id=worker.site_id if worker else None,
                worker_id=worker.pk if worker else None,
                problem_id=problem.pk if problem else None,
                user_id=message.recipient_id if message.recipient_kind == "user" else None,
            ),
            data={
                "kind": message.kind,
                "channel": message.channel,
                "to": message.address,
                "state": state.value,
                "reason": reason[:500],
                "tries": message.attempts,
            },
        )
        if message.recipient_kind == "user" and hand_on_notice(message=message, reason=reason, now=now):
            return
        hearers = _who_hears(message, problem=problem, account=account)
        enqueue([_notice(message, user=user, reason=reason) for user in hearers], now=now)


def _give_up_address(message: Claimed, *, worker: Worker | None, reason: str, now: datetime) -> None:
    """Nobody lives there: nothing more is sent to it until a person has looked."""
    payload = message.payload
    if worker is not None and message.channel == "email":
        mark_bounced(worker_id=worker.pk, reason=reason, now=now)
    if message.recipient_kind == "user" and message.channel == "email":
        mark_mail_refused(user_id=message.recipient_id, address=message.address, reason=reason, now=now)
    if payload.get("endpoint_id"):
        switch_off_lost_endpoint(endpoint_id=payload["endpoint_id"], reason=reason, now=now)
    if payload.get("method_id"):
        switch_off_lost_method(method_id=payload["method_id"], reason=reason, now=now)


def _who_hears(message: Claimed, *, problem: Problem | None, account: Account | None) -> list[User]:
    # Of codes and tests the person who asked for them sees on their profile what became of them.
    # Of a call that was not placed the caller hears at once, with the number to dial.
    if message.channel in ("console", "voice") or message.kind in (CODE_KIND, TEST_KIND):
        return []
    if message.recipient_kind == RECIPIENT:
        return []  # the endpoint's own log shows it; one notice per event would drown everything else
    if message.payload.get("further"):
        return []  # the next way tells the person already
    if message.recipient_kind == "worker":
        user = problem.owner if problem else account.owner if account else None
    else:
        known = (account.manager, account.owner) if account else ()
        user = next((one for one in known if one and one.pk != message.recipient_id), None)
    if user is not None and user.is_active:
        return [user]
    return list(active_users_with_role(Role.ADMINISTRATOR))


def _what(message: Claimed) -> str:
    return "Mail" if message.channel == "email" else "A message"


def _notice(message: Claimed, *, user: User, reason: str) -> NewMessage:
    subject = str(message.payload.get("subject") or message.payload.get("title") or message.kind)
    path = "/notices/"
    if message.problem_id is not None:
        path = f"/problems/{message.problem_id}/"
    elif message.account_id is not None:
        path = f"/accounts/{message.account_id}/"
    return console_notice(
        user,
        key=f"failed:{message.id}",
        kind="message.failed",
        priority=Priority.LADDER,
        title=f"{_what(message)} to {message.address} did not arrive",
        text=f"“{subject}” was not delivered. Please reach them another way. Reason: {reason[:300]}",
        path=path,
        account_id=message.account_id,
        problem_id=message.problem_id,
    )
