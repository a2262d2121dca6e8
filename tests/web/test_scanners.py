"""Mail scanners open every link, follow redirects, run scripts and press buttons. None of that may matter.

The mails are real ones, taken from the outbox after walking two problems through their lives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from sentinel.bulk.models import Delivery
from sentinel.checkins.models import CheckIn, Response
from sentinel.checkins.rules import PRESSED_AT_ONCE, Face
from sentinel.kernel import clock
from sentinel.kernel.clock import FixedClock
from sentinel.kernel.links import Purpose
from sentinel.outbox.selectors import messages_to
from sentinel.problems.models import Problem
from sentinel.problems.rules import CallOutcome, Verdict
from sentinel.standing.models import ScannerHabit
from sentinel.standing.selectors import habit_of
from sentinel.ui.drafts import finished
from sentinel.workflows.log_call import log_call
from sentinel.workflows.make_commitment import make_commitment
from sentinel.workflows.propose_solution import propose_solution
from sentinel.workflows.record_response import Answer, Signals, record_response
from sentinel.workflows.scanner_habits import learn_scanner_habits
from sentinel.workflows.send_check_ins import send_check_ins
from sentinel.workflows.telephone_verdict import record_verdict_by_telephone
from tests.fakes.scanners import OPENERS, PRESSERS, TRUSTED, Barracuda, OneFace, Scanner, Web
from tests.web.browser import browser
from tests.web.respond.asking import HUMAN, SCRIPT, everything_stored
from tests.web.respond.cast import Cast, build_cast
from tests.world import delivered

#: A Tuesday, 10:00 in Berlin: inside the send window.
TUESDAY = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
#: Every kind of link that leads to a page; the other purposes are parts of mail addresses.
PAGES = {purpose.value for purpose in Purpose if len(purpose.value) == 1}
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
    mails = [
        m for w in (cast.anna, cast.bert) for m in messages_to(recipient_kind="worker", recipient_id=w.pk)
    ]
    mails += [delivered(row) for row in Delivery.objects.select_related("edition__template")]
    found = {path for mail in mails for path in links_in(mail.payload)}
    assert {path.split("/")[1] for path in found} == PAGES, "a kind of link is in no mail"
    assert any(path.endswith("/more/") for path in found), "no mail has the link that no human sees"
    return sorted(found)


def links_in(payload: Mapping[str, Any]) -> Iterator[str]:
    """The paths of the links to us in one mail."""
    mail = finished(payload)
    for part in (mail["text"], mail["html"], *mail["headers"].values()):
        yield from re.findall(re.escape(settings.BASE_URL) + r"(/[a-z0-9/-]*)", part)


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


@pytest.mark.parametrize("played", OPENERS, ids=lambda scanner: scanner.name)
def test_opening_every_link_of_every_mail_changes_nothing(post: Post, played: Scanner) -> None:
    before, web = everything_stored(), Web(post.cast.clock)
    played.scan(post.paths, web)
    assert set(web.statuses) == {200}
    assert everything_stored() == before


@pytest.mark.parametrize("played", PRESSERS, ids=lambda scanner: scanner.name)
def test_pressing_every_button_without_a_human_changes_nothing_that_matters(
    post: Post, played: Scanner
) -> None:
    before, web = everything_stored(besides=KEPT_FOR_THE_RECORD), Web(post.cast.clock)
    for path in post.paths:
        played.scan([path], web)
        assert everything_stored(besides=KEPT_FOR_THE_RECORD) == before, path
    assert set(web.statuses) <= {200, 429}
    assert not Response.objects.filter(received_at=post.cast.now, evidence="verified").exists()


def test_links_in_mail_to_our_own_people_open_nothing_without_signing_in(post: Post) -> None:
    people = (post.cast.owner, post.cast.manager)
    mails = [m for u in people for m in messages_to(recipient_kind="user", recipient_id=u.pk)]
    paths = sorted({path for m in mails if m.channel == "email" for path in links_in(m.payload)})
    assert paths
    before = everything_stored()
    for played in OPENERS:
        played.scan(paths, Web(post.cast.clock))
    assert everything_stored() == before


def test_no_page_submits_itself(post: Post) -> None:
    for path in post.paths:
        html = Client().get(path).content.decode()
        assert not re.search(r"onload|onsubmit|\.submit\(|http-equiv=.refresh", html), path


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


def habit(cast: Cast) -> ScannerHabit:
    """What was learned about the workers' domain, an hour later."""
    cast.clock.advance(hours=2)
    while learn_scanner_habits(now=cast.now):
        pass
    found = habit_of(cast.bert.email)
    assert found is not None
    return found


