"""A notice that reached its person on no way goes to the next person, as a notice of its own."""

from __future__ import annotations

from datetime import datetime

from sentinel.escalation.messages import Reason
from sentinel.escalation.models import Duty
from sentinel.escalation.people_messages import Undelivered
from sentinel.outbox.bundling import MERGED_KIND
from sentinel.outbox.gate import PICTURE_KIND
from sentinel.outbox.selectors import MessageView, message_for, told_in
from sentinel.outbox.services import Claimed
from sentinel.people.models import User
from sentinel.people.reach import without_way
from sentinel.problems.models import Problem
from sentinel.workflows.notices import KIND, News, tell_users
from sentinel.workflows.reach import pass_on

#: The key of a notice that came from another one goes on with the number of that message.
_HANDED_ON = "failed:"


def hand_on_notice(*, message: Claimed | MessageView, reason: str, now: datetime) -> bool:
    """The last way of a notice failed for good: whoever is next gets it. Inside a transaction.

    Of a message that stood for several notices each is handed on. False when it is no notice about an open
    problem, when another way follows, or when there is nobody.
    """
    if message.payload.get("further"):
        return False
    if message.kind in (MERGED_KIND, PICTURE_KIND):
        handed = [_hand_on(one, reason=reason, now=now) for one in told_in(message.id)]
        return any(handed)
    return _hand_on(message, reason=reason, now=now)


def _hand_on(message: Claimed | MessageView, *, reason: str, now: datetime) -> bool:
    if message.kind != KIND or message.problem_id is None:
        return False
    lost = User.objects.filter(pk=message.recipient_id).first()
    duty = Duty.objects.select_related("accountable").filter(problem_id=message.problem_id).first()
    if lost is None or duty is None:
        return False
    problem = Problem.objects.select_related(
        "account__manager", "account__focus_executive", "owner__manager", "worker", "site"
    ).get(pk=duty.problem_id)
    failed = Undelivered(by_mail=message.channel == "email", address=message.address, reason=reason[:300])
    instead, sentence = pass_on(problem, lost=lost, failed=failed, tried=_tried(message), now=now)
    if instead is None:
        return False
    news = News(reason=Reason.DUE, key=f"{_HANDED_ON}{message.id}", instead_of=sentence, rung=duty.rung)
    tell_users(problem, users=[instead], duty=duty, news=news, now=now)
    return True


def _tried(message: Claimed | MessageView) -> set[int]:
    """Whom this notice did not reach so far: its key names the message it came from, and so on."""
    people, key = {message.recipient_id}, message.dedupe_key
    while key.startswith(_HANDED_ON):
        before = message_for(int(key.removeprefix(_HANDED_ON).partition(":")[0]))
        if before is None:
            break
        people.add(before.recipient_id)
        key = before.dedupe_key
    return people


def hand_on_bounced(*, message: MessageView, user: User, reason: str, now: datetime) -> bool:
    """A mail came back after it was taken: hand its notice on when the user has no other way left."""
    return bool(without_way([user])) and hand_on_notice(message=message, reason=reason, now=now)
