"""What a merged notice says: one line per notice it stands for, each with its link. Plain values in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Line:
    """One notice told in the merged mail: its subject, and where to read on (may be empty)."""

    title: str
    url: str


_SUBJECT = {
    "en": "{n} notices for you: {first}",
    "de": "{n} Hinweise für Sie: {first}",
    "fr": "{n} avis pour vous : {first}",
    "es": "{n} avisos para usted: {first}",
    "ja": "お知らせが{n}件あります：{first}",
}
_OPENING = {
    "en": "These came in at the same time. Each one is still yours, one by one:",
    "de": "Diese Hinweise kamen gleichzeitig. Jeder einzelne wartet weiterhin auf Sie:",
    "fr": "Ces avis sont arrivés en même temps. Chacun attend toujours votre réponse :",
    "es": "Estos avisos llegaron al mismo tiempo. Cada uno sigue pendiente de usted:",
    "ja": "次のお知らせが同時に届きました。いずれも引き続きご対応をお願いします。",
}


_OPENING_MUTED = {
    "en": "These waited while notices were muted for a test ({reason}). Each one is still yours:",
    "de": "Diese Hinweise warteten, solange für einen Test alles stumm war ({reason}). Jeder bleibt Ihrer:",
    "fr": "Ces avis attendaient pendant une coupure pour un test ({reason}). Chacun attend votre réponse :",
    "es": "Estos avisos esperaron mientras se silenciaban por una prueba ({reason}). Cada uno es suyo:",
    "ja": "テストのため通知が停止されていた間のお知らせです（{reason}）。引き続きご対応をお願いします。",
}


def after_mute(language: str, *, reason: str) -> str:
    """Why these come together: they waited for the end of a mute."""
    return _OPENING_MUTED[_known(language)].format(reason=reason)


def _known(language: str) -> str:
    short = language.split("-")[0]
    return short if short in _SUBJECT else "en"


def _subject(language: str, lines: Sequence[Line]) -> str:
    return _SUBJECT[language].format(n=len(lines), first=lines[0].title)[:200]


def merged_mail(*, newest: dict[str, Any], lines: Sequence[Line], opening: str = "") -> dict[str, Any]:
    """The payload of one mail that stands for several; sender and language are those of ``newest``."""
    language = _known(str(newest.get("language", "en")))
    opening = opening or _OPENING[language]
    subject = _subject(language, lines)
    text = "\n".join([opening, *(f"\n- {line.title}\n  {line.url}".rstrip() for line in lines)]) + "\n"
    items = "".join(
        f'<li style="margin:0 0 12px"><a href="{escape(line.url)}">{escape(line.title)}</a></li>'
        if line.url
        else f'<li style="margin:0 0 12px">{escape(line.title)}</li>'
        for line in lines
    )
    html = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{escape(subject)}</title></head>"
        f'<body style="font:16px/1.5 sans-serif"><p>{escape(opening)}</p><ul>{items}</ul></body></html>'
    )
    return {**newest, "subject": subject, "text": text, "html": html, "language": language}


def merged_on_way(
    *, newest: dict[str, Any], lines: Sequence[Line], url: str, opening: str = ""
) -> dict[str, Any]:
    """The same for push, chat and webhooks; its one link leads to all of them."""
    language = _known(str(newest.get("language", "en")))
    text = "\n".join([opening or _OPENING[language], *(f"- {line.title}" for line in lines)])
    said = {"title": _subject(language, lines), "text": text, "url": url, "problem_id": None}
    return {**newest, **said, "language": language}
