"""Kills real engines while real problems climb their ladders, and counts what became of every message."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast
from urllib.parse import quote

from django.db import connection, transaction

from sentinel.accounts.models import Site, Worker
from sentinel.checkins.rules import Severity
from sentinel.engine.selectors import running_engines
from sentinel.escalation.models import Duty, Ladder
from sentinel.escalation.selectors import problems_without_duty
from sentinel.outbox.rules import Priority
from sentinel.outbox.selectors import MessageView, recent_messages
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.people.models import WorkCalendar
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.open_problem import open_problem
from tests.fakes.engine_process import Nursery
from tests.fakes.smtp import SmtpServer
from tests.stories.chaos_log import Recoveries, leases_logged, percentile, recoveries
from tests.world import World

PATIENCE_SECONDS = 60.0
LONG_PATIENCE_SECONDS = 180.0
RUNG_SECONDS = (1, 2, 3, 4)
_EVERYTHING = 1_000_000


@dataclass(frozen=True)
class Outcome:
    """What one run of chaos came to. Lateness: from due to accepted by the SMTP server, in seconds, however
    many kills the message met; what a single kill cost stands in ``recoveries``."""

    kills: int
    engines: int
    seconds: float
    messages: int
    bundled: int
    firings: int
    lost: int
    repeats: int
    changed_repeats: int
    wrong_ladders: int
    lateness: list[float]
    recoveries: Recoveries
    slowest_met: int  # kills

    def percentile(self, share: float) -> float:
        return percentile(self.lateness, share)

    def __str__(self) -> str:
        return (
            f"kills {self.kills}  engines started {self.engines}  messages {self.messages} "
            f"(+{self.bundled} bundled)  firings {self.firings}  lost {self.lost}  repeats {self.repeats}  "
            f"wrong ladders {self.wrong_ladders}  late p50 {self.percentile(0.5) * 1000:.0f} ms  "
            f"p99 {self.percentile(0.99) * 1000:.0f} ms  max {self.percentile(1.0) * 1000:.0f} ms  "
            f"with {self.slowest_met} kills  in {self.seconds:.1f} s\n{self.recoveries}"
        )


def database_url() -> str:
    """The database of this test, for another process."""
    wanted = connection.settings_dict
    if wanted["HOST"].startswith("/"):
        return f"postgresql://{wanted['USER']}@/{wanted['NAME']}?host={quote(wanted['HOST'], safe='')}"
    login = f"{wanted['USER']}:{quote(wanted['PASSWORD'], safe='')}"
    return f"postgresql://{login}@{wanted['HOST']}:{wanted['PORT'] or 5432}/{wanted['NAME']}"


def hurry() -> None:
    """Everybody works round the clock, and a ladder takes four seconds to its top."""
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    WorkCalendar.objects.update(week={day: [["00:00", "24:00"]] for day in days})
    ladder = Ladder.objects.get(is_default=True)
    ladder.acknowledge_within = timedelta(seconds=RUNG_SECONDS[0])
    ladder.save()
    for rung in ladder.rungs.filter(position__gt=0):
        rung.after = timedelta(seconds=RUNG_SECONDS[rung.position - 1])
        rung.save()


def chaos(
    world: World,
    *,
    kills: int,
    engines: int = 2,
    problems: int = 20,
    letters: int = 200,
    rounds: int = 20,
    seconds_between: tuple[float, float] = (0.1, 0.3),
    lease_seconds: float = 1.0,
    oddity: str = "",
    seed: int = 1,
) -> Outcome:
    """Open problems and enqueue letters while killing engines at random; then wait until all is quiet.

    An engine is killed only while another one works: how long a house without any needs is not asked here.
    """
    dice = random.Random(seed)
    hurry()
    began, started = time.monotonic(), engines
    with (
        leases_logged(),
        _sink() as (sink, arrivals),
        Nursery(
            database_url=database_url(), smtp_port=sink.port, lease_seconds=lease_seconds, oddity=oddity
        ) as nursery,
    ):
        for _ in range(engines):
            nursery.start()
        work = _work(world, problems=problems, letters=letters, rounds=max(rounds, kills))
        for _ in work:
            time.sleep(dice.uniform(*seconds_between))
            if nursery.kills < kills:
                victim = dice.choice(nursery.running)
                _wait_for_another(nursery, victim)
                nursery.kill(victim)
                nursery.start()
                started += 1
        quiet_at = wait_until_quiet(problems)
        seconds = time.monotonic() - began
        found = recoveries(nursery.killed_at)
        return _count(
            sink, arrivals, found, as_of=quiet_at, kills=nursery.kills, engines=started, seconds=seconds
        )


def _wait_for_another(nursery: Nursery, victim: int) -> None:
    """Until an engine besides the victim has finished a cycle."""
    others = {*nursery.running} - {victim}
    wait_for(lambda: any(beat.pid in others for beat in running_engines()), "another engine at work")


def wait_for(true: Callable[[], bool], what: str, patience: float = LONG_PATIENCE_SECONDS) -> None:
    """Ask again and again until it is true."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


@contextmanager
def _sink() -> Iterator[tuple[SmtpServer, list[float]]]:
    with SmtpServer() as server:
        arrivals: list[float] = []
        server.on_kept = lambda _mail: arrivals.append(time.time())
        yield server, arrivals


