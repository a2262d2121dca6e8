"""Reading placed calls."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Q, QuerySet

from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import EndReason
from sentinel.people.models import User
from sentinel.problems.rules import OPEN_STATES

#: How the ids of steps begin that a provider told only because it was asked.
ASKED = "status-"
#: How calls end about which only the caller can say what came of them, connected or not …
_TO_BE_TOLD = (EndReason.COMPLETED.value, EndReason.LOST.value)
#: … besides all that were connected, however they ended.
IS_TO_BE_TOLD = Q(ended_at__isnull=False) & (Q(bridged_at__isnull=False) | Q(reason__in=_TO_BE_TOLD))


def is_to_be_told(call: PlacedCall) -> bool:
    """Whether the call is over and only its caller can say what came of it."""
    return not call.is_going_on and (call.bridged_at is not None or call.reason in _TO_BE_TOLD)


def call_going_on(problem_id: int) -> PlacedCall | None:
    """The one call about a problem that has not ended."""
    return _calls().filter(problem_id=problem_id, ended_at=None).first()


def own_call_going_on(user_id: int) -> PlacedCall | None:
    """The one call of a user with a worker that has not ended."""
    return _calls().filter(user_id=user_id, ended_at=None, problem__isnull=False).first()


def newest_test(user_id: int) -> PlacedCall | None:
    """The last test call of a user."""
    return _calls().filter(user_id=user_id, problem=None).order_by("-id").first()


def was_reported(call: PlacedCall) -> bool:
    """Whether the provider has ever said anything about the call without being asked."""
    return call.steps.exclude(event_id__startswith=ASKED).exists()


def newest_call(problem_id: int, user_id: int) -> PlacedCall | None:
    """What the user asked for last about this problem."""
    return _calls().filter(problem_id=problem_id, user_id=user_id).order_by("-id").first()


def calls_of_problem(problem_id: int) -> QuerySet[PlacedCall]:
    """All placed calls about a problem, oldest first, with their steps."""
    return _calls().filter(problem_id=problem_id).prefetch_related("steps")


def awaiting_outcome(user_id: int) -> QuerySet[PlacedCall]:
    """Calls of a user that are over, and nobody has said what came of them; open problems only."""
    return _calls().filter(
        IS_TO_BE_TOLD,
        user_id=user_id,
        outcome=None,
        problem__state__in=[state.value for state in OPEN_STATES],
    )


def counts_by_state() -> dict[str, int]:
    """How many calls with workers are going on, by state."""
    rows = PlacedCall.objects.filter(ended_at=None, problem__isnull=False).values("state")
    counted = rows.annotate(number=Count("pk")).order_by("state")
    return {row["state"]: row["number"] for row in counted}


def is_talking(*, problem_id: int, user: User) -> bool:
    """Whether a call about the problem, or one of the user, is going on."""
    return PlacedCall.objects.filter(Q(problem_id=problem_id) | Q(user=user), ended_at=None).exists()


def call_by_key(key: str) -> PlacedCall | None:
    """The call of that name."""
    return _calls().filter(key=key).first()


def unseen_since(before: datetime) -> list[PlacedCall]:
    """Calls going on of which no provider has said anything since an instant."""
    return list(_calls().filter(ended_at=None, seen_at__lt=before))


def going_on() -> list[PlacedCall]:
    """Every call that has not ended as far as anybody knows, tests among them."""
    return list(_calls().filter(ended_at=None))


def hang_ups_wanted() -> list[PlacedCall]:
    """Calls going on whose user wants them ended."""
    return list(_calls().filter(ended_at=None, hang_up_asked_at__isnull=False))


def _calls() -> QuerySet[PlacedCall]:
    return PlacedCall.objects.select_related("user", "outcome")
