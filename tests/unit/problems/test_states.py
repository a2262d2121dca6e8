"""Which act leads where, and what still forbids an end."""

import pytest

from sentinel.problems.rules import (
    OPEN_STATES,
    TRANSITIONS,
    EndFacts,
    ProblemState,
    may_change,
    why_not_end,
)


def test_it_lets_only_a_proposed_problem_be_confirmed() -> None:
    leading = {state for state in ProblemState if may_change(state=state, to=ProblemState.CONFIRMED)}
    assert leading == {ProblemState.PROPOSED}


def test_it_leads_out_of_an_end_only_by_reopening() -> None:
    for end in (ProblemState.CONFIRMED, ProblemState.ENDED):
        assert TRANSITIONS[end] == {ProblemState.REOPENED}


def test_it_can_end_every_open_problem() -> None:
    assert all(may_change(state=state, to=ProblemState.ENDED) for state in OPEN_STATES)


def test_it_reaches_confirmed_from_every_state() -> None:
    for start in ProblemState:
        seen, todo = {start}, [start]
        while todo:
            for following in TRANSITIONS[todo.pop()] - seen:
                seen.add(following)
                todo.append(following)
        assert ProblemState.CONFIRMED in seen


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({}, 0),
        ({"is_manager": False}, 1),
        ({"has_reason": False}, 1),
        ({"call_attempts": 1}, 1),
        ({"mails_sent": 1}, 1),
        ({"is_manager": False, "has_reason": False, "call_attempts": 0, "mails_sent": 0}, 4),
    ],
)
def test_it_ends_only_with_manager_reason_two_calls_and_two_mails(
    change: dict[str, int], missing: int
) -> None:
    facts = {"is_manager": True, "has_reason": True, "call_attempts": 2, "mails_sent": 2}
    assert len(why_not_end(EndFacts(**{**facts, **change}))) == missing  # type: ignore[arg-type]