def just_mailed(cast: Cast) -> CheckIn:
    """A check-in of Bert's that left this very moment."""
    check_in = cast.check_in(cast.bert)
    CheckIn.objects.filter(pk=check_in.pk).update(sent_at=cast.now)
    return check_in


def faces_of(cast: Cast, check_in: CheckIn) -> list[str]:
    return [cast.path(Purpose.ANSWER, check_in.pk, face.value) for face in Face]


def test_trusted_looking_presses_of_both_faces_are_set_aside_and_remembered(post: Post) -> None:
    cast = post.cast
    check_in = just_mailed(cast)
    for face in Face:
        OneFace(face.value).scan(faces_of(cast, check_in), Web(cast.clock))
    assert {r.evidence for r in Response.objects.filter(check_in=check_in)} == {"robot"}
    learned = habit(cast)
    assert learned.presses_set_aside >= 2
    assert learned.both_faces >= 1
    assert learned.opened_at_once >= 2


def test_where_robots_pressed_before_one_trusted_looking_press_at_delivery_is_not_believed(
    post: Post,
) -> None:
    cast = post.cast
    before = Problem.objects.count()
    first = just_mailed(cast)
    for face in Face:
        OneFace(face.value).scan(faces_of(cast, first), Web(cast.clock))
    habit(cast)
    check_in = just_mailed(cast)
    cast.clock.advance(seconds=20)
    OneFace("happy").scan(faces_of(cast, check_in), Web(cast.clock))
    (pressed,) = Response.objects.filter(check_in=check_in)
    assert pressed.evidence == "provisional"
    assert PRESSED_AT_ONCE in pressed.evidence_reasons
    # The person who reads the mail a minute later is believed as ever, and so are words at any time.
    cast.clock.advance(seconds=60)
    path = cast.path(Purpose.ANSWER, check_in.pk, "frown")
    Client().post(path, {**HUMAN, "face": "frown", "text": "It was me."})
    assert Problem.objects.count() >= before + 1


def test_there_no_trusted_looking_press_at_delivery_confirms_or_silences_anything(post: Post) -> None:
    cast = post.cast
    first = just_mailed(cast)
    for face in Face:
        OneFace(face.value).scan(faces_of(cast, first), Web(cast.clock))
    habit(cast)
    just_mailed(cast)
    proposal = cast.proposal(cast.problem(cast.bert))
    kept = (*KEPT_FOR_THE_RECORD, "django_session")
    before = everything_stored(besides=kept)
    Client().post(cast.path(Purpose.CONFIRM, proposal.pk, "yes"), {**TRUSTED, "verdict": "yes"})
    Client().post(cast.path(Purpose.UNSUBSCRIBE, cast.bert.pk), TRUSTED)
    assert everything_stored(besides=kept) == before
    cast.clock.advance(seconds=61)
    Client().post(cast.path(Purpose.UNSUBSCRIBE, cast.bert.pk), TRUSTED)
    cast.bert.refresh_from_db()
    assert cast.bert.unsubscribed_at == cast.now


def test_what_scanners_opened_is_shown_per_domain(post: Post) -> None:
    Barracuda().scan(post.paths, Web(post.cast.clock))
    learned = habit(post.cast)
    assert learned.domain == "acme.example"
    assert learned.honeypots >= 1
    assert learned.both_faces >= 1
    assert learned.presses_set_aside == 0


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


@pytest.mark.e2e
def test_a_browser_that_hides_its_driver_and_clicks_both_faces_is_a_robot(live_post: Post) -> None:
    cast = live_post.cast
    check_in = cast.check_in(cast.bert)
    with browser(like_a_person=True) as started:
        page = started.new_page()
        for face in ("frown", "happy"):
            page.goto(live_post.url + cast.path(Purpose.ANSWER, check_in.pk, face))
            with page.expect_navigation():
                page.get_by_role("button", name="Send").click()
    assert {r.evidence for r in Response.objects.filter(check_in=check_in)} == {"robot"}
    # The first click looked like a person's and opened a problem: it stays, flagged for whoever calls.
    assert Problem.objects.filter(suspected_automatic=True).count() == 1
