"""The small print of a notice, in each language and on the reader's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.translation import override

from sentinel.escalation.small_print import Pointer, Reader, Skipped, Told, Tried, short, small_print
from sentinel.problems.rules import CallOutcome

AT = datetime(2026, 3, 6, 9, 20, tzinfo=UTC)
TRIED = (
    Tried(at=AT, outcome=CallOutcome.NO_ANSWER, caller="Maria Schulz"),
    Tried(at=AT + timedelta(minutes=30), outcome=CallOutcome.CALL_BACK, caller="Tom Becker"),
)


def test_it_says_what_was_tried_on_the_reader_s_clock() -> None:
    reader = Reader(zone="Europe/Kyiv", language="en")
    reported, tried = small_print(reader, opened_at=AT, tried=TRIED)
    assert reported == "Reported Friday 6 March, 11:20."
    assert tried == (
        "Tried so far: Friday 6 March, 11:20, no answer (Maria Schulz); "
        "Friday 6 March, 11:50, wants to be called back (Tom Becker)"
    )


@pytest.mark.parametrize(
    ("language", "tried", "skipped"),
    [
        ("de", "keine Antwort", "Die Stufen 1 bis 3 waren"),
        ("fr", "sans réponse", "Les échelons 1 à 3 étaient"),
        ("es", "sin respuesta", "Los escalones 1 a 3 vencían"),
        ("ja", "応答なし", "段階1〜3は"),
    ],
)
def test_it_is_written_in_the_reader_s_language(language: str, tried: str, skipped: str) -> None:
    with override(language):
        lines = small_print(
            Reader(zone="Europe/Berlin", language=language),
            opened_at=AT,
            tried=TRIED,
            skipped=Skipped(first=1, last=3, since=AT),
        )
    assert tried in lines[1]
    assert lines[-1].startswith(skipped)
    assert not any(word in line for line in lines for word in ("UTC", "call", "engine", "March"))


def test_one_late_rung_is_named_alone() -> None:
    reader = Reader(zone="UTC", language="en")
    assert small_print(reader, opened_at=AT, skipped=Skipped(first=2, last=2, since=AT))[-1] == (
        "Rung 2 was due on Friday 6 March, 09:20, while the engine was late."
    )


def test_whoever_was_told_twice_stands_there_once() -> None:
    told = [Told(name="Tom Becker", at=AT + timedelta(hours=1)), Told(name="Tom Becker", at=AT)]
    lines = small_print(Reader(zone="UTC", language="en"), opened_at=AT, told=told)
    assert lines[-1] == "Also told: Tom Becker (Friday 6 March, 10:20)"


def test_a_problem_of_the_same_cause_is_named_with_its_words() -> None:
    other = Pointer(problem_id=1, worker_name="Rui", words="It jams. " * 20)
    lines = small_print(Reader(zone="UTC", language="en"), opened_at=AT, others=[other])
    assert lines[-1] == f"Same cause: Rui, “{short(other.words)}”"
    assert len(short(other.words)) <= 60
