from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, RequestContext, Template
from django.test import RequestFactory
from django.utils import translation

NOW = datetime(2026, 6, 12, 13, 50, tzinfo=UTC)


class CallForm(forms.Form):
    number = forms.CharField(label="Telephone", help_text="With the country code.")
    note = forms.CharField(label="Note", required=False)
    outcome = forms.ChoiceField(
        choices=[("reached", "Reached")], widget=forms.RadioSelect, help_text="What happened."
    )


def draw(source: str, **values: Any) -> str:
    return Template("{% load ui %}" + source).render(Context(values))


def test_a_countdown_says_how_far_away_a_duty_is() -> None:
    html = draw("{% countdown due now %}", due=NOW + timedelta(minutes=12), now=NOW)
    assert ">due in 12 min</time>" in html
    assert 'class="countdown countdown--soon"' in html
    assert 'data-left="720"' in html
    assert 'datetime="2026-06-12T14:02:00+00:00"' in html


def test_a_countdown_says_how_late_a_duty_is() -> None:
    html = draw("{% countdown due now %}", due=NOW - timedelta(hours=3, minutes=5), now=NOW)
    assert ">late by 3 h 05</time>" in html
    assert "countdown--late" in html


def test_a_countdown_under_a_minute_is_due_now() -> None:
    assert ">due now</time>" in draw("{% countdown due now %}", due=NOW, now=NOW)


def test_time_gone_by_is_told_in_words() -> None:
    assert ">3 h 05 ago<" in draw("{% ago then now %}", then=NOW - timedelta(hours=3, minutes=5), now=NOW)
    assert ">just now<" in draw("{% ago then now %}", then=NOW, now=NOW)


@pytest.mark.parametrize(
    ("days", "text"),
    [(0, "Fri 16:50 "), (6, "Thu 16:50 "), (7, "Fri 19 Jun 16:50 "), (365, "Sat 12 Jun 2027 16:50 ")],
)
def test_a_local_time_is_as_long_as_it_must_be(days: int, text: str) -> None:
    html = draw("{% local_time when 'Europe/Kyiv' now %}", when=NOW + timedelta(days=days), now=NOW)
    assert f">{text}<" in html
    assert "(Kyiv)" in html


def test_a_local_time_speaks_the_language_of_the_reader() -> None:
    with translation.override("de"):
        assert ">Fr 16:50 <" in draw("{% local_time when 'Europe/Kyiv' %}", when=NOW)


def test_an_icon_is_silent_unless_it_has_a_label() -> None:
    assert 'aria-hidden="true"' in draw('{% icon "phone" %}')
    labelled = draw("{% icon 'phone' label=words %}", words='Call "Marta" <now>')
    assert 'role="img"' in labelled
    assert "<now>" not in labelled
    assert 'aria-hidden="true"' not in labelled


def test_what_callers_pass_is_escaped() -> None:
    nasty = "<script>alert(1)</script>"
    for source in ("{% pill x %}", "{% stat x x x %}", "{% empty x x %}", "{% alert x %}", "{% keys x %}"):
        assert "<script" not in draw(source, x=nasty), source


def test_a_field_ties_its_help_and_its_error_to_the_control() -> None:
    html = draw("{% field form.number %}", form=CallForm({}))
    assert 'aria-describedby="id_number_helptext id_number_error"' in html
    assert html.count('id="id_number_error"') == 1
    assert html.count('id="id_number_helptext"') == 1
    assert 'aria-invalid="true"' in html
    assert "This field is required." in html


def test_a_field_without_trouble_has_no_error() -> None:
    html = draw("{% field form.note label='Remark' %}", form=CallForm())
    assert "aria-describedby" not in html
    assert "field__error" not in html
    assert "Remark" in html
    assert "optional" in html


def test_a_group_of_choices_is_a_fieldset_with_a_legend() -> None:
    html = draw("{% field form.outcome %}", form=CallForm())
    assert '<fieldset class="field field--group" aria-describedby="id_outcome_helptext">' in html
    assert "<legend" in html


@pytest.mark.parametrize(
    ("cookie", "attribute"), [("dark", ' data-theme="dark"'), ("light", ' data-theme="light"'), ('"><b>', "")]
)
def test_only_known_themes_reach_the_page(cookie: str, attribute: str) -> None:
    request = RequestFactory().get("/")
    request.COOKIES["sentinel_theme"] = cookie
    html = Template("{% load ui %}{% theme_attribute %}").render(Context({"request": request}))
    assert html == attribute


def test_a_page_without_a_request_has_no_theme() -> None:
    assert draw("{% theme_attribute %}") == ""


def test_pages_keep_the_other_questions_of_the_address() -> None:
    request = RequestFactory().get("/accounts/?q=port%20%26%20co&page=2")
    page = Paginator(range(60), 25).page(2)
    html = Template("{% load ui %}{% pagination page %}").render(RequestContext(request, {"page": page}))
    assert 'href="?q=port+%26+co&amp;page=1"' in html
    assert "26–50 of 60" in html


def test_a_single_page_needs_no_pagination() -> None:
    request = RequestFactory().get("/")
    page = Paginator(range(5), 25).page(1)
    html = Template("{% load ui %}{% pagination page %}").render(RequestContext(request, {"page": page}))
    assert "nav" not in html
