"""A press counts by its evidence; the table of all signals, and the traps of mail scanners."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from sentinel.checkins.rules import BURST, Evidence, Face, Press, Visit, judge

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
V, P, R = Evidence.VERIFIED, Evidence.PROVISIONAL, Evidence.ROBOT


def press(face: Face = Face.FROWN, **signals: Any) -> Press:
    blank: dict[str, Any] = {
        "has_text": False,
        "trusted_event": False,
        "script_ran": False,
        "plain_step_passed": False,
    }
    return Press(face=face, at=NOW, **(blank | signals))


def visit(target: str, seconds: float = 10) -> Visit:
    return Visit(at=NOW - timedelta(seconds=seconds), target=target)


@pytest.mark.parametrize(
    ("text", "plain_step", "trusted", "script"), list(product((False, True), repeat=4)), ids=str
)
def test_the_truth_table_of_a_quiet_link(text: bool, plain_step: bool, trusted: bool, script: bool) -> None:
    verdict = judge(
        press=press(has_text=text, plain_step_passed=plain_step, trusted_event=trusted, script_ran=script),
        visits=[visit("frown")],
        presses=[],
    )
    expected = V if text or plain_step or trusted else P if script else R
    assert verdict.evidence is expected
    assert verdict.offer_plain_step is (expected is not V)
    assert verdict.reasons


@pytest.mark.parametrize("face", list(Face))
@pytest.mark.parametrize("target", ["honeypot", "other"])
@pytest.mark.parametrize(
    ("signals", "evidence"),
    [
        ({"has_text": True}, V),
        ({"plain_step_passed": True}, V),
        ({"trusted_event": True, "script_ran": True}, R),
        ({"script_ran": True}, R),
        ({}, R),
    ],
)
def test_a_burst_or_the_trap_beats_everything_but_words_and_the_plain_step(
    face: Face, target: str, signals: dict[str, bool], evidence: Evidence
) -> None:
    other = Face.HAPPY if face is Face.FROWN else Face.FROWN
    opened = visit(other.value if target == "other" else target)
    verdict = judge(press=press(face, **signals), visits=[opened], presses=[])
    assert verdict.evidence is evidence
    assert verdict.offer_plain_step is (evidence is R)


@pytest.mark.parametrize(("seconds", "evidence"), [(59, R), (60, R), (61, V), (86_400, V)])
def test_the_other_face_counts_for_a_minute(seconds: int, evidence: Evidence) -> None:
    verdict = judge(press=press(trusted_event=True), visits=[visit("happy", seconds)], presses=[])
    assert verdict.evidence is evidence


def test_both_faces_pressed_without_words_are_a_robots_doing() -> None:
    verdict = judge(press=press(Face.HAPPY, trusted_event=True), visits=[], presses=[press(Face.FROWN)])
    assert verdict.evidence is R
    assert verdict.reasons == ("both faces within a minute",)


def test_a_frown_with_words_does_not_spoil_a_later_press() -> None:
    earlier = press(Face.FROWN, has_text=True)
    verdict = judge(press=press(Face.HAPPY, trusted_event=True), visits=[], presses=[earlier])
    assert verdict.evidence is V


def test_the_same_face_twice_is_no_contradiction() -> None:
    verdict = judge(press=press(trusted_event=True), visits=[visit("frown")], presses=[press()])
    assert verdict.evidence is V


def test_a_minute_is_a_minute() -> None:
    assert timedelta(seconds=60) == BURST


@pytest.mark.parametrize(
    ("signals", "evidence"),
    [
        ({"has_text": True}, V),
        ({"plain_step_passed": True}, V),
        ({"trusted_event": True, "script_ran": True}, P),
        ({"script_ran": True}, P),
        ({}, R),
    ],
)
def test_where_scanners_press_buttons_an_event_right_after_sending_waits_for_more(
    signals: dict[str, Any], evidence: Evidence
) -> None:
    verdict = judge(press=press(**signals), visits=[], presses=[], is_doubtful_here=True)
    assert verdict.evidence is evidence
    assert verdict.offer_plain_step is (evidence is not V)
