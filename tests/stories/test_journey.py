"""The whole story in a real browser, over a real mail server: from a roster file to the worker's own yes."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.db import connection
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from sentinel.accounts.models import Worker
from sentinel.channels import registry
from sentinel.channels.console.sender import ConsoleSender
from sentinel.channels.email.sender import EmailSender, Tls
from sentinel.channels.email.sender import SmtpServer as SmtpAddress
from sentinel.checkins.models import CheckIn
from sentinel.engine.loop import play, run_once
from sentinel.outbox.selectors import messages_about_problem
from sentinel.problems.models import Problem
from tests.fakes.smtp import SmtpServer
from tests.web.browser import browser
from tests.world import World

pytestmark = pytest.mark.e2e

ROSTER = "E-Mail;Standort;Name;Telefon\nnadia@lindgren.example;Kyiv;Nadia Melnyk;+380 44 555 0199\n"


@pytest.fixture
def mail_server() -> Iterator[SmtpServer]:
    """A real SMTP server on loopback, and the engine's own senders pointed at it."""
    with SmtpServer() as server:
        address = SmtpAddress(
            host="127.0.0.1", port=server.port, username="", password="", tls=Tls.NONE, hello_name="test"
        )
        sender = EmailSender(address)
        with registry.using({"email": sender, "console": ConsoleSender()}):
            yield server
        sender.close()


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """A browser that looks like a person's."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with browser(like_a_person=True) as started:
        yield started
    # The server's threads may still hold connections of the pages fetched last.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def let_pass(world: World, **delta: float) -> None:
    """Let time pass with the engine awake and its real senders."""
    since = world.now
    play(since=since, until=since + timedelta(**delta), step=lambda at: _step(world, at))


def _step(world: World, at: datetime) -> int:

    world.clock.set(at)
    return run_once(world.now)


def newest_mail(server: SmtpServer, to: str, subject_part: str = "") -> EmailMessage:
    """The last mail the server took for somebody."""
    for kept in reversed(server.kept):
        parsed = email.message_from_bytes(kept.content, policy=policy.default)
        if to in kept.recipients and subject_part in str(parsed["Subject"]):
            return parsed
    raise AssertionError(f"no mail to {to} with {subject_part!r}")


def link_in(mail: EmailMessage, part: str, url: str) -> str:
    """The first link whose path has ``part``, on the test's server."""
    plain = mail.get_body(("plain",))
    assert plain is not None
    found = re.search(rf"https?://[^\s]*?(/\w/\w+/{part}/)", plain.get_content())
    assert found, plain.get_content()
    return url + found.group(1)


