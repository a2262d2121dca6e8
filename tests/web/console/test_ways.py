"""The ways to be reached, on the profile."""

from __future__ import annotations

from typing import Any

from sentinel.outbox.selectors import messages_to
from sentinel.people.models import ContactMethod
from sentinel.people.sealing import open_target
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
