"""The mail that stands for several notices."""

from __future__ import annotations

import pytest

from sentinel.outbox.messages import Line, merged_mail

NEWEST = {
    "subject": "x",
    "text": "x",
    "html": "x",
    "language": "en",
    "from_name": "Sentinel",
    "from_address": "sentinel@example.com",
    "reply_to": "",
    "headers": {"X-Kept": "yes"},
}
LINES = [
    Line(title="Olena: <printer> eats pages", url="https://s.example/problems/1/"),
    Line(title="João: no toner", url=""),
]


def test_it_names_every_notice_with_its_link_in_both_parts() -> None:
    mail = merged_mail(newest=NEWEST, lines=LINES)
    assert mail["subject"] == "2 notices for you: Olena: <printer> eats pages"
    for part in ("text", "html"):
        assert "https://s.example/problems/1/" in mail[part]
        assert "João: no toner" in mail[part]
    assert "<printer>" not in mail["html"]
    assert mail["headers"] == {"X-Kept": "yes"}


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "ja"])
def test_it_is_written_in_the_reader_s_language(language: str) -> None:
    mail = merged_mail(newest={**NEWEST, "language": language}, lines=LINES)
    assert f'lang="{language}"' in mail["html"]
    english = merged_mail(newest=NEWEST, lines=LINES)
    assert (mail["text"] == english["text"]) is (language == "en")


def test_an_unknown_language_falls_back_to_english() -> None:
    assert "notices for you" in merged_mail(newest={**NEWEST, "language": "tlh"}, lines=LINES)["subject"]
