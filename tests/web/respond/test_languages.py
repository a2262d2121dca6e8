"""Five languages: complete, with the same blanks, and spoken where they should be."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import Client
from django.utils.translation.template import templatize

import sentinel.respond
from sentinel.kernel.links import Purpose
from tests.web.respond.asking import HUMAN, SCRIPT, named_word
from tests.web.respond.cast import Cast
from tests.web.respond.test_reading import every_path

PACKAGE = Path(str(sentinel.respond.__file__)).parent
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
OTHERS = [code for code, _name in settings.LANGUAGES if code != "en"]


def said() -> set[tuple[str | None, str]]:
    """Every text of the pages, with its context."""
    sources = [path.read_text() for path in PACKAGE.rglob("*.py")]
    sources += [templatize(path.read_text(), origin=str(path)) for path in PACKAGE.rglob("*.html")]
    return {
        (context, str(message))
        for source in sources
        for _line, message, _comments, context in extract(
            "python", io.BytesIO(source.encode()), keywords=KEYWORDS
        )
    }


def blanks(text: str) -> list[str]:
    """The placeholders and tags of a text."""
    return sorted(re.findall(r"%\(\w+\)s|</?\w+>", text))


@pytest.mark.parametrize("code", OTHERS)
def test_it_says_everything_in_every_language(code: str) -> None:
    with (PACKAGE / "locale" / code / "LC_MESSAGES" / "django.po").open("rb") as file:
        catalogue = read_po(file)
    translated = {(m.context, str(m.id)): str(m.string) for m in catalogue if m.id and m.string}
    assert said() - set(translated) == set()
    for (_context, text), translation in translated.items():
        assert blanks(text) == blanks(translation), text


def test_it_speaks_the_workers_language(cast: Cast, stranger: Client) -> None:
    cast.anna.language = "de"
    cast.anna.save()
    for name, path in every_path(cast).items():
        response = stranger.get(path, follow=True, headers={"accept-language": "fr"})
        assert '<html lang="de"' in response.content.decode(), name
        assert response["Content-Language"] == "de", name


@pytest.mark.parametrize("code", [code for code, _name in settings.LANGUAGES])
def test_it_switches_language_for_this_visit_only(cast: Cast, stranger: Client, code: str) -> None:
    path = cast.path(Purpose.ANSWER, cast.check_in(cast.anna).pk, "frown")
    page = stranger.get(f"{path}?lang={code}")
    assert f'<html lang="{code}"' in page.content.decode()
    assert not page.cookies
    done = stranger.post(f"{path}?lang={code}", {**HUMAN, "face": "frown"}, follow=True)
    assert f'<html lang="{code}"' in done.content.decode()
    assert '<html lang="en"' in stranger.get(path).content.decode()


@pytest.mark.parametrize("code", OTHERS)
def test_it_asks_the_plain_step_in_every_language(cast: Cast, stranger: Client, code: str) -> None:
    path = cast.path(Purpose.ANSWER, cast.check_in(cast.anna).pk, "frown") + f"?lang={code}"
    html = stranger.post(path, {**SCRIPT, "face": "frown"}).content.decode()
    assert named_word(html)
    assert "Please" not in html


def test_it_ignores_a_language_nobody_speaks(cast: Cast, stranger: Client) -> None:
    path = cast.path(Purpose.PREFERENCES, cast.anna.pk)
    for asked in ("xx", "../etc", "de-"):
        assert '<html lang="en"' in stranger.get(path, {"lang": asked}).content.decode()
