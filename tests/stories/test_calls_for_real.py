"""A press in the console lets two real telephones talk: a real engine process, real SIP, a real outbox."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sentinel.accounts.models import Worker
from sentinel.calls.models import ExchangeBeat, PlacedCall
from sentinel.channels import registry
from sentinel.channels.voice.exchange import Exchange
from sentinel.channels.voice.sender import VoiceSender
from sentinel.config.calls import sip_settings
from sentinel.config.telephone import calls_by
from sentinel.engine.passes import follow_calls
from sentinel.people.models import WorkCalendar
from sentinel.problems.models import Call, Problem
from sentinel.timeline.models import Event
from sentinel.workflows.place_call import hang_up_call, place_call
from tests.channels.voice.sip import sipp
from tests.fakes.engine_process import SLEEP_SOUNDLY, Nursery
from tests.fakes.smtp import SmtpServer
from tests.stories.chaos import database_url
from tests.world import World

pytestmark = pytest.mark.sip

CALLS_URL = "sip://127.0.0.1?number=sip:{number}@127.0.0.1&listen=127.0.0.1&outbound=direct&calls=20"


@dataclass
class Desk:
    """Maria's problem, the engine that works for her, and the two telephones."""

    world: World
    nursery: Nursery
    engine: int
    problem: Problem
    owner: sipp.Telephone
    worker: sipp.Telephone

    def press(self) -> PlacedCall:
        return place_call(problem_id=self.problem.pk, user=self.world.maria, now=datetime.now(UTC))

    def until(self, state: str) -> PlacedCall:
        wait_for(lambda: PlacedCall.objects.filter(state=state).exists(), state)
        return PlacedCall.objects.get()

    def told(self) -> list[str]:
        rows = Event.objects.filter(problem_id=self.problem.pk, verb__startswith="call.")
        return list(rows.order_by("id").values_list("verb", flat=True))


