"""Answering a check-in: five seconds for a human, nothing at all for a robot."""

from __future__ import annotations

import pytest
from django.test import Client

from sentinel.checkins.models import Response
from sentinel.checkins.rules import Evidence
from sentinel.kernel.links import Purpose
from sentinel.problems.models import Problem
from sentinel.ui.formatting import telephone_text
from tests.web.respond.asking import (
    BARE,
    HUMAN,
    SCRIPT,
    everything_stored,
    hidden_fields,
    named_word,
    take_the_plain_step,
)
from tests.web.respond.cast import Cast


@pytest.fixture
def frown(cast: Cast) -> str:
    """Anna's frown link."""
    return cast.path(Purpose.ANSWER, cast.check_in(cast.anna).pk, "frown")


@pytest.fixture
def happy(frown: str) -> str:
    """The happy link of the same mail."""
    return frown.replace("/frown/", "/happy/")


def test_it_opens_with_the_face_chosen_and_her_own_number(cast: Cast, stranger: Client, frown: str) -> None:
    html = stranger.get(frown).content.decode()
    assert 'value="frown" checked' in html
    assert 'value="happy" checked' not in html
    assert telephone_text(cast.anna.telephone) in html
    assert "autofocus" not in html


def test_it_opens_a_problem_and_says_who_calls_by_when(cast: Cast, stranger: Client, frown: str) -> None:
    response = stranger.post(
        frown,
        {
            **HUMAN,
            "face": "frown",
            "text": "The lift is stuck.",
            "severity": "stopped",
            "may_call": "yes",
            "number": "+4930777",
            "when": "after lunch",
            "language": "de",
        },
        follow=True,
    )
    problem = Problem.objects.get(worker=cast.anna)
    assert problem.words == "The lift is stuck."
    assert (problem.severity, problem.may_call) == ("stopped", True)
    assert (problem.call_number, problem.call_when, problem.call_language) == (
        "+4930777",
        "after lunch",
        "de",
    )
    html = response.content.decode()
    assert "Otto Berg has it" in html
    # Work stopped: the call is due in half an hour, 11:30 in Berlin.
    assert "Otto Berg will call you by 11:30." in html
    assert 'href="tel:+4930900100"' in html
    assert cast.path(Purpose.PROBLEM, problem.pk) in html


def test_it_promises_no_call_to_somebody_who_wants_none(cast: Cast, stranger: Client, frown: str) -> None:
    form = {**HUMAN, "face": "frown", "text": "Too loud.", "may_call": "no"}
    html = stranger.post(frown, form, follow=True).content.decode()
    assert "Otto Berg will write to you." in html
    assert Problem.objects.get().may_call is False


def test_it_needs_no_text_when_a_human_pressed(cast: Cast, stranger: Client, frown: str) -> None:
    response = stranger.post(frown, {**HUMAN, "face": "frown"})
    assert response.status_code == 303
    assert Problem.objects.get().words == ""


def test_it_counts_the_face_on_the_form_not_the_one_in_the_address(
    cast: Cast, stranger: Client, frown: str
) -> None:
    stranger.post(frown, {**HUMAN, "face": "happy"})
    answer = Response.objects.get()
    assert (answer.face, answer.kind, answer.evidence) == ("happy", "nothing", "verified")
    assert not Problem.objects.exists()


@pytest.mark.parametrize("kind", ["comment", "suggestion", "praise"])
def test_it_passes_a_happy_workers_words_on(cast: Cast, stranger: Client, happy: str, kind: str) -> None:
    form = {**HUMAN, "face": "happy", "kind": kind, "text": "Lovely people."}
    html = stranger.post(happy, form, follow=True).content.decode()
    assert Response.objects.get().kind == kind
    assert "Otto Berg will read this personally." in html
    assert "Lovely people." in html


