"""What stories of calls do and look at."""

from __future__ import annotations

from sentinel.calls.models import PlacedCall
from sentinel.problems.models import Problem
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.place_call import place_call
from tests.world import World

CALL_VERBS = (
    Verb.CALL_REQUESTED,
    Verb.CALL_OWNER_ANSWERED,
    Verb.CALL_WORKER_DIALED,
    Verb.CALL_BRIDGED,
    Verb.CALL_ENDED,
)


def press(world: World, problem: Problem) -> PlacedCall:
    """Maria presses "Call", and the engine places it."""
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    world.tick()
    return call


def told(problem: Problem) -> list[str]:
    """The verbs of the call on the problem's timeline, as the story reads."""
    rows = Event.objects.filter(problem_id=problem.pk, verb__startswith="call.").order_by("at", "id")
    return list(rows.values_list("verb", flat=True))


def notices(world: World) -> list[str]:
    """What Maria's console says about calls."""
    return [f"{m.payload['title']} | {m.payload['text']}" for m in world.notices(world.maria)
            if m.kind == "call.ended"]  # fmt: skip
