"""The ways to be reached, on the profile."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.staticfiles import finders
from django.test import Client

from sentinel.channels import registry
from sentinel.channels.push.encryption import decrypt
from sentinel.config.wiring import push_sender
from sentinel.engine.passes import dispatch
from sentinel.hooks.models import WebhookEndpoint
from sentinel.kernel.push_keys import encode, raw_public
from sentinel.outbox.selectors import messages_to
from sentinel.people.models import ContactMethod
from sentinel.people.sealing import open_target
from tests.fakes.http_service import HttpService
from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage

TARGET = "tgram://123456789:hush-hush-hush/12345"
TYPED = {"chat-target": TARGET, "chat-label": "My phone"}


def _code(stage: Stage, method: ContactMethod) -> str:
    messages = messages_to(recipient_kind="user", recipient_id=stage.world.maria.pk, kind="contact.code")
    mine = [m for m in messages if m.payload["method_id"] == method.pk]
    return open_target(mine[-1].payload["code"], channel=method.channel)


def test_a_chat_is_added_verified_tested_and_removed(stage: Stage, as_user: SignedIn) -> None:
    maria = as_user(stage.world.maria)
    assert maria.post("/profile/ways/", TYPED).status_code == 303
    method = ContactMethod.objects.get(user=stage.world.maria)
    page = maria.get("/profile/").content.decode()
    assert "My phone" in page
    assert "type the code" in page
    assert "hush" not in page
    address = f"/profile/ways/{method.pk}"
    wrong = maria.post(f"{address}/verify/", {"code": "nonsense"})
    assert (wrong.status_code, "not the code" in wrong.content.decode()) == (422, True)
    assert maria.post(f"{address}/verify/", {"code": _code(stage, method)}).status_code == 303
    assert maria.post(f"{address}/test/").status_code == 303
    assert "waits to be sent" in maria.get("/profile/").content.decode()
    for act in ("off", "on", "first"):
        assert maria.post(f"{address}/{act}/").status_code == 303
    assert maria.post(f"{address}/remove/").status_code == 303
    assert not ContactMethod.objects.filter(user=stage.world.maria).exists()


def test_a_target_that_is_not_allowed_is_explained_beside_the_field(
    stage: Stage, as_user: SignedIn, settings: Any
) -> None:
    answer = as_user(stage.world.maria).post("/profile/ways/", {"chat-target": "json://10.0.0.1/x"})
    assert answer.status_code == 422
    assert "Allowed services" in answer.content.decode()
    assert not ContactMethod.objects.exists()


def test_a_test_by_mail_shows_that_it_is_on_its_way(stage: Stage, as_user: SignedIn) -> None:
    maria = as_user(stage.world.maria)
    assert maria.post("/profile/ways/test-mail/").status_code == 303
    assert "waits to be sent" in maria.get("/profile/").content.decode()


def test_a_browser_subscribes_and_types_the_code_it_was_shown(
    stage: Stage, as_user: SignedIn, settings: Any
) -> None:
    settings.PUSH_SERVICES, settings.PRIVATE_TARGETS = ("127.0.0.1",), True
    browser, secret = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
    maria = as_user(stage.world.maria)
    key = re.search(r'data-push-key="([\w-]+)"', maria.get("/profile/").content.decode())
    assert key is not None
    with HttpService() as service:
        subscription = {
            "endpoint": f"{service.url}/push/1",
            "expirationTime": None,
            "keys": {"p256dh": encode(raw_public(browser.public_key())), "auth": encode(secret)},
            "applicationKey": key[1],
        }
        typed = {"push-subscription": json.dumps(subscription), "push-label": "Phone"}
        assert maria.post("/profile/ways/push/", typed).status_code == 303
        with registry.using({"push": push_sender()}):
            dispatch.run(stage.at)
        notice = json.loads(decrypt(service.kept[0].body, key=browser, secret=secret))
    method = ContactMethod.objects.get(user=stage.world.maria)
    code = notice["body"].split()[0]
    assert maria.post(f"/profile/ways/{method.pk}/verify/", {"code": code}).status_code == 303
    method.refresh_from_db()
    assert method.is_usable
    assert "Phone" in maria.get("/profile/").content.decode()


def test_a_push_service_that_nobody_knows_is_refused(stage: Stage, as_user: SignedIn) -> None:
    for said in ("", "{}", '{"endpoint": "https://10.0.0.1/x"}', "[1]"):
        answer = as_user(stage.world.maria).post("/profile/ways/push/", {"push-subscription": said})
        assert answer.status_code == 422
    public = encode(raw_public(ec.generate_private_key(ec.SECP256R1()).public_key()))
    inside = {
        "endpoint": "https://intranet.example/x",
        "keys": {"p256dh": public, "auth": encode(b"s" * 16)},
        "applicationKey": public,
    }
    typed = {"push-subscription": json.dumps(inside)}
    answer = as_user(stage.world.maria).post("/profile/ways/push/", typed)
    assert (answer.status_code, "is not allowed here" in answer.content.decode()) == (422, True)


def test_the_console_can_be_installed(client: Client, settings: Any) -> None:
    manifest = client.get("/manifest.webmanifest")
    assert manifest["Content-Type"] == "application/manifest+json"
    for icon in manifest.json()["icons"]:
        assert finders.find(icon["src"].removeprefix(settings.STATIC_URL))
    worker = client.get("/service-worker.js")
    assert worker["Content-Type"].startswith("text/javascript")
    assert "fetch(" not in worker.content.decode(), "a press opens a page, it never writes by itself"
    assert client.post("/service-worker.js").status_code == 405


def test_a_webhook_keeps_the_key_that_was_shown(stage: Stage, as_user: SignedIn) -> None:
    maria = as_user(stage.world.maria)
    shown = re.search(r'value="(whsec_[^"]+)"', maria.get("/profile/").content.decode())
    assert shown is not None
    typed = {"webhook-url": "https://hooks.example.com/very-secret", "webhook-secret": shown[1]}
    weak = maria.post("/profile/ways/webhook/", typed | {"webhook-secret": "whsec_c2hvcnQ="})
    assert (weak.status_code, "as it was made" in weak.content.decode()) == (422, True)
    inside = maria.post("/profile/ways/webhook/", typed | {"webhook-url": "https://10.0.0.1/"})
    assert "This address is in a private network" in inside.content.decode()
    assert inside.status_code == 422
    assert maria.post("/profile/ways/webhook/", typed).status_code == 303
    method = ContactMethod.objects.get(user=stage.world.maria)
    assert json.loads(open_target(method.sealed, channel="webhook"))["secret"] == shown[1]
    page = maria.get("/profile/").content.decode()
    assert "https://hooks.example.com/…" in page
    assert shown[1] not in page
    code = _code(stage, method)
    assert maria.post(f"/profile/ways/{method.pk}/verify/", {"code": code}).status_code == 303


def test_an_administrator_adds_a_webhook_of_the_house_and_reads_its_log(
    stage: Stage, as_user: SignedIn
) -> None:
    ada = as_user(stage.world.ada)
    shown = re.search(r'value="(whsec_[^"]+)"', ada.get("/webhooks/").content.decode())
    assert shown is not None
    typed = {
        "label": "Ticket system",
        "url": "https://tickets.example.com/very-secret",
        "secret": shown[1],
        "kinds": ["problem.opened", "problem.confirmed"],
    }
    assert ada.post("/webhooks/", typed | {"url": "https://10.0.0.1/"}).status_code == 422
    assert ada.post("/webhooks/", typed | {"kinds": []}).status_code == 422
    assert ada.post("/webhooks/", typed).status_code == 303
    endpoint = WebhookEndpoint.objects.get()
    for act in ("test", "off", "on"):
        assert ada.post(f"/webhooks/{endpoint.pk}/{act}/").status_code == 303
    page = ada.get("/webhooks/").content.decode()
    assert "hook.test" in page
    assert "waits to be sent" in page
    assert "very-secret" not in page
    assert shown[1] not in page
    assert ada.post(f"/webhooks/{endpoint.pk}/remove/").status_code == 303
    assert not WebhookEndpoint.objects.exists()
