"""Two real telephones hear each other: each says a tone, and must hear the other's and only that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sentinel.channels.voice.base import CallState, EndReason
from tests.channels.voice.sip.baresip import Phone, telephone
from tests.channels.voice.sip.exchange import TEMPLATE, office
from tests.fakes.ports import wait_until

pytestmark = pytest.mark.sip
OWNER_HERTZ, WORKER_HERTZ = 440, 1000
ALMOST_ALL, HARDLY_ANY = 0.98, 0.01


@contextmanager
def phones(folder: Path) -> Iterator[tuple[Phone, Phone]]:
    """The owner's telephone and the worker's."""
    with (
        telephone("owner", OWNER_HERTZ, folder / "owner") as owner,
        telephone("worker", WORKER_HERTZ, folder / "worker") as worker,
    ):
        yield owner, worker


def they_hear_each_other(owner: Phone, worker: Phone) -> bool:
    """Whether the last half second at both ends is the other one's tone, and not one's own."""
    return (
        owner.hears(WORKER_HERTZ) > ALMOST_ALL
        and worker.hears(OWNER_HERTZ) > ALMOST_ALL
        and owner.hears(OWNER_HERTZ) < HARDLY_ANY
        and worker.hears(WORKER_HERTZ) < HARDLY_ANY
    )


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_two_telephones_hear_each_other(tmp_path: Path, transport: str) -> None:
    with phones(tmp_path) as (owner, worker), office() as desk:
        suffix = ";transport=TCP" if transport == "tcp" else ""
        ref = desk.call(owner.address + suffix, worker.address + suffix, whisper='The lift "again", Anna')
        desk.wait_for(ref, CallState.BRIDGED)
        wait_until(lambda: they_hear_each_other(owner, worker), "both tones at both ends")
        status = desk.calls.status(ref)
        assert status is not None
        assert status.state is CallState.BRIDGED
        desk.calls.hang_up(ref)
        assert desk.ended(ref).reason is EndReason.COMPLETED
        for phone in (owner, worker):
            wait_until(lambda phone=phone: "session closed" in phone.log(), f"{phone.name} knows")  # type: ignore[misc]


_CALLER = """
import sys, threading
from datetime import UTC, datetime
from sentinel.channels.voice.base import CallState, Intent
from sentinel.channels.voice.sip.calls import SipCalls
from sentinel.channels.voice.sip.settings import SipSettings

bridged = threading.Event()
calls = SipCalls(
    SipSettings(number_template=sys.argv[1], listen="127.0.0.1"),
    lambda event: bridged.set() if event.state is CallState.BRIDGED else None,
)
calls.start()
intent = Intent(key="k", owner_number=sys.argv[2], worker_number=sys.argv[3], caller_id="")
calls.place(intent, datetime.now(UTC))
bridged.wait(30)
print("bridged", flush=True)
threading.Event().wait()
"""


def test_people_go_on_talking_when_sentinel_is_killed(tmp_path: Path) -> None:
    with phones(tmp_path) as (owner, worker):
        command = [sys.executable, "-c", _CALLER, TEMPLATE, owner.address, worker.address]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as caller:
            assert caller.stdout is not None
            assert caller.stdout.readline() == "bridged\n"
            os.kill(caller.pid, signal.SIGKILL)
        before = worker.heard_seconds()
        wait_until(lambda: worker.heard_seconds() > before + 2, "two more seconds of sound")
        wait_until(lambda: they_hear_each_other(owner, worker), "both tones at both ends")


def test_closing_lets_people_go_on_talking(tmp_path: Path) -> None:
    with phones(tmp_path) as (owner, worker):
        with office() as desk:
            ref = desk.call(owner.address, worker.address)
            desk.wait_for(ref, CallState.BRIDGED)
            desk.calls.close()
            assert CallState.ENDED not in desk.states(ref)
        before = worker.heard_seconds()
        wait_until(lambda: worker.heard_seconds() > before + 1, "another second of sound")
        wait_until(lambda: they_hear_each_other(owner, worker), "both tones at both ends")
