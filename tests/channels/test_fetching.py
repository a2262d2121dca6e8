"""Fetching what a user's address names: guarded, bounded, and only when it changed."""

from __future__ import annotations

import pytest

from sentinel.channels import calling, fetching
from sentinel.channels.calling import NotPermitted, NotReached
from sentinel.channels.fetching import Fetched, TooBig, fetch
from sentinel.kernel.addresses import is_public
from tests.fakes.calendar_service import CalendarService

CONTENT = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


def get(url: str, *, allow_private: bool = True, most_bytes: int = 1_000, **known: str) -> Fetched:
    return fetch(url, accept="text/calendar", most_bytes=most_bytes, allow_private=allow_private, **known)


def test_it_brings_the_content_and_asks_for_changes_only_afterwards() -> None:
    with CalendarService(CONTENT) as service:
        first = get(service.address)
        again = get(service.address, etag=first.etag)
        service.content = CONTENT + b"\r\n"
        changed = get(service.address, etag=first.etag)
    assert (first.status, first.body) == (200, CONTENT)
    assert (again.status, again.body) == (304, b"")
    assert (changed.status, changed.body) == (200, CONTENT + b"\r\n")
    path, headers = service.asked[1]
    assert path == service.path
    assert headers["If-None-Match"] == first.etag
    assert not {"Cookie", "Authorization", "Referer"} & set(headers)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/a.ics",
        "https://localhost/a.ics",
        "https://10.0.0.8/a.ics",
        "https://169.254.169.254/latest",
        "https://[::1]/a.ics",
        "https://[::ffff:10.0.0.1]/a.ics",
        "http://example.com/a.ics",
        "ftp://example.com/a.ics",
        "https:///a.ics",
    ],
)
def test_addresses_inside_and_without_tls_are_not_called(url: str) -> None:
    with pytest.raises(NotPermitted):
        get(url, allow_private=False)


def public(monkeypatch: pytest.MonkeyPatch, service: CalendarService) -> None:
    """The service's own address counts as one of the internet; every other one is judged as ever."""
    monkeypatch.setattr(calling, "is_public", lambda address: address == "127.0.0.1" or is_public(address))


def test_a_redirection_is_followed_and_its_end_judged_like_the_beginning() -> None:
    with CalendarService(CONTENT) as service:
        service.leads_to = {"/moved.ics": "/secret/away.ics", "/up.ics": f"{service.url}/moved.ics"}
        assert get(f"{service.url}/up.ics").body == CONTENT
        assert [path for path, _ in service.asked] == ["/up.ics", "/moved.ics", "/secret/away.ics"]
        service.leads_to = {"/moved.ics": "file:///etc/passwd"}
        with pytest.raises(NotPermitted):
            get(f"{service.url}/moved.ics")


def test_nobody_is_led_inside_by_a_redirection(monkeypatch: pytest.MonkeyPatch) -> None:
    with CalendarService(CONTENT) as service:
        public(monkeypatch, service)
        monkeypatch.setattr(calling, "_is_called", lambda parts, _allow: bool(parts.hostname))
        service.leads_to = {service.path: "https://10.0.0.1/inside"}
        with pytest.raises(NotPermitted, match="private network"):
            get(service.address, allow_private=False)
    assert len(service.asked) == 1


def test_it_does_not_follow_for_ever() -> None:
    with CalendarService() as service:
        service.leads_to = {"/a": "/b", "/b": "/a"}
        with pytest.raises(NotPermitted, match="without end"):
            get(f"{service.url}/a")
    assert len(service.asked) == fetching.MOST_REDIRECTIONS + 1


@pytest.mark.parametrize("promises", [True, False])
def test_more_than_allowed_is_not_read(promises: bool) -> None:
    with CalendarService(b"x" * 1_001) as service:
        service.promises_length = promises
        with pytest.raises(TooBig, match="sends more than"):
            get(service.address)


def test_half_of_what_was_promised_is_nothing() -> None:
    with CalendarService(CONTENT) as service:
        service.cut = 5
        with pytest.raises(NotReached):
            get(service.address)


def test_who_never_answers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "WHOLE_SECONDS", 0.2)
    with CalendarService(CONTENT) as service:
        service.hangs = True
        with pytest.raises(NotReached, match="did not answer") as caught:
            get(service.address)
    assert "secret" not in str(caught.value), "the address stays out of it"
