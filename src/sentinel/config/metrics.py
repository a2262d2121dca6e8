"""`/metrics`: how Sentinel is, for Prometheus. Every number is read from the database at that moment.

There is no counter inside a process: several web processes and engines would each tell a part of the truth,
and a restart would forget it. All reads of one answer see the same instant. Labels name channels, states
and machines, never a person or a customer.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hmac import compare_digest

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import Count, F, Min, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from sentinel.assurance.ears import ears
from sentinel.assurance.models import Finding
from sentinel.assurance.rules import Grade
from sentinel.assurance.selectors import last_arrived_canary, open_findings
from sentinel.assurance.tally import sends
from sentinel.bulk.models import Run
from sentinel.bulk.selectors import sender_state
from sentinel.calls.exchanges import exchange_beats
from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import CallState
from sentinel.calls.rules import EndReason as EndOfCall
from sentinel.channels import registry as channels
from sentinel.engine.selectors import running_engines
from sentinel.escalation.models import Duty
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.states import IncomingState
from sentinel.kernel import clock
from sentinel.outbox.counting import count_live
from sentinel.outbox.rules import LIVE, Result
from sentinel.outbox.selectors import waits
from sentinel.problems.models import Problem
from sentinel.problems.rules import OPEN_STATES, ProblemState

#: One question to the database may not take longer; a watchman must not become the load.
STATEMENT_SECONDS = 5
SECONDS_OF_A_WORKING_ENGINE = 15.0
Value = tuple[tuple[str, ...], float]


def metrics(request: HttpRequest) -> HttpResponse:
    """Whoever has the token: all numbers. 404 without SENTINEL_METRICS_TOKEN, 401 with a wrong token, 503
    while the database is away."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET"])
    if not is_allowed(request.headers.get("Authorization", "")):
        return HttpResponse(
            "the token is wrong or missing\n", status=401, headers={"WWW-Authenticate": "Bearer"}
        )
    collectors = CollectorRegistry()
    try:
        with _one_instant():
            collectors.register(Sight(clock.now()))
            text = generate_latest(collectors)
    except Error:
        return HttpResponse("the database does not answer\n", status=503, content_type="text/plain")
    return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"})


def is_allowed(authorization: str) -> bool:
    """Whether the header names the token; takes as long for a nearly right one as for any other."""
    scheme, _, token = authorization.partition(" ")
    return (
        compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode()) and scheme.lower() == "bearer"
    )


@contextmanager
def _one_instant() -> Iterator[None]:
    """All questions see the database as it was at the first one, and cannot write."""
    if connection.in_atomic_block:  # somebody else's transaction, as in tests
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'")
        yield


def _gauge(name: str, words: str, values: Iterable[Value], labels: Iterable[str] = ()) -> Metric:
    family = GaugeMetricFamily(f"sentinel_{name}", words, labels=list(labels))
    for at, value in values:
        family.add_metric(list(at), value)
    return family


def _counter(name: str, words: str, values: Iterable[Value], labels: Iterable[str]) -> Metric:
    family = CounterMetricFamily(f"sentinel_{name}", words, labels=list(labels))
    for at, value in values:
        family.add_metric(list(at), value)
    return family


def _one(name: str, words: str, value: float) -> Metric:
    return _gauge(name, words, [((), value)])


class Sight(Collector):
    """What there is to see at ``now``."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def describe(self) -> list[Metric]:
        """Nothing beforehand: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        began = time.perf_counter()
        for part in (_timers, _problems, _outbox, _findings, _engines, _bulk, _incoming, _calls):
            yield from part(self._now)
        yield _one("scrape_seconds", "How long these numbers took.", time.perf_counter() - began)


def _age(now: datetime, at: datetime | None) -> float:
    """Seconds since; 0 for never or for a clock that was set back."""
    return max(0.0, (now - at).total_seconds()) if at is not None else 0.0


def _timers(now: datetime) -> Iterator[Metric]:
    late = Q(fire_at__lte=now)
    seen = Duty.objects.aggregate(
        armed=Count("pk", filter=Q(quarantined_at__isnull=True)),
        late=Count("pk", filter=late & Q(quarantined_at__isnull=True)),
        oldest=Min("fire_at", filter=late & Q(quarantined_at__isnull=True)),
        quarantined=Count("pk", filter=Q(quarantined_at__isnull=False)),
    )
    yield _one("timers", "Timers of open problems.", seen["armed"])
    yield _one("timers_late", "Timers whose time has passed.", seen["late"])
    yield _one("timer_lateness_seconds", "How late the latest timer is.", _age(now, seen["oldest"]))
    yield _one("duties_quarantined", "Duties put aside because firing failed.", seen["quarantined"])


def _problems(_now: datetime) -> Iterator[Metric]:
    states = [state.value for state in OPEN_STATES]
    rows = Problem.objects.filter(state__in=states).values_list("state").annotate(n=Count("pk")).order_by()
    counts = dict(rows)
    yield _gauge("problems_open", "Open problems.", _filled(counts, states), ["state"])
    unconfirmed = counts.get(ProblemState.PROPOSED.value, 0)
    yield _one("problems_unconfirmed", "Proposed as solved, without the worker's word.", unconfirmed)


def _filled(counts: Mapping[str, float], names: Iterable[str]) -> list[Value]:
    """Zeros, too: a series that is missing cannot be told from one that is zero."""
    return [((name,), counts.get(name, 0)) for name in names]


