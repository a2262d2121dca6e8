"""The morning mail of a user: what they owe today, what waits, what is new. Plain values in, a mail out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sentinel.ui.links import console_url
from sentinel.ui.mail import Block, Letter, Mail, Sender, automatic_headers, compose, headline, link, plain

#: More lines than this nobody reads before the first coffee; the console shows all.
MOST_LINES = 12


@dataclass(frozen=True, kw_only=True)
class DigestLine:
    """One line: what it is about, and the console's path to it."""

    text: str
    path: str


@dataclass(frozen=True, kw_only=True)
class DigestFacts:
    """Everything one morning mail says; lists in the order in which they are shown."""

    user_id: int
    language: str
    sender: Sender
    due: Sequence[DigestLine]
    unconfirmed: Sequence[DigestLine]
    news: Sequence[DigestLine]

    @property
    def is_empty(self) -> bool:
        """Nothing to say: no mail."""
        return not (self.due or self.unconfirmed or self.news)


_SUBJECT = {
    "en": "Your morning: {due} due today, {unconfirmed} unconfirmed, {news} new",
    "de": "Ihr Morgen: {due} heute fällig, {unconfirmed} unbestätigt, {news} neu",
    "fr": "Votre matinée : {due} à faire aujourd'hui, {unconfirmed} à confirmer, {news} nouveautés",
    "es": "Su mañana: {due} para hoy, {unconfirmed} sin confirmar, {news} novedades",
    "ja": "今朝のまとめ：本日期限{due}件、確認待ち{unconfirmed}件、新着{news}件",
}
_DUE = {
    "en": "Yours today:",
    "de": "Heute bei Ihnen fällig:",
    "fr": "À vous aujourd'hui :",
    "es": "Suyo hoy:",
    "ja": "本日の対応：",
}
_UNCONFIRMED = {
    "en": "You say it is solved; the worker has not said so yet:",
    "de": "Sie sagen, es ist gelöst; die Person hat es noch nicht bestätigt:",
    "fr": "Vous dites que c'est résolu ; la personne ne l'a pas encore confirmé :",
    "es": "Usted dice que está resuelto; la persona aún no lo ha confirmado:",
    "ja": "解決済みとして確認をお願いしている件：",
}
_NEWS = {
    "en": "New since your last morning mail, and not read yet:",
    "de": "Neu seit Ihrer letzten Morgenmail und noch ungelesen:",
    "fr": "Nouveau depuis votre dernier courriel du matin, non lu :",
    "es": "Nuevo desde su último correo de la mañana, sin leer:",
    "ja": "前回のまとめ以降の未読のお知らせ：",
}
_MORE = {
    "en": "… and {n} more",
    "de": "… und {n} weitere",
    "fr": "… et {n} autres",
    "es": "… y {n} más",
    "ja": "…ほか{n}件",
}
_TODAY = {
    "en": "Open Today",
    "de": "Heute öffnen",
    "fr": "Ouvrir Aujourd'hui",
    "es": "Abrir Hoy",
    "ja": "「今日」を開く",
}
_STEPS = {
    "acknowledge": {
        "en": "take it",
        "de": "übernehmen",
        "fr": "prendre en charge",
        "es": "asumirlo",
        "ja": "引き受け",
    },
    "call": {"en": "call", "de": "anrufen", "fr": "appeler", "es": "llamar", "ja": "電話"},
    "promise": {
        "en": "promise a date",
        "de": "Termin zusagen",
        "fr": "promettre une date",
        "es": "prometer una fecha",
        "ja": "期日の約束",
    },
    "solve": {"en": "solve it", "de": "lösen", "fr": "résoudre", "es": "resolverlo", "ja": "解決"},
}


def step_words(kind: str, language: str) -> str:
    """What is owed, in two words."""
    texts = _STEPS.get(kind, {})
    return texts.get(_short(language), texts.get("en", kind))


def digest_mail(facts: DigestFacts) -> Mail:
    """The mail of one morning."""
    language = _short(facts.language)
    counts = {name: len(getattr(facts, name)) for name in ("due", "unconfirmed", "news")}
    subject = _SUBJECT[language].format(**counts)
    blocks: list[Block] = [headline(subject)]
    for title, lines in ((_DUE, facts.due), (_UNCONFIRMED, facts.unconfirmed), (_NEWS, facts.news)):
        if lines:
            blocks.append(plain(title[language]))
            blocks += [link(line.text, console_url(line.path)) for line in lines[:MOST_LINES]]
            if len(lines) > MOST_LINES:
                blocks.append(plain(_MORE[language].format(n=len(lines) - MOST_LINES)))
    blocks.append(link(_TODAY[language], console_url("/today/")))
    letter = Letter(
        subject=subject,
        preheader=facts.due[0].text if facts.due else subject,
        language=language,
        sender=facts.sender,
        before=tuple(blocks),
    )
    mail = compose(letter, headers=automatic_headers(stream="digest", subject_id=facts.user_id))
    return replace(mail, from_name="Sentinel")


def _short(language: str) -> str:
    short = language.split("-")[0]
    return short if short in _SUBJECT else "en"
