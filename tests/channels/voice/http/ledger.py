"""A Sentinel without a database: books in memory, and the service's requests handed over without a wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from sentinel.channels.voice.base import CallEvent, CallState, rank
from sentinel.channels.voice.http.books import Known
from sentinel.channels.voice.http.calls import HttpVoice
from sentinel.channels.voice.http.settings import HttpSettings
from sentinel.kernel.clock import FixedClock
from tests.fakes.twilio import ACCOUNT, TOKEN, Twilio
from tests.fakes.twilio_calls import Callback, Web
from tests.world import START

OWNER, WORKER, CALLER = "+4930555010", "+380445550101", "+4930999"
BASE_URL = "https://sentinel.example"
SECRETS = ("the secret of these tests", "an older one")


@dataclass
class Story:
    """One call as the rows would tell it."""

    ref: str = ""
    state: CallState = CallState.REQUESTED
    end: tuple[str, str, int] = ("", "", 0)
    is_unwanted: bool = False
    is_test: bool = False


@dataclass
class Ledger:
    """Books that follow events as the rows do: once each, forward only, of one placing only."""

    stories: dict[str, Story] = field(default_factory=dict)
    heard: list[CallEvent] = field(default_factory=list)

    def hear(self, event: CallEvent) -> None:
        if event.event_id in {other.event_id for other in self.heard}:
            return
        self.heard.append(event)
        story = self.stories[event.key]
        if (story.ref and event.ref != story.ref) or rank(event.state) <= rank(story.state):
            return
        story.ref, story.state = event.ref, event.state
        if event.reason is not None:
            story.end = (event.reason.value, event.leg.value if event.leg else "", event.talk_seconds)

    def known(self, key: str) -> Known | None:
        story = self.stories.get(key)
        if story is None:
            return None
        is_over = story.state is CallState.ENDED or story.is_unwanted
        return Known(
            owner_number=OWNER, ref=story.ref, state=story.state, is_over=is_over, is_test=story.is_test
        )

    def is_taken(self, ref: str) -> bool:
        return ref in {story.ref for story in self.stories.values()}

    def is_test(self, ref: str) -> bool:
        return any(story.ref == ref and story.is_test for story in self.stories.values())


class NoWire(Web):
    """Hands requests over directly, signed all the same."""

    voice: HttpVoice
    ledger: Ledger
    clock: FixedClock

    def ask(self, callback: Callback) -> str:
        report = self.voice.verified(**signed(callback), now=self.clock.now())
        turn = self.voice.turn(report)
        for event in turn.events:
            self.ledger.hear(event)
        if turn.hangs_up:
            self.voice.hang_up(turn.hangs_up)
        self.kept.append((callback, 200))
        return turn.twiml or ""


@dataclass
class Office:
    """Everything of one test."""

    twilio: Twilio
    voice: HttpVoice
    ledger: Ledger
    clock: FixedClock
    settings: HttpSettings


def signed(callback: Callback, token: str = TOKEN) -> dict[str, Any]:
    """A request as it arrives."""
    signature = RequestValidator(token).compute_signature(callback.url, callback.fields)
    return {
        "url": callback.url,
        "headers": {"X-Twilio-Signature": signature},
        "body": urlencode(callback.fields).encode(),
    }


@contextmanager
def office(**options: Any) -> Iterator[Office]:
    """A service and an adapter that know each other."""
    clock, ledger = FixedClock(START), Ledger()
    with Twilio(clock) as twilio:
        settings = HttpSettings(
            **{
                "account": ACCOUNT,
                "token": TOKEN,
                "caller": CALLER,
                "base_url": BASE_URL,
                "secrets": SECRETS,
                "api_url": twilio.url,
                "answer_seconds": 0.5,
                "queue_seconds": 3600.0,
                **options,
            }
        )
        voice = HttpVoice(settings, ledger.hear, books=ledger, now=clock.now)
        web = NoWire(token=TOKEN, account=ACCOUNT)
        web.voice, web.ledger, web.clock = voice, ledger, clock
        twilio.web = web
        try:
            yield Office(twilio, voice, ledger, clock, settings)
        finally:
            voice.close()