def _outbox(now: datetime) -> Iterator[Metric]:
    late, live, known = {wait.channel: wait for wait in waits(now)}, count_live(), sends()
    names = sorted({*channels.channels(), *late, *(name for name, _ in (*live, *known))})
    by_channel = [(name, late.get(name)) for name in names]
    states = [
        ((name, state.value), float(live.get((name, state.value), 0))) for name in names for state in LIVE
    ]
    yield _gauge("outbox_messages", "Messages that are not settled.", states, ["channel", "state"])
    yield _gauge(
        "outbox_due",
        "Messages whose time has come and that nobody took.",
        [((name,), wait.waiting if wait else 0) for name, wait in by_channel],
        ["channel"],
    )
    yield _gauge(
        "outbox_oldest_due_seconds",
        "How long the oldest of them waits.",
        [((name,), _age(now, wait.oldest_due_at if wait else None)) for name, wait in by_channel],
        ["channel"],
    )
    yield _gauge(
        "outbox_leases_expired",
        "Messages that were taken and never settled.",
        [((name,), wait.expired if wait else 0) for name, wait in by_channel],
        ["channel"],
    )
    tries = [((name, r.value), float(known.get((name, r.value), 0))) for name in names for r in Result]
    yield _counter("sends", "Tries to hand a message to a provider.", tries, ["channel", "outcome"])


def _findings(now: datetime) -> Iterator[Metric]:
    counts: dict[tuple[str, str], int] = {}
    for finding in open_findings():
        at = (finding.check_name, finding.grade)
        counts[at] = counts.get(at, 0) + 1
    yield _gauge("findings_open", "What is wrong now, by check.", list(counts.items()), ["check", "grade"])
    totals = Finding.objects.filter(over_at__isnull=True).values_list("grade").annotate(n=Count("pk"))
    by_grade = _filled(dict(totals.order_by()), [grade.value for grade in Grade])
    yield _gauge("findings", "What is wrong now, by grade.", by_grade, ["grade"])
    bird = last_arrived_canary()
    if bird is not None:
        yield _one("canary_seconds", "How long the last test message took.", bird.seconds)
        yield _one("canary_age_seconds", "How long ago it arrived.", _age(now, bird.arrived_at))


def _engines(now: datetime) -> Iterator[Metric]:
    cycles: list[Value] = []
    ages: list[Value] = []
    for beat in running_engines():
        at = (beat.host, str(beat.pid))
        cycles.append((at, beat.cycle_no))
        ages.append((at, _age(now, beat.cycle_finished_at or beat.started_at)))
    yield _counter("engine_cycles", "Cycles an engine has finished.", cycles, ["host", "pid"])
    yield _gauge("engine_cycle_age_seconds", "Since its last finished cycle.", ages, ["host", "pid"])
    working = sum(age < SECONDS_OF_A_WORKING_ENGINE for _, age in ages)
    yield _one("engines_working", "Engines that finished a cycle within 15 seconds.", working)


def _bulk(now: datetime) -> Iterator[Metric]:
    sender = sender_state()
    yield _one(
        "sender_paused", "1 while somebody has stopped all check-ins.", float(sender.paused_at is not None)
    )
    if sender.alive_at is not None:
        yield _one("sender_age_seconds", "Since the sender's last sign of life.", _age(now, sender.alive_at))
        yield _one("sender_rate_per_minute", "How fast the sender says it is.", sender.rate_per_minute)
    values: list[Value] = []
    for run in Run.objects.filter(total__gt=F("sent") + F("failed") + F("skipped")):
        waiting = max(0, run.total - run.sent - run.failed - run.skipped)
        counts = {"sent": run.sent, "failed": run.failed, "skipped": run.skipped, "waiting": waiting}
        values += [((str(run.pk), state), float(count)) for state, count in counts.items()]
    yield _gauge("run_deliveries", "Check-ins of unfinished runs.", values, ["run", "state"])


def _incoming(now: datetime) -> Iterator[Metric]:
    waiting = IncomingMail.objects.filter(state=IncomingState.WAITING.value)
    seen = waiting.aggregate(waiting=Count("pk"), oldest=Min("received_at", filter=Q(next_at__lte=now)))
    yield _one("incoming_waiting", "Mails that came in and were not read yet.", seen["waiting"])
    yield _one("incoming_oldest_seconds", "How long the oldest due one waits.", _age(now, seen["oldest"]))
    values = [((ear.way, ear.host), _age(now, ear.worked_at)) for ear in ears() if ear.worked_at is not None]
    yield _gauge("ear_age_seconds", "Since a way in last worked.", values, ["way", "host"])


def _exchange(now: datetime) -> Iterator[Metric]:
    beats = exchange_beats(settings.CALLS_BY.provider, now=now)
    answers = [((beat.provider, beat.host), float(beat.silent_since is None)) for beat in beats]
    yield _gauge("exchange_answers", "1 while whoever places calls answers.", answers, ["provider", "host"])
    ages = [((b.provider, b.host), _age(now, b.answered_at)) for b in beats if b.answered_at is not None]
    yield _gauge("exchange_age_seconds", "Since they last answered an engine.", ages, ["provider", "host"])


def _calls(now: datetime) -> Iterator[Metric]:
    calls = PlacedCall.objects.filter(problem__isnull=False)
    going_on = calls.filter(ended_at__isnull=True).values_list("state").annotate(n=Count("pk"))
    states = [state.value for state in CallState if state is not CallState.ENDED]
    yield _gauge("calls", "Calls going on.", _filled(dict(going_on.order_by()), states), ["state"])
    ended = calls.filter(ended_at__isnull=False).values_list("reason").annotate(n=Count("pk"))
    reasons = [reason.value for reason in EndOfCall]
    yield from _exchange(now)
    yield _counter("calls_ended", "Calls that ended.", _filled(dict(ended.order_by()), reasons), ["reason"])
