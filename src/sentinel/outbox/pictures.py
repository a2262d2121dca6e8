"""What one picture of many notices says, in the language of whoever gets it. Plain values in, payload out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from sentinel.ui.dates import local_moment, local_time

#: More lines than this nobody reads on a telephone or in a mail; the page shows all.
MOST_LINES = 8
_LONGEST_WORDS = 160

_TITLE = {
    "new": {
        "en": "{n} people at {where} report problems since {since}",
        "de": "{n} Personen bei {where} melden Probleme seit {since}",
        "fr": "{n} personnes chez {where} signalent des problèmes depuis {since}",
        "es": "{n} personas en {where} informan de problemas desde {since}",
        "ja": "{where}：{since}以降、{n}人から問題の報告があります",
    },
    "late": {
        "en": "{n} people at {where} still wait, reported since {since}",
        "de": "{n} Personen bei {where} warten noch, gemeldet seit {since}",
        "fr": "{n} personnes chez {where} attendent encore, signalé depuis {since}",
        "es": "{n} personas en {where} siguen esperando, informado desde {since}",
        "ja": "{where}：{n}人がまだ対応を待っています（{since}以降の報告）",
    },
}
_OPEN = {
    "en": "See who, and act on all of them",
    "de": "Alle ansehen und handeln",
    "fr": "Voir qui, et agir",
    "es": "Ver quiénes y actuar",
    "ja": "一覧を開いて対応する",
}
_MORE = {
    "en": "and {n} more",
    "de": "und {n} weitere",
    "fr": "et {n} autres",
    "es": "y {n} más",
    "ja": "ほか{n}件",
}
_EACH = {
    "en": "Each of them has a problem of their own that stays open until they say it is solved.",
    "de": "Jede Meldung bleibt ein eigenes Problem, bis die Person selbst sagt, dass es gelöst ist.",
    "fr": "Chaque personne garde son propre problème, ouvert jusqu'à ce qu'elle dise qu'il est résolu.",
    "es": "Cada persona conserva su propio problema, abierto hasta que diga que está resuelto.",
    "ja": "それぞれの問題は、本人が解決したと答えるまで個別に残ります。",
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """One report as a notice carries it in its payload under ``crowd``.

    ``grade``: how bad it is, in the recipient's language; ``rank`` the same as a number, higher is worse.
    """

    about: int
    name: str
    words: str
    grade: str
    rank: int
    opened_at: str
    where: str
    zone: str
    series: str

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Report:
        """From a payload; what is unknown there is left out."""
        return cls(**{name: facts[name] for name in cls.__dataclass_fields__})

    @property
    def at(self) -> datetime:
        """When it was reported."""
        return datetime.fromisoformat(self.opened_at)


def in_order(reports: Sequence[Report]) -> list[Report]:
    """Each problem once, the worst first, then the one that waits longest."""
    once = {report.about: report for report in reports}
    return sorted(once.values(), key=lambda report: (-report.rank, report.at, report.about))


def picture(
    *, newest: Mapping[str, Any], reports: Sequence[Report], url: str, channel: str, now: datetime
) -> dict[str, Any]:
    """The payload of one notice that stands for all ``reports``; sender and way are those of ``newest``."""
    language = str(newest.get("language", "en")).split("-")[0]
    language = language if language in _OPEN else "en"
    ordered = in_order(reports)
    first = min(ordered, key=lambda report: report.at)
    zone = ZoneInfo(first.zone)
    is_today = first.at.astimezone(zone).date() == now.astimezone(zone).date()
    since = (local_time if is_today else local_moment)(first.at, first.zone, language)
    titles = _TITLE.get(first.series, _TITLE["new"])
    title = titles[language].format(n=len(ordered), where=first.where, since=since)
    counts = Counter((report.rank, report.grade) for report in ordered)
    grades = ", ".join(f"{count} × {grade}" for (_, grade), count in sorted(counts.items(), reverse=True))
    lines = [_line(report) for report in ordered[:MOST_LINES]]
    if len(ordered) > MOST_LINES:
        lines.append(_MORE[language].format(n=len(ordered) - MOST_LINES))
    said: dict[str, Any]
    if channel == "email":
        said = _mail(title=title, grades=grades, lines=lines, url=url, language=language)
    else:
        said = {"title": title, "text": "\n".join([grades, *lines]), "url": url, "problem_id": None}
    return {**newest, **said, "language": language}


def _line(report: Report) -> str:
    words = report.words if len(report.words) <= _LONGEST_WORDS else report.words[: _LONGEST_WORDS - 1] + "…"
    return f"{report.name}: “{words}”" if words else report.name


def _mail(*, title: str, grades: str, lines: Sequence[str], url: str, language: str) -> dict[str, Any]:
    text = "\n".join([grades, "", *(f"- {line}" for line in lines), "", f"{_OPEN[language]}: {url}", ""])
    items = "".join(f'<li style="margin:0 0 8px">{escape(line)}</li>' for line in lines)
    html = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'</head><body style="font:16px/1.5 sans-serif"><p><strong>{escape(title)}</strong></p>'
        f"<p>{escape(grades)}</p><ul>{items}</ul>"
        f'<p><a href="{escape(url)}">{escape(_OPEN[language])}</a></p><p>{escape(_EACH[language])}</p>'
        "</body></html>"
    )
    return {"subject": title[:200], "text": f"{text}\n{_EACH[language]}\n", "html": html}
