"""Mail scanners open every link, follow redirects, run scripts and press buttons. None of that may matter.

The mails are real ones, taken from the outbox after walking two problems through their lives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from sentinel.checkins.models import CheckIn, Response
from sentinel.checkins.rules import Face
from sentinel.kernel import clock
from sentinel.kernel.clock import FixedClock
from sentinel.kernel.links import Purpose
from sentinel.outbox.selectors import messages_to
from sentinel.problems.models import Problem
from sentinel.problems.rules import CallOutcome, Verdict
from sentinel.workflows.log_call import log_call
from sentinel.workflows.make_commitment import make_commitment
from sentinel.workflows.propose_solution import propose_solution
from sentinel.workflows.record_response import Answer, Signals, record_response
from sentinel.workflows.send_check_ins import send_check_ins
from sentinel.workflows.telephone_verdict import record_verdict_by_telephone
from tests.web.respond.asking import BARE, HUMAN, SCRIPT, everything_stored, hidden_fields
from tests.web.respond.browser import browser
from tests.web.respond.cast import Cast, build_cast

#: A Tuesday, 10:00 in Berlin: inside the send window.
TUESDAY = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
#: Answers of a robot are kept as such, and the openings are noted; neither counts for anything.
KEPT_FOR_THE_RECORD = ("checkins_linkvisit", "checkins_response")


@dataclass(frozen=True)
class Post:
    """The cast, and every link of every mail that went to its workers."""

    cast: Cast
    paths: list[str]
    url: str = ""


@pytest.fixture
def post(db: None) -> Iterator[Post]:
    """Everything that was mailed so far."""
    with clock.using(FixedClock(TUESDAY)) as at:
        cast = build_cast(at)
        yield Post(cast=cast, paths=links_of_all_mails(cast))


@pytest.fixture
def live_post(
    transactional_db: None, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Post]:
    """The same behind a real server."""
    # Playwright keeps an event loop in this thread; the ORM is used beside it, never inside.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with clock.using(FixedClock(TUESDAY)) as at:
        cast = build_cast(at)
        yield Post(cast=cast, paths=links_of_all_mails(cast), url=live_server.url)


@pytest.fixture
def scanner() -> Iterator[Browser]:
    """A scanner's real browser."""
    with browser(like_a_person=False) as started:
        yield started


def links_of_all_mails(cast: Cast) -> list[str]:
    """The path of every link in every mail to a worker: text, HTML and headers."""
    live_through_it(cast)
    found: set[str] = set()
    for worker in (cast.anna, cast.bert):
        for message in messages_to(recipient_kind="worker", recipient_id=worker.pk):
            payload = message.payload
            for part in (payload["text"], payload["html"], *payload["headers"].values()):
                found.update(re.findall(re.escape(settings.BASE_URL) + r"(/[acopsu]/[a-z0-9/-]+)", part))
    assert {path.split("/")[1] for path in found} == set("acopsu"), "a kind of link is in no mail"
    assert any(path.endswith("/more/") for path in found), "no mail has the link that no human sees"
    return sorted(found)


def live_through_it(cast: Cast) -> None:
    """Both are asked and frown; Anna's problem waits for her verdict, Bert's was closed on the telephone."""
    for worker in (cast.anna, cast.bert):
        CheckIn.objects.create(
            programme=cast.programme,
            worker=worker,
            planned_for=cast.now - timedelta(minutes=1),
            reason="monthly",
            language="en",
            created_at=cast.now - timedelta(days=2),
        )
    assert send_check_ins(now=cast.now, limit=10) == 2
    for worker in (cast.anna, cast.bert):
        record_response(
            check_in_id=CheckIn.objects.get(worker=worker).pk,
            answer=Answer(face=Face.FROWN, text="It jams."),
            signals=Signals(trusted_event=True, script_ran=True),
            now=cast.now,
        )
        solve(cast, Problem.objects.get(worker=worker))
    close_by_telephone(cast, Problem.objects.get(worker=cast.bert))
    cast.clock.advance(minutes=30)


