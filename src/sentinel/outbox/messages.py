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


def merged_mail(*, newest: dict[str, Any], lines: Sequence[Line]) -> dict[str, Any]:
    """The payload of one mail that stands for several; sender and language are those of ``newest``."""
    language = str(newest.get("language", "en")).split("-")[0]
    language = language if language in _SUBJECT else "en"
    opening = _OPENING[language]
    subject = _SUBJECT[language].format(n=len(lines), first=lines[0].title)
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
    return {**newest, "subject": subject[:200], "text": text, "html": html, "language": language}
