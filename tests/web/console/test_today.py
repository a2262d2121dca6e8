"""Today."""

from __future__ import annotations

from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage


def test_it_shows_the_owner_whom_to_call_now(stage: Stage, as_user: SignedIn) -> None:
    page = as_user(stage.world.maria).get("/today/").content.decode()
    assert page.index("Call now") < page.index("Unconfirmed")
    assert stage.reported.worker.name in page
    assert f'href="/problems/{stage.reported.pk}/call/"' in page
    assert stage.foreign.worker.name not in page
