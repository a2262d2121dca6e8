"""The shells render with nothing, with everything, and under the strictest content security policy."""

import re

import pytest
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation

from sentinel.ui.frames import ConsoleFrame, Language, NavItem, Ribbon, WorkerFrame
from sentinel.ui.views import styleguide

FRAME = ConsoleFrame(
    provider="Brightwater",
    nav=[
        NavItem("Today", "/today", "sun", "g t", True, 5, "suffer"),
        *(NavItem(f"N{n}", f"/{n}") for n in range(5)),
    ],
    menu=[NavItem("Absence", "/absence", "calendar-days")],
    viewer_name="Jonas Weber",
    viewer_role="Owner",
    sign_out_url="/sign-out",
    notices_url="/notices",
    notice_count=1,
    ribbon=Ribbon("Fri 16:50", [NavItem("Mail room", "/mail")]),
    alarm="The engine is late.",
)
WORKER = WorkerFrame(
    provider="Brightwater",
    languages=[Language("en", "English", "?l=en", True), Language("ja", "日本語", "?l=ja")],
    preferences_url="/p",
    unsubscribe_url="/u",
    privacy_url="/d",
)
ERRORS = ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"]


@pytest.fixture
def request_() -> HttpRequest:
    return RequestFactory().get("/")


def test_no_shell_needs_inline_script_or_style(request_: HttpRequest) -> None:
    pages = [
        render_to_string("ui/console.html", {"frame": FRAME}, request_),
        render_to_string("ui/respond.html", {"frame": WORKER}, request_),
        render_to_string("ui/auth.html", {"frame": FRAME}, request_),
        styleguide(request_).content.decode(),
        *(render_to_string(name) for name in ERRORS),
    ]
    for html in pages:
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", html))


def test_the_console_shows_who_where_and_that_it_is_a_demonstration(request_: HttpRequest) -> None:
    html = render_to_string("ui/console.html", {"frame": FRAME}, request_)
    assert 'class="ribbon"' in html
    assert "Fri 16:50" in html
    assert "The engine is late." in html
    assert "1 new notice" in html
    assert html.count('aria-current="page"') == 2, "once in the top bar, once in the phone's bar"


def test_outside_a_demonstration_there_is_no_ribbon(request_: HttpRequest) -> None:
    assert 'class="ribbon"' not in render_to_string("ui/console.html", {"frame": ConsoleFrame()}, request_)


def test_signing_out_is_a_post(request_: HttpRequest) -> None:
    html = render_to_string("ui/console.html", {"frame": FRAME}, request_)
    assert 'href="/sign-out"' not in html
    assert '<form method="post" action="/sign-out"><input type="hidden" name="csrfmiddlewaretoken"' in html


def test_the_workers_page_loads_no_script_and_names_the_provider(request_: HttpRequest) -> None:
    html = render_to_string("ui/respond.html", {"frame": WORKER}, request_)
    assert "<script" not in html
    assert "Brightwater" in html
    assert 'lang="ja"' in html
    assert 'href="/u"' in html


def test_a_page_says_which_way_its_language_runs() -> None:
    with translation.override("ar"):
        assert '<html lang="ar" dir="rtl"' in render_to_string("500.html")
    with translation.override("ja"):
        assert '<html lang="ja" dir="ltr"' in render_to_string("500.html")


@pytest.mark.parametrize("name", ERRORS)
def test_error_pages_need_nothing_at_all(name: str) -> None:
    html = render_to_string(name)
    assert "<h1>" in html
    assert 'href="/"' in html
