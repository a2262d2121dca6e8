"""What is going to happen to a problem, decided when it is opened. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from random import Random

from sentinel.ops.demo.words import Trouble
from sentinel.problems.rules import CallOutcome


class Answer(StrEnum):
    """What the worker says to a proposal."""

    YES = "yes"
    NOT_YET = "not yet"
    ON_THE_TELEPHONE = "on the telephone"
    NOTHING = "nothing"


class Promise(StrEnum):
    """What becomes of the promised date."""

    KEPT = "kept"
    MOVED = "moved"
    MISSED = "missed"


@dataclass
class Plot:
    """The course of one problem. Minutes and hours are business time; lists are used up from the left."""

    kind: str
    trouble: Trouble
    acknowledge_after: timedelta
    call_after: timedelta
    promise_after: timedelta
    failed_calls: deque[CallOutcome] = field(default_factory=deque)
    promise: Promise = Promise.KEPT
    solved_at_share: float = 0.7
    answers: deque[Answer] = field(default_factory=deque)
    answer_after: timedelta = timedelta(hours=3)
    wants_manager: bool = False
    objects: bool = False
    comes_back: bool = False
    has_left: bool = False
    adds_words: bool = False


#: Every kind comes up again and again, in this order, so that even a short history has most of them.
KINDS = (
    "plain", "late", "no answer", "plain", "not yet", "moved", "plain", "telephone", "plain", "missed",
    "call back", "plain", "silent", "very late", "plain", "wrong number", "manager", "plain", "left",
    "objects", "more words", "plain", "comes back", "plain", "not yet twice",
)  # fmt: skip


def plot_of(number: int, *, trouble: Trouble, rng: Random) -> Plot:
    """The plot of the ``number``-th problem."""
    kind = KINDS[number % len(KINDS)]
    plot = Plot(
        kind=kind,
        trouble=trouble,
        acknowledge_after=timedelta(minutes=rng.uniform(2, 9)),
        call_after=timedelta(minutes=rng.uniform(4, 30)),
        promise_after=timedelta(minutes=rng.uniform(20, 200)),
        solved_at_share=rng.uniform(0.35, 0.95),
        answers=deque([Answer.YES]),
        answer_after=timedelta(hours=rng.uniform(0.3, 9)),
    )
    twist = _TWISTS.get(kind)
    if twist is not None:
        twist(plot, rng)
    return plot


def _late(plot: Plot, rng: Random) -> None:
    plot.acknowledge_after = timedelta(minutes=rng.uniform(25, 70))


def _very_late(plot: Plot, rng: Random) -> None:
    plot.acknowledge_after = timedelta(hours=rng.uniform(4.5, 6))


def _failed(*outcomes: CallOutcome) -> deque[CallOutcome]:
    return deque(outcomes)


def _no_answer(plot: Plot, rng: Random) -> None:
    plot.failed_calls = _failed(*[CallOutcome.NO_ANSWER] * rng.randint(1, 2))


def _call_back(plot: Plot, rng: Random) -> None:
    plot.failed_calls = _failed(CallOutcome.CALL_BACK)


def _wrong_number(plot: Plot, rng: Random) -> None:
    plot.failed_calls = _failed(CallOutcome.WRONG_NUMBER)


def _moved(plot: Plot, rng: Random) -> None:
    plot.promise = Promise.MOVED


def _missed(plot: Plot, rng: Random) -> None:
    plot.promise = Promise.MISSED


def _not_yet(plot: Plot, rng: Random) -> None:
    plot.answers = deque([Answer.NOT_YET, Answer.YES])


def _not_yet_twice(plot: Plot, rng: Random) -> None:
    plot.answers = deque([Answer.NOT_YET, Answer.NOT_YET, Answer.YES])


def _telephone(plot: Plot, rng: Random) -> None:
    plot.answers = deque([Answer.ON_THE_TELEPHONE])


def _silent(plot: Plot, rng: Random) -> None:
    plot.answers = deque([Answer.NOTHING])


def _manager(plot: Plot, rng: Random) -> None:
    plot.wants_manager = True
    plot.promise = Promise.MOVED


def _objects(plot: Plot, rng: Random) -> None:
    plot.answers = deque([Answer.ON_THE_TELEPHONE, Answer.YES])
    plot.objects = True


def _comes_back(plot: Plot, rng: Random) -> None:
    plot.answers = deque([Answer.YES, Answer.YES])
    plot.comes_back = True


def _left(plot: Plot, rng: Random) -> None:
    plot.failed_calls = _failed(CallOutcome.NO_ANSWER, CallOutcome.NO_ANSWER)
    plot.has_left = True


def _more_words(plot: Plot, rng: Random) -> None:
    plot.adds_words = True


_TWISTS = {
    "late": _late,
    "very late": _very_late,
    "no answer": _no_answer,
    "call back": _call_back,
    "wrong number": _wrong_number,
    "moved": _moved,
    "missed": _missed,
    "not yet": _not_yet,
    "not yet twice": _not_yet_twice,
    "telephone": _telephone,
    "silent": _silent,
    "manager": _manager,
    "objects": _objects,
    "comes back": _comes_back,
    "left": _left,
    "more words": _more_words,
}
