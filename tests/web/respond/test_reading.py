"""Opening a page changes nothing, keeps nothing, and tells nothing to strangers."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from sentinel.checkins.models import LinkVisit
from sentinel.kernel.links import Purpose
from tests.web.respond.asking import everything_stored
from tests.web.respond.cast import Cast


def every_path(cast: Cast) -> dict[str, str]:
    """A valid path of every page."""
    check_in = cast.check_in(cast.anna)
    asked = cast.proposal(cast.problem(cast.anna))
    closed = cast.problem(cast.anna, words="The invoice is wrong.")
    note = cast.confirmed_by_telephone(closed)
    anna = cast.anna.pk
    return {
        "happy": cast.path(Purpose.ANSWER, check_in.pk, "happy"),
        "frown": cast.path(Purpose.ANSWER, check_in.pk, "frown"),
        "honeypot": cast.path(Purpose.ANSWER, check_in.pk, "more"),
        "thanks": cast.path(Purpose.ANSWER, check_in.pk, "thanks"),
        "problem": cast.path(Purpose.PROBLEM, asked.problem_id),
        "closed": cast.path(Purpose.PROBLEM, closed.pk),
        "confirm": cast.path(Purpose.CONFIRM, asked.pk),
        "yes": cast.path(Purpose.CONFIRM, asked.pk, "yes"),
        "no": cast.path(Purpose.CONFIRM, asked.pk, "no"),
        "objection": cast.path(Purpose.OBJECT, note.pk),
        "preferences": cast.path(Purpose.PREFERENCES, anna),
        "unsubscribe": cast.path(Purpose.UNSUBSCRIBE, anna),
        "one-click": cast.path(Purpose.UNSUBSCRIBE, anna, "one-click"),
    }


@pytest.mark.parametrize("method", ["get", "head"])
def test_it_changes_no_row_when_a_page_is_opened(cast: Cast, stranger: Client, method: str) -> None:
    paths = every_path(cast)
    before = everything_stored()
    for name, path in paths.items():
        for query in ("", "?lang=ja", "?done=1&trusted=1&script_ran=1&verdict=yes&words=yes"):
            response = getattr(stranger, method)(path + query)
            assert response.status_code in (200, 302), name
            assert everything_stored() == before, name
    assert not stranger.cookies


def test_it_notices_a_change_of_one_letter_in_any_table(cast: Cast) -> None:
    before = everything_stored()
    cast.anna.department = "accounting"
    cast.anna.save()
    assert everything_stored() != before


def test_it_keeps_a_journal_of_opened_answer_links_and_of_nothing_else(cast: Cast, stranger: Client) -> None:
    paths = every_path(cast)
    for path in paths.values():
        stranger.get(path)
        stranger.head(path)
    noted = sorted(LinkVisit.objects.values_list("target", "method"))
    assert noted == [
        ("frown", "GET"),
        ("frown", "HEAD"),
        ("happy", "GET"),
        ("happy", "HEAD"),
        ("honeypot", "GET"),
        ("honeypot", "HEAD"),
    ]


def test_it_forbids_keeping_indexing_and_naming_the_address(cast: Cast, stranger: Client) -> None:
    for name, path in every_path(cast).items():
        response = stranger.get(path)
        assert response["Cache-Control"] == "no-store", name
        assert response["Referrer-Policy"] == "no-referrer", name
        assert "noindex" in response["X-Robots-Tag"], name
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy, name
        assert "unsafe" not in policy, name


def test_it_needs_less_than_30_kb_for_the_first_view(cast: Cast, stranger: Client) -> None:
    files = {}
    for name in ("ui/respond.css", "respond/pages.css", "respond/respond.js"):
        files[name] = Path(str(finders.find(name))).stat().st_size
    assert files["respond/respond.js"] < 3_000
    for name, path in every_path(cast).items():
        for code, _name in settings.LANGUAGES:
            response = stranger.get(f"{path}?lang={code}", follow=True)
            size = len(response.content) + sum(files.values())
            assert size < 30_000, f"{name} in {code}: {size} bytes"


def test_it_carries_no_script_or_style_inside_the_page(cast: Cast, stranger: Client) -> None:
    for name, path in every_path(cast).items():
        html = stranger.get(path, follow=True).content.decode()
        assert "style=" not in html, name
        assert "<style" not in html, name
        assert " onclick" not in html, name
        assert "<script>" not in html, name
