"""The sender is killed at any instant: nothing is lost, and at most one mail per connection is repeated."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import pytest

from sentinel.channels.email.bulk import __main__ as program
from tests.channels.bulk.office import (
    CHECKOUT,
    SenderProcess,
    counters,
    launch,
    relay,
    sent,
    states,
    told,
    wait_until,
)
from tests.fakes.smtp_sink import Sink

CONNECTIONS = 10
KILLS = 6


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", ["full", "pipe"])
def test_killing_the_sender_loses_nothing_and_repeats_at_most_one_mail_per_connection(mode: str) -> None:
    dice = random.Random(7)
    run = launch(many=3000, domains=50)
    with Sink(rtt=0.002, processing=0.005) as sink:
        wanted = told(relay(sink, connections=CONNECTIONS, mode=mode))
        for kill in range(KILLS):
            sender = SenderProcess(wanted)
            at_least = (kill + 1) * 300
            wait_until(lambda at_least=at_least: len(sink.taken) >= at_least)  # type: ignore[misc]
            time.sleep(dice.uniform(0, 0.05))  # somewhere, and not always right after a mail
            sender.kill()
        sender = SenderProcess(wanted)
        wait_until(lambda: sent(run) == 3000, seconds=60)
        assert sender.stop() == 0
        again, changed = sink.repeats()
        assert len(set(sink.recipients)) == 3000
    assert again <= KILLS * CONNECTIONS
    assert changed == 0, "a repeat is the same mail, byte for byte"
    assert states() == {"sent": 3000}
    run.refresh_from_db()
    assert again <= run.repeated == run.ambiguous <= KILLS * CONNECTIONS
    assert counters(run)["sent"] == 3000


def test_the_sender_s_process_stays_small() -> None:
    """No Django, and no library of ours that brings it along."""
    listing = f"import sys, {program.__name__}; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, cwd=CHECKOUT, check=True
    )
    loaded = set(done.stdout.split())
    assert not {"django", "cryptography", "pydantic", "sentinel.config"} & loaded
