"""The demonstration's history is made by the real system, so it must keep all of its promises."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sentinel.accounts.models import Account, Worker
from sentinel.accounts.rules import MailState, WorkerStatus
from sentinel.checkins.models import PleaseCheck, Response
from sentinel.demonstration.models import Demonstration
from sentinel.demonstration.selectors import caught_mail, caught_mails, clock_offset, count_caught_mails
from sentinel.engine.models import EngineBeat
from sentinel.escalation.models import Duty
from sentinel.escalation.selectors import problems_without_duty, quarantined_duties
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.states import Outcome
from sentinel.kernel import clock
from sentinel.kernel.errors import Refused
from sentinel.kernel.links import Purpose
from sentinel.ops.demo.fill import Filled, Scale, fill, good_present, reset
from sentinel.ops.demo.player import Interrupted
from sentinel.ops.demo.scenes import NEWCOMERS_WORKERS, business_ago
from sentinel.ops.demo.stage import Stage
from sentinel.outbox.selectors import count_by_state
from sentinel.people.models import User
from sentinel.people.selectors import calendar_of
from sentinel.problems.models import Problem
from sentinel.problems.rules import OPEN_STATES, ProblemState
from sentinel.timeline.selectors import broken_links, streams
from sentinel.ui.links import read_public_token
from tests.world import World

PRESENT = datetime(2026, 3, 11, 10, 0, tzinfo=UTC)
SMALL = Scale(weeks=4, workers_per_place=7)
TUTORIAL = Path(__file__).parents[2] / "docs/tutorial/first-confirmed-problem.md"
TOKEN_LENGTH = 44


def _silent(_text: str) -> None:
    """Nobody listens."""


def _go_on() -> bool:
    return False


def _fill(scale: Scale = SMALL, **arguments: Any) -> Filled:
    filled = fill(say=_silent, should_stop=_go_on, scale=scale, present=PRESENT, **arguments)
    assert filled is not None
    return filled


@pytest.fixture
def demonstration_mode(settings: Any, transactional_db: None) -> None:
    settings.DEMONSTRATION = True
    settings.INBOUND_DOMAIN = "in.sentinel.example"


@pytest.mark.usefixtures("demonstration_mode")
def test_its_history_keeps_every_promise_and_ends_with_work_in_every_state() -> None:
    filled = _fill()
    _everybody_who_is_owed_something_has_it_on_one_duty()
    _no_message_was_lost(filled)
    _the_timeline_is_unbroken()
    _a_newcomer_finds_something_of_everything()
    for mailbox in NEWCOMERS_WORKERS:
        _a_worker_of_the_tutorial_can_report(mailbox)
    # It is there once: a second start keeps the data.
    assert fill(say=_silent, should_stop=_go_on, scale=SMALL, present=PRESENT) is None
    assert Problem.objects.count() == filled.problems


def _everybody_who_is_owed_something_has_it_on_one_duty() -> None:
    assert not problems_without_duty()
    assert not quarantined_duties()
    still_open = Problem.objects.filter(state__in=[s.value for s in OPEN_STATES])
    assert Duty.objects.count() == still_open.count()
    assert not Duty.objects.filter(fire_at__lte=PRESENT), "the engine is up to date"


def _no_message_was_lost(filled: Filled) -> None:
    states = count_by_state()
    assert set(states) <= {"accepted", "pending", "failed", "cancelled", "bundled"}
    bounced = Worker.objects.exclude(mail_state=MailState.GOOD.value).count()
    assert states.get("failed", 0) <= bounced + 1
    assert count_caught_mails() == filled.mails
    assert filled.mails > 100


def _the_timeline_is_unbroken() -> None:
    assert len(streams()) == 1 + Account.objects.count()
    assert [broken for stream in streams() for broken in broken_links(stream)] == []


def _a_newcomer_finds_something_of_everything() -> None:
    found = Counter(Problem.objects.values_list("state", flat=True))
    assert {state.value for state in OPEN_STATES} <= set(found)
    assert found[ProblemState.CONFIRMED.value]
    assert Duty.objects.filter(due_at__gt=PRESENT, due_at__lt=PRESENT + timedelta(hours=1)).exists()
    assert Duty.objects.filter(rung=4).exists(), "one has climbed to the top"
    assert PleaseCheck.objects.filter(settled_at__isnull=True).count() == 1
    assert Response.objects.exclude(text="").filter(face="happy", answered_at__isnull=True).exists()
    assert {language for (language,) in Problem.objects.values_list("language")} == {
        "en",
        "de",
        "fr",
        "es",
        "ja",
    }
    post = IncomingMail.objects.all()
    assert not post.filter(state="waiting"), "every mail was read"
    opened = post.filter(outcome=Outcome.PROBLEM_OPENED.value, is_from_worker=True)
    assert opened.filter(attachments__sniffed_type="image/png").exists(), "one came with a picture"
    assert post.filter(outcome=Outcome.AWAY.value).exists()
    assert post.filter(outcome=Outcome.BOUNCED_SOFT.value).exists()
    assert post.get(state="person").from_name == "Frank Bauer", "one letter waits for a person"
    roles = {role for user in User.objects.all() for role in user.roles}
    assert roles == {"owner", "manager", "executive", "officer", "administrator", "analyst"}
    assert clock_offset() >= timedelta()


def _a_worker_of_the_tutorial_can_report(mailbox: str) -> None:
    worker = Worker.objects.get(email__startswith=f"{mailbox}@")
    assert worker.name in TUTORIAL.read_text(), "the tutorial walks with somebody else"
    assert worker.status == WorkerStatus.ACTIVE.value
    assert worker.mail_state == MailState.GOOD.value
    assert (worker.unsubscribed_at, worker.paused_until) == (None, None)
    assert not worker.problems.exists()
    newest = caught_mails(recipient=worker.email, search="check_in.question")[0]
    assert PRESENT - newest.received_at < timedelta(days=8)
    found = caught_mail(newest.id)
    assert found is not None
    link = next(link for link in found.links if link.words.endswith("I have a problem"))
    token = next(part for part in link.url.split("/") if len(part) == TOKEN_LENGTH)
    # Raises when the link is older.
    assert read_public_token(token, Purpose.ANSWER, today=PRESENT.date(), valid_days=39)


@pytest.mark.usefixtures("demonstration_mode")
def test_the_same_seed_and_time_give_the_same_history_and_an_interruption_leaves_no_trace() -> None:
    tiny = Scale(weeks=3, workers_per_place=2)
    _fill(tiny)
    first = _what_was_said()
    calls = iter(range(10_000))
    Demonstration.objects.update(filled_at=None)
    with pytest.raises(Interrupted):
        fill(say=_silent, should_stop=lambda: next(calls) > 40, scale=tiny, present=PRESENT)
    assert Demonstration.objects.get().filled_at is None
    _fill(tiny)
    assert _what_was_said() == first


def _what_was_said() -> list[Any]:
    return list(Problem.objects.order_by("pk").values_list("opened_at", "worker__email", "words", "state"))


@pytest.mark.usefixtures("demonstration_mode")
def test_it_is_never_played_over_data_of_others(world: World) -> None:
    with pytest.raises(Refused, match="already"):
        _fill()
    assert Account.objects.filter(pk=world.account.pk).exists()


def test_it_is_never_played_outside_demonstration_mode(transactional_db: None) -> None:
    for play in (fill, reset):
        with pytest.raises(Refused, match="demonstration mode only"):
            play(say=_silent, should_stop=_go_on)


@pytest.mark.usefixtures("demonstration_mode")
def test_it_is_not_reset_under_a_running_engine() -> None:
    now = clock.now()
    EngineBeat.objects.create(host="here", pid=1, started_at=now, beat_at=now)
    with pytest.raises(Refused, match="Stop"):
        reset(say=_silent, should_stop=_go_on)


@pytest.mark.parametrize(
    ("earliest", "expected"),
    [
        (datetime(2026, 3, 11, 10, 0, tzinfo=UTC), datetime(2026, 3, 11, 10, 0, tzinfo=UTC)),
        (datetime(2026, 3, 11, 15, 30, tzinfo=UTC), datetime(2026, 3, 12, 9, 15, tzinfo=UTC)),
        (datetime(2026, 3, 14, 3, 0, tzinfo=UTC), datetime(2026, 3, 16, 9, 15, tzinfo=UTC)),
    ],
)
def test_it_ends_at_a_moment_at_which_people_work(
    world: World, earliest: datetime, expected: datetime
) -> None:
    assert good_present(earliest, Stage(users={"maria.behrens": world.maria})) == expected


def test_business_time_is_counted_back_over_nights_and_weekends(world: World) -> None:
    calendar = calendar_of(world.maria)  # nine to five in Berlin
    monday = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
    assert business_ago(calendar, monday, 60) == monday - timedelta(hours=1)
    assert business_ago(calendar, monday, 120) == datetime(2026, 3, 6, 15, 0, tzinfo=UTC)
    assert calendar.between(business_ago(calendar, monday, 1000), monday) == timedelta(minutes=1000)