def solve(cast: Cast, problem: Problem) -> None:
    """Call, promise, propose."""
    on, by = problem.pk, cast.owner
    log_call(problem_id=on, user=by, outcome=CallOutcome.REACHED, now=cast.now)
    make_commitment(problem_id=on, user=by, due_on=cast.now.date() + timedelta(days=3), now=cast.now)
    propose_solution(
        problem_id=on, user=by, what_was_done="A new fuser.", root_cause="Worn out.", now=cast.now
    )


def close_by_telephone(cast: Cast, problem: Problem) -> None:
    """A call in which the worker says yes."""
    on, by = problem.pk, cast.owner
    call = log_call(problem_id=on, user=by, outcome=CallOutcome.REACHED, now=cast.now)
    record_verdict_by_telephone(problem_id=on, user=by, call_id=call.pk, verdict=Verdict.YES, now=cast.now)


def test_opening_every_link_of_every_mail_changes_nothing(post: Post) -> None:
    before = everything_stored()
    for path in post.paths:
        for open_it in (Client().head, Client().get, Client().get):
            assert open_it(path, follow=True).status_code == 200, path
            assert everything_stored() == before, path


@pytest.mark.parametrize("signals", [BARE, SCRIPT])
def test_pressing_every_button_without_a_human_changes_nothing_that_matters(
    post: Post, signals: dict[str, str]
) -> None:
    before = everything_stored(besides=KEPT_FOR_THE_RECORD)
    for path in post.paths:
        html = Client().get(path).content.decode()
        forms = re.findall(r"<form.*?</form>", html, flags=re.S)
        for form in forms:
            action = re.search(r'action="([^"]+)"', form)
            buttons = re.findall(r'<button[^>]* name="(\w+)" value="(\w+)"', form) or [("", "")]
            for name, value in buttons:
                press = {**hidden_fields(form), **signals, name: value}
                if 'name="face"' in form:
                    press["face"] = "frown" if "/frown/" in path else "happy"
                Client().post(action.group(1) if action else path, press)
                assert everything_stored(besides=KEPT_FOR_THE_RECORD) == before, (path, name, value)
    assert not Response.objects.filter(received_at=post.cast.now, evidence="verified").exists()


def test_pressing_both_faces_is_a_robot_and_a_human_overrides_it(post: Post) -> None:
    cast = post.cast
    check_in = cast.check_in(cast.bert)
    before = Problem.objects.count()
    for face in ("happy", "frown"):
        path = cast.path(Purpose.ANSWER, check_in.pk, face)
        Client().get(path)
        Client().post(path, {**SCRIPT, "face": face})
    pressed = Response.objects.filter(check_in=check_in)
    assert {response.evidence for response in pressed} == {"robot"}
    assert Problem.objects.count() == before
    path = cast.path(Purpose.ANSWER, check_in.pk, "frown")
    Client().post(path, {**HUMAN, "face": "frown", "text": "It was me this time."})
    assert Problem.objects.count() == before + 1


def settle(page: Page) -> None:
    """Let the page's scripts run as long as a patient scanner would."""
    page.wait_for_load_state("networkidle")


@pytest.mark.e2e
def test_a_browser_that_runs_scripts_and_touches_nothing_changes_nothing(
    live_post: Post, scanner: Browser
) -> None:
    before = everything_stored()
    page = scanner.new_page()
    for path in live_post.paths:
        page.goto(live_post.url + path)
        settle(page)
        assert everything_stored() == before, path


@pytest.mark.e2e
def test_a_browser_that_presses_both_faces_is_a_robot(live_post: Post, scanner: Browser) -> None:
    cast = live_post.cast
    check_in = cast.check_in(cast.bert)
    before = Problem.objects.count()
    page = scanner.new_page()
    for face in ("happy", "frown"):
        page.goto(live_post.url + cast.path(Purpose.ANSWER, check_in.pk, face))
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    assert {r.evidence for r in Response.objects.filter(check_in=check_in)} == {"robot"}
    assert Problem.objects.count() == before
