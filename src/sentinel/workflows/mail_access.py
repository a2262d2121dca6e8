"""Who may see which incoming mail: whoever may see the account. What nobody could place, administrators."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from sentinel.accounts.selectors import accounts_visible_to
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.selectors import all_incoming, waiting_for_person
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.problems.selectors import problems_visible_to


def incoming_visible_to(user: User, now: datetime) -> QuerySet[IncomingMail]:
    """The mails a user may see, newest first: those of accounts they may see and of problems that were
    handed to them; administrators see all. Every list, page and attachment asks here."""
    if not user.is_active:
        return IncomingMail.objects.none()
    if user.has_role(Role.ADMINISTRATOR):
        return all_incoming()
    accounts = accounts_visible_to(user, now).values("pk")
    problems = problems_visible_to(user, now).values("pk")
    return all_incoming().filter(Q(account_id__in=accounts) | Q(problem_id__in=problems))


def count_waiting_for_person(user: User, now: datetime) -> int:
    """How many mails wait for this user, or somebody else who may see them, to look."""
    return waiting_for_person(incoming_visible_to(user, now)).count()
