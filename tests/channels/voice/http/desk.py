"""A Sentinel that places calls by a voice service: both are real servers that call each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from types import ModuleType
from typing import Any

from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import Provider
from sentinel.calls.services import store_placed_call
from sentinel.channels.voice.base import Accepted, CallEvent, Intent
from sentinel.channels.voice.http.books import Rows
from sentinel.channels.voice.http.calls import HttpVoice
from sentinel.channels.voice.http.settings import HttpSettings
from sentinel.channels.voice.http.webhooks import urlpatterns_of
from sentinel.config import urls
from sentinel.config.telephone import CallsBy
from sentinel.people.sealing import secrets
from sentinel.problems.models import Problem
from sentinel.workflows.follow_call import follow_event
from tests.fakes.twilio import ACCOUNT, TOKEN, Person, Twilio
from tests.world import World

OWNER, WORKER, CALLER = "+4930555010", "+380445550101", "+4930999"
#: The end of a call, as far as it means anything: reason, whose leg, seconds of talk.
End = tuple[str, str, int]


@dataclass
class Desk:
    """The cast, the service, and the adapter between them."""

    world: World
    twilio: Twilio
    voice: HttpVoice
    settings: HttpSettings
    problem: Problem

    def people(self, owner: Person | None = None, worker: Person | None = None) -> None:
        """Who is at the telephones; both answer unless said otherwise."""
        self.twilio.people = {OWNER: owner or Person(), WORKER: worker or Person()}

    def wish(self) -> PlacedCall:
        """A call that somebody wants."""
        return store_placed_call(
            problem=self.problem,
            user=self.world.maria,
            provider=Provider.HTTP_VOICE,
            owner_number=OWNER,
            worker_number=WORKER,
            now=self.world.now,
        )

    def place(self) -> PlacedCall:
        """A call that the service has accepted; its name there comes with its first report."""
        call = self.wish()
        placed = self.voice.place(intent(call.key), self.world.now)
        assert isinstance(placed, Accepted), placed
        return call

    def call(self) -> PlacedCall:
        """A call from its placing to its end."""
        call = self.place()
        self.twilio.play(self.newest)
        call.refresh_from_db()
        return call

    @property
    def newest(self) -> str:
        """The service's name of the owner's leg of the newest call."""
        return [leg.sid for leg in self.twilio.calls.values() if not leg.parent][-1]

    def again(self, **changes: Any) -> HttpVoice:
        """Another adapter, as another process has one."""
        return HttpVoice(replace(self.settings, **changes), self._hear, books=Rows())

    def _hear(self, event: CallEvent) -> None:
        follow_event(provider="http_voice", event=event, now=self.world.now)


def intent(key: str, **changes: Any) -> Intent:
    """Maria calls Olena."""
    wanted = Intent(
        key=key,
        owner_number=OWNER,
        worker_number=WORKER,
        caller_id=CALLER,
        whisper="Olena Kovalenko aus Kyiv: Der Drucker frisst Papier & <Nerven>.",
        language="de",
    )
    return replace(wanted, **changes)


def end_of(call: PlacedCall) -> End:
    """How a call ended."""
    call.refresh_from_db()
    assert call.state == "ended"
    return call.reason, call.failed_leg, call.talk_seconds


@contextmanager
def opened(world: World, base_url: str, django_settings: Any, **options: Any) -> Iterator[Desk]:
    """Sentinel at ``base_url`` with a voice service of its own."""
    with Twilio(world.clock) as twilio:
        configured = HttpSettings(
            account=ACCOUNT,
            token=TOKEN,
            caller=CALLER,
            base_url=base_url,
            secrets=secrets(),
            api_url=twilio.url,
            **{"answer_seconds": 0.5, "queue_seconds": 3600.0, **options},
        )
        desk = Desk(world, twilio, HttpVoice(configured, books=Rows()), configured, world.frown())
        addresses = ModuleType("addresses_of_a_desk")
        addresses.urlpatterns = [*urlpatterns_of(lambda: desk.voice), *urls.urlpatterns]  # type: ignore[attr-defined]
        django_settings.ROOT_URLCONF = addresses
        django_settings.BASE_URL = base_url
        django_settings.CALLS_BY = CallsBy(provider="http_voice", caller=CALLER)
        world.clock.advance(seconds=1)
        desk.people()
        try:
            yield desk
        finally:
            desk.voice.close()


__all__ = ["Desk", "Person", "end_of", "intent", "opened", "timedelta"]