def test_it_keeps_what_was_typed_when_a_field_is_wrong(cast: Cast, stranger: Client, frown: str) -> None:
    form = {**HUMAN, "face": "frown", "text": "Keep me.", "number": "1" * 33}
    html = stranger.post(frown, form).content.decode()
    assert "Keep me." in html
    assert "Nothing has been lost." in html
    assert not Response.objects.exists()


def test_it_shows_markup_in_her_words_as_text(cast: Cast, stranger: Client, frown: str) -> None:
    form = {**HUMAN, "face": "frown", "text": "<script>alert(1)</script>"}
    html = stranger.post(frown, form, follow=True).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


#              signals, text, other face opened first, honeypot fetched first -> evidence
TRUTH = [
    (HUMAN, "", False, False, Evidence.VERIFIED),
    (HUMAN, "words", False, False, Evidence.VERIFIED),
    (HUMAN, "", True, False, Evidence.ROBOT),
    (HUMAN, "", False, True, Evidence.ROBOT),
    (HUMAN, "words", True, True, Evidence.VERIFIED),
    (SCRIPT, "", False, False, Evidence.PROVISIONAL),
    (SCRIPT, "words", False, False, Evidence.VERIFIED),
    (SCRIPT, "", True, False, Evidence.ROBOT),
    (BARE, "", False, False, Evidence.ROBOT),
    (BARE, "words", False, False, Evidence.VERIFIED),
    (BARE, "words", True, True, Evidence.VERIFIED),
    (BARE, "", True, True, Evidence.ROBOT),
]


@pytest.mark.parametrize(("signals", "text", "both", "honeypot", "evidence"), TRUTH)
def test_it_tells_humans_from_robots(
    cast: Cast,
    stranger: Client,
    frown: str,
    happy: str,
    signals: dict[str, str],
    text: str,
    both: bool,
    honeypot: bool,
    evidence: Evidence,
) -> None:
    if both:
        stranger.get(happy)
    if honeypot:
        stranger.get(frown.replace("/frown/", "/more/"))
    stranger.get(frown)
    response = stranger.post(frown, {**signals, "face": "frown", "text": text})
    assert Response.objects.get().evidence == evidence.value
    assert Problem.objects.exists() is (evidence is Evidence.VERIFIED)
    # A human whom we took for a robot is always offered a way through.
    assert (response.status_code == 200) is (evidence is not Evidence.VERIFIED)


@pytest.mark.parametrize("signals", [BARE, SCRIPT])
def test_it_verifies_by_one_plain_step_without_any_script(
    cast: Cast, stranger: Client, frown: str, signals: dict[str, str]
) -> None:
    form = {**signals, "face": "frown", "severity": "annoying", "may_call": "no"}
    page = stranger.post(frown, form)
    assert "Please choose the word" in page.content.decode()
    done = take_the_plain_step(stranger, frown, page.content.decode())
    assert done.status_code == 303
    problem = Problem.objects.get()
    assert (problem.severity, problem.may_call) == ("annoying", False)


def test_it_asks_for_another_word_after_a_wrong_one(cast: Cast, stranger: Client, frown: str) -> None:
    html = stranger.post(frown, {**BARE, "face": "frown"}).content.decode()
    wrong = stranger.post(frown, {**BARE, **hidden_fields(html), "word": "nothing"})
    html = wrong.content.decode()
    assert "That was another word." in html
    assert not Problem.objects.exists()
    assert take_the_plain_step(stranger, frown, html).status_code == 303


def test_it_never_lets_the_first_choice_be_the_right_one(cast: Cast, stranger: Client, frown: str) -> None:
    for _minute in range(12):
        cast.clock.advance(minutes=7)
        html = stranger.post(frown, {**BARE, "face": "frown"}).content.decode()
        assert html.count('name="word"') == 3
        first = html.split('name="word" value="')[1].split('"')[0]
        assert first != named_word(html)


