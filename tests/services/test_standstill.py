"""A process that freezes in the middle of a transaction does not keep the rows it holds from everybody."""

from __future__ import annotations

import psycopg
import pytest

from sentinel.config.settings.database import database_from
from tests.stories.chaos import database_url


@pytest.mark.django_db
@pytest.mark.parametrize(("more", "expected"), [("", "30s"), ("options=-c%20lock_timeout%3D9s", "0")])
def test_the_database_ends_a_session_that_stands_still(more: str, expected: str) -> None:
    url = database_url()
    said = database_from(url + ("&" if "?" in url else "?") + more if more else url)
    named = {"dbname": said["NAME"], "user": said["USER"], "password": said["PASSWORD"], "host": said["HOST"]}
    with psycopg.connect(**named, port=said["PORT"] or None, **said["OPTIONS"]) as session:
        found = session.execute("SHOW idle_in_transaction_session_timeout").fetchone()
    assert found == (expected,)
