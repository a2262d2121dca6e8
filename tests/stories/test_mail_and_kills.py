"""Real engines, several at once and killed at any instant: every mail acts exactly once, and soon."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from itertools import islice

import pytest
from pytest_django.fixtures import Settings

from sentinel.accounts.models import Worker
from sentinel.escalation.models import Duty
from sentinel.inbound.keeping import Arrived, keep_mails
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.states import IncomingState, Outcome
from sentinel.outbox.selectors import messages_about_problem
from sentinel.problems.models import Problem
from sentinel.timeline.models import Event
from sentinel.timeline.selectors import broken_links, streams
from sentinel.timeline.verbs import Verb
from tests.fakes.engine_process import SLEEP_SOUNDLY, SOUND_SECONDS, Nursery
from tests.fakes.smtp import SmtpServer
from tests.stories.chaos import database_url
from tests.stories.mail import deliver, message_id_of, written
from tests.world import World

pytestmark = pytest.mark.slow

MAILS = 40
KILLS = 20
PATIENCE_SECONDS = 60.0


def frown_of(world: World, worker: Worker) -> Arrived:
    """A reply in a thread proven by our signed Message-ID; it comes to a plain address, as by IMAP."""
    delivery = deliver(world, worker)
    raw = written(
        world,
        f"The printer of {worker.name} is broken",
        to="care@example.com",
        sender=worker.email,
        In_Reply_To=f"<{message_id_of(world, delivery)}>",
        Message_ID=f"<frown-{worker.pk}@lindgren.example>",
    )
    return Arrived(raw=raw, envelope_from=worker.email, envelope_to="care@example.com", source="imap")


def people(world: World, count: int) -> list[Worker]:
    return [
        Worker.objects.create(
            site=world.kyiv, name=f"Worker {n}", email=f"w{n}@lindgren.example", joined_at=world.now
        )
        for n in range(count)
    ]


def waiting() -> int:
    return IncomingMail.objects.filter(state=IncomingState.WAITING.value).count()


def wait_until_read(patience: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + patience
    while waiting():
        assert time.monotonic() < deadline, f"{waiting()} mails still wait"
        time.sleep(0.02)


def test_killed_readers_lose_no_mail_and_open_no_problem_twice(world: World, settings: Settings) -> None:
    settings.INBOUND_DOMAIN = ""
    dice = random.Random(7)
    mails = [frown_of(world, worker) for worker in people(world, MAILS)]
    with SmtpServer() as server, Nursery(database_url=database_url(), smtp_port=server.port) as nursery:
        nursery.start()
        nursery.start()
        kept = iter(mails)
        while nursery.kills < KILLS or waiting():
            keep_mails(mails=list(islice(kept, 3)), now=datetime.now(UTC))
            time.sleep(dice.uniform(0.02, 0.25))
            if nursery.kills < KILLS:
                nursery.kill(dice.choice(nursery.running))
                nursery.start()
        wait_until_read()
    outcomes = list(IncomingMail.objects.values_list("outcome", "attempts"))
    assert outcomes == [(Outcome.PROBLEM_OPENED.value, 0)] * MAILS
    assert Problem.objects.count() == Duty.objects.count() == MAILS
    assert Problem.objects.values("worker").distinct().count() == MAILS
    assert Event.objects.filter(verb=Verb.PROBLEM_OPENED.value).count() == MAILS
    for problem in Problem.objects.all():
        told = [m for m in messages_about_problem(problem.pk) if m.dedupe_key.startswith("opened:")]
        assert len(told) == 2  # one console notice, one mail
    assert not [broken for stream in streams() for broken in broken_links(stream)]


def test_a_frown_by_mail_wakes_the_engine(world: World, settings: Settings) -> None:
    settings.INBOUND_DOMAIN = ""
    mails = [frown_of(world, worker) for worker in people(world, 8)]
    took = []
    with (
        SmtpServer() as server,
        Nursery(database_url=database_url(), smtp_port=server.port, oddity=SLEEP_SOUNDLY) as nursery,
    ):
        nursery.start()
        for mail in mails:
            began = time.monotonic()
            keep_mails(mails=[mail], now=datetime.now(UTC))
            wait_until_read(SOUND_SECONDS / 2)  # by itself it looks once a minute
            took.append(time.monotonic() - began)
    print(f"frown by mail to the owner's outbox: {[round(seconds * 1000) for seconds in took]} ms")  # noqa: T201