def _work(world: World, *, problems: int, letters: int, rounds: int) -> Iterator[None]:
    """A few problems and letters per round, committed like a frown's own transaction."""
    workers = [lone_worker(world, n) for n in range(problems)]
    for turn in range(rounds):
        now = datetime.now(UTC)
        for worker in workers[turn * problems // rounds : (turn + 1) * problems // rounds]:
            open_problem(worker=worker, response=None, words="It stopped", severity=Severity.STOPPED, now=now)
        mine = range(turn * letters // rounds, (turn + 1) * letters // rounds)
        with transaction.atomic():
            enqueue([letter(number, now) for number in mine], now=now)
        yield


def lone_worker(world: World, number: int) -> Worker:
    """A worker at a site of their own: the troubles of one site would be told together, and later."""
    site = Site.objects.get(pk=world.kyiv.pk)  # with the calendar as hurry() left it
    site.pk, site.name = None, f"Site {number}"
    site._state.adding = True
    site.save()
    return Worker.objects.create(
        site=site, name=f"Worker {number}", email=f"w{number}@lindgren.example", joined_at=world.now
    )


def letter(number: int, now: datetime) -> NewMessage:
    """Mail of its own recipient, so that it is never merged."""
    return NewMessage(
        dedupe_key=f"letter:{number}",
        channel="email",
        kind="problem.written",
        recipient_kind="worker",
        recipient_id=10_000 + number,
        address=f"letter{number}@lindgren.example",
        priority=Priority.ANSWER,
        due_at=now,
        payload={
            "subject": f"Letter {number}",
            "text": "Hello",
            "html": "<p>Hello</p>",
            "language": "en",
            "from_name": "Maria",
            "from_address": "sentinel@example.com",
            "reply_to": "",
            "headers": {},
        },
    )


def database_now() -> datetime:
    """What the engines go by."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cast(datetime, cursor.fetchone()[0]).astimezone(UTC)


def wait_until_quiet(problems: int, patience: float = PATIENCE_SECONDS) -> datetime:
    """When everything that was due at that instant was done."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        climbing = problems - Duty.objects.filter(rung=len(RUNG_SECONDS)).count()
        now = database_now()
        waiting = _count_due(now)
        if not waiting and climbing <= 0:
            return now
        time.sleep(0.1)
    left = [m for m in recent_messages(limit=200) if m.state in ("pending", "sending")]
    print(*((m.kind, m.channel, m.state, m.attempts, m.visible_at, m.last_error) for m in left), sep="\n")  # noqa: T201
    raise AssertionError(f"still {waiting} messages and {climbing} ladders after {patience} s")


def _count_due(now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM outbox_message"
            " WHERE state IN ('pending', 'sending') AND first_due_at <= %s",
            [now],
        )
        return int(cursor.fetchone()[0])


def _due_messages(now: datetime) -> list[MessageView]:
    return [m for m in recent_messages(limit=_EVERYTHING) if m.first_due_at <= now]


def _count(
    sink: SmtpServer,
    arrivals: list[float],
    found: Recoveries,
    *,
    as_of: datetime,
    kills: int,
    engines: int,
    seconds: float,
) -> Outcome:
    first: dict[str, float] = {}
    bodies: dict[str, set[bytes]] = {}
    counts: Counter[str] = Counter()
    for mail, at in zip(sink.kept, list(arrivals), strict=False):
        key = mail.message_id.removeprefix("<").split("@")[0]
        counts[key] += 1
        first.setdefault(key, at)
        bodies.setdefault(key, set()).add(mail.content)
    mails = [m for m in _due_messages(as_of) if m.channel == "email"]
    wanted = {m.message_id: m.first_due_at.timestamp() for m in mails if m.state != "bundled"}
    late = {key: first[key] - due for key, due in wanted.items() if key in first}
    slowest = max(late, key=late.__getitem__, default="")
    known = {m.id: m for m in mails}
    merged = [m for m in mails if m.state == "bundled"]
    untold = [m for m in merged if m.bundle_id is None or known[m.bundle_id].message_id not in first]
    for message in (*untold, *(m for m in mails if m.state != "bundled" and m.message_id not in first)):
        print("lost:", message)  # noqa: T201
    return Outcome(
        kills=kills,
        engines=engines,
        seconds=seconds,
        messages=len(wanted),
        bundled=len(merged),
        firings=Event.objects.filter(verb=Verb.DUTY_FIRED.value).count(),
        lost=len(set(wanted) - set(first)) + len(untold),
        repeats=sum(count - 1 for count in counts.values()),
        changed_repeats=sum(len(versions) - 1 for versions in bodies.values()),
        wrong_ladders=count_wrong_ladders(),
        lateness=list(late.values()),
        recoveries=found,
        slowest_met=sum(found.kills_met.get(m.id, 0) for m in mails if m.message_id == slowest),
    )


def count_wrong_ladders() -> int:
    """Problems without a duty, and ladders on which a rung is missing or was fired twice."""
    wrong = problems_without_duty().count()
    climbs = (Verb.DUTY_FIRED.value, Verb.DUTY_COLLAPSED.value)
    for duty in Duty.objects.all():
        steps: list[int] = []
        for event in Event.objects.filter(problem_id=duty.problem_id, verb__in=climbs).order_by("id"):
            fired = event.verb == Verb.DUTY_FIRED.value
            steps.extend([event.data["rung"]] if fired else [step[0] for step in event.data["steps"]])
        wrong += sorted(steps) != list(range(1, len(RUNG_SECONDS) + 1))
    return wrong