def test_it_refuses_a_plain_step_of_another_link_or_of_yesterday(
    cast: Cast, stranger: Client, frown: str
) -> None:
    other = cast.path(Purpose.ANSWER, cast.check_in(cast.bert).pk, "frown")
    html = stranger.post(other, {**BARE, "face": "frown"}).content.decode()
    stranger.post(frown, {**BARE, **hidden_fields(html), "word": named_word(html)})
    assert not Problem.objects.exists()
    html = stranger.post(frown, {**BARE, "face": "frown"}).content.decode()
    cast.clock.advance(hours=3)
    stranger.post(frown, {**BARE, **hidden_fields(html), "word": named_word(html)})
    assert not Problem.objects.exists()


def test_it_takes_a_form_sent_twice_as_one_answer(cast: Cast, stranger: Client, frown: str) -> None:
    form = {**HUMAN, "face": "frown", "text": "Once."}
    stranger.post(frown, form)
    before = everything_stored()
    assert stranger.post(frown, form).status_code == 303
    assert everything_stored() == before


def test_it_joins_later_words_to_the_same_problem(cast: Cast, stranger: Client, frown: str) -> None:
    stranger.post(frown, {**HUMAN, "face": "frown", "text": "It rattles."})
    cast.clock.advance(hours=3)
    stranger.post(frown, {**HUMAN, "face": "frown", "text": "Now it smokes."})
    problem = Problem.objects.get()
    html = stranger.get(cast.path(Purpose.PROBLEM, problem.pk)).content.decode()
    assert "It rattles." in html
    assert "Now it smokes." in html


def test_it_reminds_her_of_what_she_reported_before(cast: Cast, stranger: Client, frown: str) -> None:
    problem = cast.problem(cast.anna)
    assert cast.path(Purpose.PROBLEM, problem.pk) in stranger.get(frown).content.decode()


def test_it_never_ends_with_a_mail_that_is_over(cast: Cast, stranger: Client, frown: str) -> None:
    cast.clock.advance(days=46)
    html = stranger.get(frown).content.decode()
    assert "It is never too late" in html
    assert cast.owner.email in html
    response = stranger.post(frown, {**BARE, "text": "Still broken."}, follow=True)
    assert "Otto Berg has it" in response.content.decode()
    problem = Problem.objects.get()
    assert problem.words == "Still broken."


def test_it_takes_no_bare_face_from_a_mail_that_is_over(cast: Cast, stranger: Client, frown: str) -> None:
    cast.clock.advance(days=46)
    before = everything_stored()
    assert stranger.post(frown, {**HUMAN, "face": "frown", "text": " "}).status_code == 200
    assert everything_stored() == before


def test_workers_never_read_an_address_on_our_own_exchange(cast: Cast, stranger: Client, frown: str) -> None:
    cast.owner.telephone = "sip:owner@pbx.example.com"
    cast.owner.save(update_fields=["telephone"])
    told = stranger.post(frown, {**HUMAN, "face": "frown", "text": "Again."}, follow=True).content.decode()
    assert cast.owner.email in told
    assert "sip:" not in told
    assert "tel:" not in told


def test_it_spares_the_owner_a_flood_and_gives_the_words_back(
    cast: Cast, stranger: Client, frown: str
) -> None:
    for n in range(20):
        cast.clock.advance(seconds=90)
        stranger.post(frown, {**HUMAN, "face": "frown", "text": f"Again {n}"})
    before = everything_stored()
    response = stranger.post(frown, {**HUMAN, "face": "frown", "text": "The 21st."})
    assert response.status_code == 429
    assert "The 21st." in response.content.decode()
    assert telephone_text(cast.owner.telephone) in response.content.decode()
    assert everything_stored() == before
    cast.clock.advance(hours=2)
    assert stranger.post(frown, {**HUMAN, "face": "frown", "text": "Later."}).status_code == 303


def test_it_knows_no_third_face(cast: Cast, stranger: Client, frown: str) -> None:
    assert stranger.get(frown.replace("/frown/", "/angry/")).status_code == 404
    stranger.post(frown, {**HUMAN, "face": "angry", "text": "x"})
    assert not Response.objects.exists()