def wait_for(is_so: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, f"not {what} within {seconds} s"
        time.sleep(0.02)


@pytest.fixture
def at_work(world: World, settings: Any, tmp_path: Path) -> Callable[..., Any]:
    """Lets an engine run for Maria, whose and whose worker's telephones follow the steps."""
    settings.CALLS_BY = calls_by(CALLS_URL)
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    WorkCalendar.objects.update(week={day: [["00:00", "24:00"]] for day in days})
    world.clock.set(datetime.now(UTC))

    @contextmanager
    def desk(owner_steps: Sequence[str], worker_steps: Sequence[str], oddity: str = "") -> Iterator[Desk]:
        with (
            SmtpServer() as sink,
            sipp.telephone("owner", owner_steps, tmp_path / "o") as owner,
            sipp.telephone("worker", worker_steps, tmp_path / "w") as worker,
            Nursery(
                database_url=database_url(),
                smtp_port=sink.port,
                oddity=oddity,
                further={"SENTINEL_CALLS_URL": CALLS_URL},
            ) as nursery,
        ):
            world.maria.telephone = owner.address
            world.maria.save()
            problem = world.frown()
            # An address counts only where the customer's list says it, not from an answer.
            Worker.objects.filter(pk=problem.worker_id).update(telephone=worker.address)
            Problem.objects.filter(pk=problem.pk).update(call_number="")
            yield Desk(world, nursery, nursery.start(), problem, owner, worker)

    return desk


def test_from_the_press_to_the_question_how_it_went(at_work: Callable[..., Any]) -> None:
    with at_work([*sipp.OWNER, sipp.hung_up()], [*sipp.WORKER, sipp.pause(300), sipp.hangs_up()]) as desk:
        desk.press()
        call = desk.until("ended")
        assert desk.owner.is_content()
        assert desk.worker.is_content()
        assert (call.reason, call.failed_leg) == ("completed", "")
        assert desk.owner.has_seen("Subject: Call with Olena Kovalenko, Kyiv.")
        assert desk.told() == [
            "call.requested",
            "call.owner_answered",
            "call.worker_dialed",
            "call.bridged",
            "call.ended",
        ]
        wait_for(lambda: any(m.kind == "call.ended" for m in desk.world.notices(desk.world.maria)), "asked")
        assert not Call.objects.exists()
        assert Problem.objects.get(pk=desk.problem.pk).is_open


def test_a_busy_worker_is_logged_as_a_try(at_work: Callable[..., Any]) -> None:
    held = [sipp.ringing(), sipp.answer(), sipp.recv("ACK"), sipp.hung_up()]
    busy = [sipp.recv("INVITE"), sipp.send(486, retrans=500), sipp.recv("ACK")]
    with at_work(held, busy) as desk:
        desk.press()
        call = desk.until("ended")
        assert (call.reason, call.failed_leg) == ("busy", "worker")
        assert Call.objects.get().note == "Placed by Sentinel: busy (486 Busy Here)"
        assert desk.owner.is_content()


def test_a_wish_to_hang_up_wakes_the_engine(at_work: Callable[..., Any]) -> None:
    # It would look again in a minute, and we wait for a third of one.
    with at_work([sipp.ringing(), sipp.cancelled()], [*sipp.WORKER], SLEEP_SOUNDLY) as desk:
        call = desk.press()
        wait_for(lambda: PlacedCall.objects.get().detail == "ringing", "ringing")
        hang_up_call(call_id=call.pk, user=desk.world.maria, now=datetime.now(UTC))
        assert desk.until("ended").reason == "cancelled"
        assert desk.owner.is_content()


def test_an_engine_that_ends_stops_the_ringing_and_tells_the_caller(at_work: Callable[..., Any]) -> None:
    with at_work([sipp.ringing(), sipp.cancelled()], [*sipp.WORKER]) as desk:
        desk.press()
        wait_for(lambda: PlacedCall.objects.get().detail == "ringing", "ringing")
        os.kill(desk.engine, signal.SIGTERM)
        assert desk.until("ended").reason == "cancelled"
        assert desk.owner.is_content()
        desk.nursery.running.remove(desk.engine)


def test_people_talk_on_when_the_engine_is_killed_and_the_call_is_found_to_be_lost(
    at_work: Callable[..., Any],
) -> None:
    with at_work([*sipp.OWNER, sipp.hung_up()], [*sipp.WORKER, sipp.hung_up()]) as desk:
        desk.press()
        desk.until("bridged")
        desk.nursery.kill(desk.engine)
        # Another engine, whose exchange knows nothing of the call, after nobody held it for long enough.
        later = datetime.now(UTC) + follow_calls.LOST_AFTER + timedelta(seconds=1)
        survivor = Exchange(sip_settings(calls_by(CALLS_URL)))
        with registry.using({"voice": VoiceSender(survivor)}):
            assert follow_calls.run(datetime.now(UTC)) == 0
            assert follow_calls.run(later) == 1
        call = PlacedCall.objects.get()
        assert (call.state, call.reason) == ("ended", "lost")
        assert desk.owner.process.poll() is None
        assert desk.worker.process.poll() is None
        assert not desk.owner.has_seen("BYE sip:")


def test_a_real_engine_asks_a_real_exchange_whether_it_is_there(world: World, tmp_path: Path) -> None:
    with sipp.telephone("pbx", [sipp.recv("OPTIONS"), sipp.send(200)], tmp_path) as pbx:
        url = f"sip://127.0.0.1:{pbx.port}?listen=127.0.0.1"
        with (
            SmtpServer() as sink,
            Nursery(
                database_url=database_url(), smtp_port=sink.port, further={"SENTINEL_CALLS_URL": url}
            ) as nursery,
        ):
            nursery.start()
            wait_for(lambda: ExchangeBeat.objects.exists(), "asked")
            assert pbx.is_content()
    beat = ExchangeBeat.objects.get()
    assert (beat.peer, beat.detail, beat.silent_since) == (f"127.0.0.1:{pbx.port}", "200 OK", None)
