"""Only a link that we signed, for this purpose, opens a page; and it opens one worker's own things."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from sentinel.kernel.links import Purpose
from sentinel.timeline.services import About, Actor, record_event
from sentinel.timeline.verbs import ActorKind, Verb
from sentinel.workflows.worker_words import add_worker_words
from tests.web.respond.asking import HUMAN, everything_stored
from tests.web.respond.cast import Cast
from tests.web.respond.test_reading import every_path


def test_it_answers_forged_foreign_and_orphaned_links_with_one_and_the_same_page(
    cast: Cast, stranger: Client
) -> None:
    token = cast.path(Purpose.PREFERENCES, cast.anna.pk).split("/")[2]
    swapped = token[:-1] + ("a" if token[-1] != "a" else "e")
    orphan = cast.path(Purpose.PREFERENCES, 999_999_999)
    paths = [f"/s/{swapped}/", "/s/x/", f"/s/{token}0/", f"/s/{'a' * 44}/", f"/p/{token}/", orphan]
    pages = [stranger.get(path) for path in paths]
    assert {page.status_code for page in pages} == {404}
    assert len({page.content for page in pages}) == 1
    assert b"Copyworks" not in pages[0].content
    assert b"Anna" not in pages[0].content


def test_it_opens_nothing_with_a_link_of_another_purpose(cast: Cast, stranger: Client) -> None:
    paths = every_path(cast)
    tails = {"a": "frown/", "c": "yes/", "u": "one-click/"}
    before = everything_stored(besides=())
    for path in set(paths.values()):
        _, own, token, *_rest = path.split("/")
        for purpose in "apcosur":
            if purpose == own:
                continue
            for tail in ("", tails.get(purpose, "")):
                assert stranger.get(f"/{purpose}/{token}/{tail}").status_code == 404
                assert stranger.post(f"/{purpose}/{token}/{tail}", HUMAN).status_code == 404
    assert everything_stored(besides=()) == before


def test_it_does_not_ask_the_database_about_a_forged_link(
    cast: Cast, stranger: Client, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        stranger.get(f"/a/{'b' * 44}/frown/")


def test_it_reads_a_token_that_a_mail_program_wrote_in_capitals(cast: Cast, stranger: Client) -> None:
    path = cast.path(Purpose.PREFERENCES, cast.anna.pk)
    token = path.split("/")[2]
    assert stranger.get(f"/s/{token.upper()}/").status_code == 200


def test_it_never_shows_one_workers_things_through_another_workers_link(cast: Cast, stranger: Client) -> None:
    paths = every_path(cast)
    cast.check_in(cast.bert)
    cast.proposal(cast.problem(cast.bert, words="BERTS-WORDS"), what_was_done="BERTS-SOLUTION")
    for name, path in paths.items():
        html = stranger.get(path, follow=True).content.decode()
        for secret in ("BERTS-WORDS", "BERTS-SOLUTION", cast.bert.name, cast.bert.email, cast.bert.telephone):
            assert secret not in html, f"{name} shows {secret}"


def test_it_never_shows_notes_root_causes_or_rungs(cast: Cast, stranger: Client) -> None:
    paths = every_path(cast)
    problem = cast.anna.problems.first()
    assert problem is not None
    for verb, data in (
        (Verb.PROBLEM_NOTED, {"text": "SECRET-INTERNAL", "words": "SECRET-INTERNAL"}),
        (Verb.DUTY_FIRED, {"rung": 3, "told": ["SECRET-PERSON"]}),
        (Verb.PROBLEM_HANDED_OVER, {"note": "SECRET-HAND-OVER"}),
    ):
        actor = Actor(kind=ActorKind.USER, id=cast.owner.pk, name=str(cast.owner))
        about = About(account_id=cast.account.pk, worker_id=cast.anna.pk, problem_id=problem.pk)
        record_event(verb=verb, at=cast.now, actor=actor, about=about, data=data)
    for name, path in paths.items():
        assert "SECRET" not in stranger.get(path, follow=True).content.decode(), name


def test_it_follows_only_this_workers_answer_to_a_problem(cast: Cast, stranger: Client) -> None:
    problem = cast.problem(cast.anna)
    add_worker_words(problem_id=problem.pk, words="And it smells.", now=cast.now)
    html = stranger.get(cast.path(Purpose.PROBLEM, problem.pk)).content.decode()
    assert "And it smells." in html


def test_it_says_kindly_that_an_old_link_is_old_and_still_unsubscribes(cast: Cast, stranger: Client) -> None:
    problem_path = cast.path(Purpose.PROBLEM, cast.problem(cast.anna).pk)
    unsubscribe_path = cast.path(Purpose.UNSUBSCRIBE, cast.anna.pk)
    cast.clock.set(cast.now + timedelta(days=1096))
    old = stranger.get(problem_path)
    assert old.status_code == 410
    assert b"reply" in old.content
    assert stranger.get(unsubscribe_path).status_code == 200