def written_together(problem: Problem) -> bool:
    """Whether problem, duty and the owner's messages carry the same transaction id in PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT t) FROM ("
            " SELECT xmin::text t FROM problems_problem WHERE id = %(id)s"
            " UNION ALL SELECT xmin::text FROM escalation_duty WHERE problem_id = %(id)s"
            " UNION ALL SELECT xmin::text FROM outbox_message WHERE problem_id = %(id)s"
            " UNION ALL SELECT xmin::text FROM timeline_event WHERE problem_id = %(id)s) x",
            {"id": problem.pk},
        )
        return bool(cursor.fetchone()[0] == 1)


def sign_in(page: Page, url: str, world: World) -> None:
    page.goto(f"{url}/today/")
    page.get_by_label("E-mail address").fill(world.maria.email)
    page.get_by_label("Password", exact=True).fill("pass-maria")
    page.get_by_role("button", name=re.compile("sign in", re.I)).click()
    page.wait_for_url("**/today/")


def import_roster(page: Page, url: str, world: World, folder: Path) -> Worker:
    file = folder / "roster.csv"
    file.write_bytes(ROSTER.encode("cp1252"))
    page.goto(f"{url}/accounts/{world.account.pk}/roster/")
    page.get_by_label("Roster file").set_input_files(file)
    page.get_by_role("button", name="Look at it first").click()
    page.get_by_role("button", name="Import: 1 workers").click()
    page.wait_for_load_state()
    return Worker.objects.get(email="nadia@lindgren.example")


def send_check_in(world: World, worker: Worker) -> CheckIn:
    """Days pass until the engine asks the new worker by itself."""
    for _ in range(14):
        let_pass(world, days=1)
        sent = CheckIn.objects.filter(worker=worker, state="sent").first()
        if sent is not None:
            return sent
    raise AssertionError("the new worker was not asked within two weeks")


def frown(page: Page, link: str, words: str) -> Problem:
    page.goto(link)
    page.get_by_role("textbox").first.fill(words)
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/thanks/**")
    return Problem.objects.get(words=words)


def call_and_promise(page: Page, url: str, problem: Problem, world: World) -> None:
    page.goto(f"{url}/today/")
    page.get_by_text(problem.words).first.wait_for()
    page.goto(f"{url}/problems/{problem.pk}/")
    with page.expect_navigation():
        page.keyboard.press("a")  # "I have it"
    page.goto(f"{url}/problems/{problem.pk}/call/")
    page.get_by_role("button", name=re.compile("Reached")).click()
    page.wait_for_load_state()
    page.goto(f"{url}/problems/{problem.pk}/?open=promise")
    act(page, "promise")


def propose(page: Page, url: str, problem: Problem, what: str) -> None:
    page.goto(f"{url}/problems/{problem.pk}/?open=propose")
    section = page.locator("#act-propose")
    section.get_by_label(re.compile("What was done")).fill(what)
    section.get_by_label(re.compile("Root cause")).fill("Worn fuser")
    act(page, "propose")


def act(page: Page, slug: str) -> None:
    section = page.locator(f"#act-{slug}")
    if not section.evaluate("e => e.open"):
        section.locator("summary").click()
    with page.expect_navigation():
        section.locator("form button").last.click()


def answer(page: Page, link: str, button: str, words: str = "") -> None:
    page.goto(link)
    if words:
        page.get_by_role("textbox").first.fill(words)
    with page.expect_navigation():
        page.get_by_role("button", name=re.compile(button, re.I)).first.click()


@pytest.mark.slow
def test_it_goes_from_a_roster_file_to_the_workers_own_yes(
    world: World,
    live_server: LiveServer,
    mail_server: SmtpServer,
    person: Browser,
    tmp_path: Path,
) -> None:
    url = live_server.url
    owner, worker_page = person.new_context().new_page(), person.new_context().new_page()
    sign_in(owner, url, world)
    nadia = import_roster(owner, url, world, tmp_path)

    send_check_in(world, nadia)
    question = newest_mail(mail_server, nadia.email)
    assert "Maria Schulz" in str(question["From"])
    problem = frown(worker_page, link_in(question, "frown", url), "The scanner hums and sends nothing")
    assert written_together(problem)
    told = {(m.channel, m.recipient_id) for m in messages_about_problem(problem.pk)}
    assert {("console", world.maria.pk), ("email", world.maria.pk)} <= told

    let_pass(world, minutes=1)
    assert "scanner hums" in newest_mail(mail_server, world.maria.email).get_body(("plain",)).get_content()  # type: ignore[union-attr]
    call_and_promise(owner, url, problem, world)
    propose(owner, url, problem, "Restarted the scanner")
    let_pass(world, minutes=1)
    asked = newest_mail(mail_server, nadia.email)
    answer(worker_page, link_in(asked, "no", url), "not yet", "Still nothing arrives")
    problem.refresh_from_db()
    assert (problem.state, problem.attention) == ("reopened", 1)

    propose(owner, url, problem, "Replaced the network card")
    let_pass(world, days=1)
    asked = newest_mail(mail_server, nadia.email)
    answer(worker_page, link_in(asked, "yes", url), "solved")
    problem.refresh_from_db()
    assert problem.state == "confirmed"
    owner.goto(f"{url}/problems/{problem.pk}/")
    owner.get_by_text(re.compile("confirmed", re.I)).first.wait_for()
