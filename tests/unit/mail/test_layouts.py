"""Layouts are filled without Django, and every mail reads exactly as Django would have set it."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from typing import Any

import pytest
from django.template import Context, Engine

from sentinel.ui import mail
from sentinel.ui.drafts import draft_of, finished
from sentinel.ui.layouts import Layout
from sentinel.ui.mail import Letter, Mail, layout_source
from tests.unit.mail.letters import LANGUAGES, TO_USERS, TO_WORKERS

EVERY = [
    *(
        pytest.param(partial(write, lang), id=f"{name}-{lang}")
        for name, write in TO_WORKERS.items()
        for lang in LANGUAGES
    ),
    *(pytest.param(write, id=name) for name, write in TO_USERS.items()),
]
DJANGO = Engine(autoescape=True)
NASTY = "<b>\"Tom\" & 'Jerry'</b>\r\nnext\rlast {{ letter.subject }}"


@pytest.mark.parametrize("write", EVERY)
def test_every_mail_is_set_as_django_would_set_it(
    monkeypatch: pytest.MonkeyPatch, write: Callable[[], Mail]
) -> None:
    letters: list[Letter] = []
    layout_of = mail._layout

    def watched(language: str) -> Layout:
        layout = layout_of(language)

        class Watched(Layout):
            def __init__(self) -> None:
                pass

            def fill(self, names: Mapping[str, Any]) -> str:
                letters.append(names["letter"])
                return layout.fill(names)

        return Watched()

    monkeypatch.setattr(mail, "_layout", watched)
    html, letter = write().html, letters[0]
    assert html == DJANGO.from_string(layout_source(letter.language)).render(Context({"letter": letter}))


@pytest.mark.parametrize("write", EVERY)
def test_a_mail_that_is_set_when_it_is_sent_is_the_mail_that_was_decided(write: Callable[[], Mail]) -> None:
    mail = write()
    kept = json.loads(json.dumps(draft_of(mail)))
    assert "html" not in kept
    assert {name: value for name, value in finished(kept).items() if name != "letter"} == mail.payload()


def test_mail_that_has_its_html_already_keeps_it() -> None:
    draft = draft_of(TO_USERS["notice_new"]())
    assert finished({**draft, "html": "<p>several in one</p>"})["html"] == "<p>several in one</p>"
    assert finished({"text": "plain"}) == {"text": "plain"}


@pytest.mark.parametrize(
    "source",
    [
        "{{ a.text }}",
        "{{ a.text|linebreaksbr }}",
        "{% if a.no %}1{% elif a.text %}2{% else %}3{% endif %}",
        "{% if a.no %}1{% elif a.zero %}2{% else %}3{% endif %}!",
        "{% for b in a.all %}{% if b %}[{{ b }}]{% endif %}{% endfor %}",
        "{{ a.zero }}{{ a.no }}",
    ],
)
def test_each_tag_does_what_djangos_does(source: str) -> None:
    class Named:
        text, no, zero, all = NASTY, None, 0, ("x", "", NASTY)

    names = {"a": Named()}
    assert Layout(source).fill(names) == DJANGO.from_string(source).render(Context(names))


@pytest.mark.parametrize(
    "source",
    [
        "{% include 'x' %}",
        "{% for a in b %}",
        "{% if a %}{% endfor %}",
        "{{ a|safe }}",
        "{{ a == b }}",
        "{% if not a %}{% endif %}",
        "{% endif %}",
    ],
)
def test_what_a_layout_cannot_do_is_refused_when_it_is_compiled(source: str) -> None:
    with pytest.raises(ValueError, match=r"layout|closed"):
        Layout(source)


def test_values_cannot_become_markup() -> None:
    assert Layout("{{ a }}").fill({"a": NASTY}) == escape(NASTY)
