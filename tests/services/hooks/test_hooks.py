"""Other systems hear what happens: each event once, signed, in the outbox's care."""

from __future__ import annotations

import json
from functools import partial

import pytest

from sentinel.channels import registry
from sentinel.channels.webhook.sender import WebhookSender
from sentinel.engine.passes import dispatch, publish_events
from sentinel.hooks import services
from sentinel.hooks.errors import EndpointRefused
from sentinel.hooks.models import StreamCursor, WebhookEndpoint
from sentinel.kernel.errors import NotAllowed
from sentinel.outbox.selectors import newest_to
from sentinel.people.sealing import open_target
from sentinel.people.targets import Webhook
from sentinel.timeline.models import Event
from sentinel.workflows.acknowledge import acknowledge
from tests.channels.ways.test_webhook import SECRET, is_genuine
from tests.fakes.http_service import HttpService, Request
from tests.world import World


def an_endpoint(world: World, service: HttpService, *kinds: str) -> WebhookEndpoint:
    return services.add_endpoint(
        name="Ticket system",
        hook=Webhook(url=f"{service.url}/hush-hush", secret=SECRET),
        kinds=kinds or ("problem.opened", "problem.acknowledged"),
        actor=world.ada,
        now=world.now,
    )


def deliver(world: World) -> None:
    """Let the engine publish and send."""
    while publish_events.run(world.now):
        pass
    sender = WebhookSender(opener=partial(open_target, channel="webhook"), allow_private=True)
    with registry.using({"webhook": sender}):
        dispatch.run(world.now)


def heard(requests: list[Request]) -> list[str]:
    return [json.loads(request.body)["type"] for request in requests]


def test_an_endpoint_hears_what_it_asked_for_and_nothing_else(world: World) -> None:
    before = world.frown()
    with HttpService() as service:
        an_endpoint(world, service)
        problem = world.frown("Toner is out", worker=world.joao)
        acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
        deliver(world)
        assert heard(service.kept) == ["problem.opened", "problem.acknowledged"]
        assert all(is_genuine(request) for request in service.kept)
        data = json.loads(service.kept[0].body)["data"]
        assert (data["problem_id"], data["account_id"]) == (problem.pk, world.account.pk)
        assert before.pk not in {json.loads(r.body)["data"]["problem_id"] for r in service.kept}


def test_an_event_is_decided_once_however_often_the_pass_runs(world: World) -> None:
    with HttpService() as service:
        an_endpoint(world, service, "problem.opened")
        world.frown()
        deliver(world)
        deliver(world)
        # Even a cursor that was lost decides nothing twice: the key is the event's.
        StreamCursor.objects.all().delete()
        deliver(world)
        assert heard(service.kept) == ["problem.opened"]


def test_an_event_that_commits_late_is_told_with_its_stream(world: World) -> None:
    with HttpService() as service:
        an_endpoint(world, service, "problem.opened")
        world.frown()
        deliver(world)
        # As if the mark had run far ahead of a stream: the cursor of the stream decides, not the mark.
        StreamCursor.objects.filter(stream="").update(seq=Event.objects.latest("pk").pk + 50)
        world.frown("Another", worker=world.joao)
        deliver(world)
        assert heard(service.kept) == ["problem.opened", "problem.opened"]


def test_a_failure_is_tried_again_and_stands_in_the_log(world: World) -> None:
    with HttpService() as service:
        endpoint = an_endpoint(world, service, "problem.opened")
        world.frown()
        service.will(503)
        deliver(world)
        (row,) = newest_to(recipient_kind="hook", recipient_id=endpoint.pk, limit=5)
        assert (row.state, row.attempts, "503" in row.last_error) == ("pending", 1, True)
        assert "hush" not in json.dumps([row.payload, row.address, row.last_error])
        world.clock.set(row.visible_at)
        deliver(world)
        first, second = service.kept
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        (row,) = newest_to(recipient_kind="hook", recipient_id=endpoint.pk, limit=5)
        assert row.state == "accepted"


def test_gone_switches_it_off_and_bothers_nobody(world: World) -> None:
    with HttpService() as service:
        endpoint = an_endpoint(world, service, "problem.opened")
        world.frown()
        service.will(410)
        deliver(world)
        endpoint.refresh_from_db()
        assert (endpoint.is_enabled, "410" in endpoint.off_because) == (False, True)
        assert not newest_to(recipient_kind="user", recipient_id=world.ada.pk, limit=5)
        world.frown("Meanwhile", worker=world.joao)
        services.switch_endpoint(endpoint_id=endpoint.pk, is_enabled=True, actor=world.ada, now=world.now)
        deliver(world)
        assert heard(service.kept) == ["problem.opened"], "what happened while it was off is not told later"


def test_a_test_travels_the_same_way(world: World) -> None:
    with HttpService() as service:
        endpoint = an_endpoint(world, service)
        services.send_test_to(endpoint_id=endpoint.pk, actor=world.ada, now=world.now)
        deliver(world)
        assert heard(service.kept) == ["hook.test"]


def test_only_administrators_and_only_events_that_are_offered(world: World) -> None:
    hook = Webhook(url="https://x.example/", secret=SECRET)
    add = partial(services.add_endpoint, name="", hook=hook, now=world.now)
    for user in (world.maria, world.petra, world.alan):
        with pytest.raises(NotAllowed):
            add(kinds=["problem.opened"], actor=user)
    for kinds in ([], ["user.signed_in"], ["message.failed"], ["nonsense"]):
        with pytest.raises(EndpointRefused):
            add(kinds=kinds, actor=world.ada)
    endpoint = add(kinds=["problem.opened"], actor=world.ada)
    assert endpoint.name == "https://x.example/…"
    services.remove_endpoint(endpoint_id=endpoint.pk, actor=world.ada, now=world.now)
    verbs = Event.objects.filter(verb__startswith="hook.").values_list("verb", flat=True)
    assert list(verbs) == ["hook.added", "hook.removed"]
