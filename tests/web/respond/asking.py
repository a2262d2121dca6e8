"""How tests press buttons: as a human's browser, as one without a script, as a robot; and what changed."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.db import connection
from django.test import Client

#: What the page's script fills in when a person presses.
HUMAN = {"script_ran": "1", "trusted": "1"}
#: What it fills in when nobody touched the page.
SCRIPT = {"script_ran": "1", "trusted": ""}
#: A browser without JavaScript.
BARE = {"script_ran": "", "trusted": ""}

#: Tables that an opened page may write: the journal of openings, which decides nothing.
JOURNAL = ("checkins_linkvisit",)


def everything_stored(*, besides: tuple[str, ...] = JOURNAL) -> dict[str, tuple[int, int]]:
    """Every table's number of rows and a hash over all its rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        tables = [name for (name,) in cursor.fetchall() if name not in besides]
        stored = {}
        for name in tables:
            cursor.execute(
                f'SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM "{name}" t'
            )
            stored[name] = cursor.fetchone()
    return stored


def hidden_fields(html: str) -> dict[str, str]:
    """The hidden fields of a page's first form."""
    form = html[html.index("<form") : html.index("</form>")]
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in pairs}


def named_word(html: str) -> str:
    """The code of the word that the plain step names, found as a person finds it: by reading."""
    asked = re.search(r"<strong>(.*?)</strong>", html)
    assert asked is not None, "the plain step names no word"
    for code, word in re.findall(r'name="word" value="(\w+)" required>(.*?)</label>', html):
        if word.strip() == asked.group(1).strip():
            return str(code)
    raise AssertionError("the named word is not among the three")


def take_the_plain_step(client: Client, path: str, html: str) -> Any:
    """Choose the named word, without any script."""
    return client.post(path, {**BARE, **hidden_fields(html), "word": named_word(html)})
