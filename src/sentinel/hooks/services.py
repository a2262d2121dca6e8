"""Changing endpoints, and telling them what happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from sentinel.hooks.errors import EndpointRefused
from sentinel.hooks.models import StreamCursor, WebhookEndpoint
from sentinel.hooks.rules import KINDS
from sentinel.kernel.errors import NotAllowed, NotFound
from sentinel.kernel.ids import dedupe_key
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.people.sealing import seal_target
from sentinel.people.services import actor_of
from sentinel.people.targets import Webhook, masked, written_webhook
from sentinel.timeline.models import Event
from sentinel.timeline.services import ENGINE, About, Actor, record_event
from sentinel.timeline.verbs import Verb

MOST_ENDPOINTS = 20
RECIPIENT = "hook"
TEST_KIND = "hook.test"
EVENT_KIND = "hook.event"
#: Ids are given before commits, so some of the last ones may appear late: so many are looked at again.
#: Whatever comes even later is told with the next event of its stream.
LOOK_BACK = 2_000
#: Events of one stream in one turn.
TURN = 200


def add_endpoint(
    *, name: str, hook: Webhook, kinds: Iterable[str], actor: User, now: datetime
) -> WebhookEndpoint:
    """Tell another system of these kinds of events from now on. Administrators only."""
    _require_administrator(actor)
    wanted = sorted(set(kinds))
    if not wanted or not set(wanted) <= {kind.value for kind in KINDS}:
        raise EndpointRefused("hook_kinds", "Choose at least one of the events offered.")
    with transaction.atomic():
        if WebhookEndpoint.objects.count() >= MOST_ENDPOINTS:
            raise EndpointRefused("hook_too_many", f"{MOST_ENDPOINTS} endpoints are enough.")
        endpoint = WebhookEndpoint.objects.create(
            name=name.strip()[:80] or masked(hook.url)[:80],
            shown=masked(hook.url)[:320],
            sealed=seal_target(written_webhook(hook), channel="webhook"),
            kinds=wanted,
            since_event_id=_newest_event(),
            created_at=now,
        )
        _record(Verb.HOOK_ADDED, endpoint, actor=actor_of(actor), now=now, kinds=wanted)
    return endpoint


def switch_endpoint(*, endpoint_id: int, is_enabled: bool, actor: User, now: datetime) -> None:
    """Tell an endpoint again from now on, or no more. What happened in between is not told later."""
    _require_administrator(actor)
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        if endpoint.is_enabled != is_enabled:
            endpoint.is_enabled, endpoint.off_because = is_enabled, ""
            if is_enabled:
                endpoint.since_event_id = _newest_event()
            endpoint.save(update_fields=["is_enabled", "off_because", "since_event_id"])
            _record(Verb.HOOK_SWITCHED, endpoint, actor=actor_of(actor), now=now, on=is_enabled)


def switch_off_lost_endpoint(*, endpoint_id: int, reason: str, now: datetime) -> None:
    """The endpoint said that it is gone for good (410)."""
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_id, is_enabled=True).first()
        if endpoint is not None:
            endpoint.is_enabled, endpoint.off_because = False, reason[:300]
            endpoint.save(update_fields=["is_enabled", "off_because"])
            _record(Verb.HOOK_SWITCHED, endpoint, actor=ENGINE, now=now, on=False, reason=reason[:300])


def remove_endpoint(*, endpoint_id: int, actor: User, now: datetime) -> None:
    """Forget an endpoint and its key."""
    _require_administrator(actor)
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        _record(Verb.HOOK_REMOVED, endpoint, actor=actor_of(actor), now=now)
        endpoint.delete()


def send_test_to(*, endpoint_id: int, actor: User, now: datetime) -> None:
    """Send a test; it shows in the endpoint's log like any delivery."""
    _require_administrator(actor)
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        key = dedupe_key("hook", endpoint.pk, "test", now.isoformat())
        said = {"type": TEST_KIND, "at": now.isoformat(), "name": endpoint.name}
        enqueue([_message(endpoint, key=key, kind=TEST_KIND, event=said)], now=now)


def publish_events(*, now: datetime) -> int:
    """Put what has happened since into the outbox, for every endpoint that wants it. Returns how many."""
    endpoints = list(WebhookEndpoint.objects.filter(is_enabled=True))
    if not endpoints:
        return 0
    first = min(endpoint.since_event_id for endpoint in endpoints)
    mark, _ = StreamCursor.objects.get_or_create(stream="", defaults={"seq": first})
    newest = _newest_event()
    after = max(first, mark.seq - LOOK_BACK)
    ends = list(Event.objects.filter(pk__gt=after).order_by().values("stream").annotate(end=Max("seq")))
    known = StreamCursor.objects.filter(stream__in=[row["stream"] for row in ends])
    cursors = dict(known.values_list("stream", "seq"))
    told, whole = 0, True
    for row in ends:
        if row["end"] > cursors.get(row["stream"], 0):
            count, finished = _publish_stream(row["stream"], endpoints, first=first, now=now)
            told, whole = told + count, whole and finished
    if whole and newest > mark.seq:
        StreamCursor.objects.filter(pk=mark.pk, seq__lt=newest).update(seq=newest)
    return told


def _publish_stream(
    stream: str, endpoints: list[WebhookEndpoint], *, first: int, now: datetime
) -> tuple[int, bool]:
    """Tell the next events of one stream; the cursor moves in the same transaction."""
    with transaction.atomic():
        StreamCursor.objects.get_or_create(stream=stream)
        cursor = StreamCursor.objects.select_for_update().get(stream=stream)
        events = list(
            Event.objects.filter(stream=stream, seq__gt=cursor.seq, pk__gt=first).order_by("seq")[:TURN]
        )
        if not events:
            return 0, True
        messages = [
            _message(
                endpoint,
                key=dedupe_key("hook", endpoint.pk, event.pk),
                kind=EVENT_KIND,
                event=told_of(event),
            )
            for event in events
            for endpoint in endpoints
            if event.verb in endpoint.kinds and event.pk > endpoint.since_event_id
        ]
        enqueue(messages, now=now)
        cursor.seq = events[-1].seq
        cursor.save(update_fields=["seq"])
        return len(messages), len(events) < TURN


def told_of(event: Event) -> dict[str, object]:
    """What an endpoint hears of an event: ids and the facts of the act, as the timeline holds them."""
    return {
        "type": event.verb,
        "at": event.at.isoformat(),
        "stream": event.stream,
        "seq": event.seq,
        "actor": event.actor_kind,
        "account_id": event.account_id,
        "site_id": event.site_id,
        "worker_id": event.worker_id,
        "problem_id": event.problem_id,
        "facts": event.data,
    }


def _message(endpoint: WebhookEndpoint, *, key: str, kind: str, event: Mapping[str, object]) -> NewMessage:
    return NewMessage(
        dedupe_key=key,
        channel="webhook",
        kind=kind,
        recipient_kind=RECIPIENT,
        recipient_id=endpoint.pk,
        address=endpoint.shown,
        # People come first: a system can wait behind every notice.
        priority=Priority.CHECK_IN,
        payload={"target": endpoint.sealed, "endpoint_id": endpoint.pk, "event": dict(event)},
    )


def _newest_event() -> int:
    return int(Event.objects.aggregate(newest=Max("pk"))["newest"] or 0)


def _locked(endpoint_id: int) -> WebhookEndpoint:
    endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_id).first()
    if endpoint is None:
        raise NotFound("hook_unknown", "There is no such endpoint.")
    return endpoint


def _require_administrator(actor: User) -> None:
    if not (actor.is_active and actor.has_role(Role.ADMINISTRATOR)):
        raise NotAllowed("administrators_only", "Only administrators may do this.")


def _record(verb: Verb, endpoint: WebhookEndpoint, *, actor: Actor, now: datetime, **data: object) -> None:
    said = {"name": endpoint.name, "address": endpoint.shown, **data}
    record_event(verb=verb, at=now, actor=actor, about=About(), data=said)
