"""What a caller hears before talking, and reads when a call is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sentinel.calls.rules import EndReason, WhyNot

#: So much of the worker's words is read out or shown; a whisper must end before patience does.
LONGEST_ABOUT = 90

_WHISPER = {
    "en": "Call with {worker}, {site}.",
    "de": "Gespräch mit {worker}, {site}.",
    "fr": "Appel avec {worker}, {site}.",
    "es": "Llamada con {worker}, {site}.",
    "ja": "{site}の{worker}さんとの通話です。",
}
_ABOUT = {
    "en": " About: {about}",
    "de": " Es geht um: {about}",
    "fr": " Sujet : {about}",
    "es": " Asunto: {about}",
    "ja": "用件：{about}",
}


class Ended(StrEnum):
    """How a call ended, as far as its caller is concerned."""

    HOW_WAS_IT = "how_was_it"  # two people talked
    LOST = "lost"  # nobody knows whether they still talk
    TRIED = "tried"  # the worker's telephone; it is logged already
    NOTHING = "nothing"  # the caller's own telephone, or nobody's: nothing is logged
    REFUSED = "refused"  # it might not be placed any more: no telephone rang


_TITLES: Mapping[Ended, Mapping[str, str]] = {
    Ended.HOW_WAS_IT: {
        "en": "How did the call with {worker} go?",
        "de": "Wie war das Gespräch mit {worker}?",
        "fr": "Comment s’est passé l’appel avec {worker} ?",
        "es": "¿Cómo fue la llamada con {worker}?",
        "ja": "{worker}さんとの通話はいかがでしたか？",
    },
    Ended.TRIED: {
        "en": "{worker} was not reached",
        "de": "{worker} war nicht zu erreichen",
        "fr": "{worker} n’a pas été joint",
        "es": "No se pudo contactar con {worker}",
        "ja": "{worker}さんにつながりませんでした",
    },
    Ended.NOTHING: {
        "en": "Your call with {worker} did not come about",
        "de": "Ihr Gespräch mit {worker} kam nicht zustande",
        "fr": "Votre appel avec {worker} n’a pas abouti",
        "es": "Su llamada con {worker} no se estableció",
        "ja": "{worker}さんへの通話は成立しませんでした",
    },
}
_REFUSED: Mapping[WhyNot, Mapping[str, str]] = {
    WhyNot.CLOSED: {
        "en": "The problem was closed meanwhile; no call is owed.",
        "de": "Das Problem wurde inzwischen geschlossen; es ist kein Anruf mehr nötig.",
        "fr": "Le problème a été clos entre-temps ; aucun appel n’est plus dû.",
        "es": "El problema se cerró entretanto; ya no hace falta llamar.",
        "ja": "その間に問題が完了したため、通話は必要ありません。",
    },
    WhyNot.UNWANTED: {
        "en": "{worker} does not want to be called any more. Please write instead.",
        "de": "{worker} möchte nicht mehr angerufen werden. Bitte schreiben Sie stattdessen.",
        "fr": "{worker} ne souhaite plus être appelé. Écrivez plutôt.",
        "es": "{worker} ya no desea recibir llamadas. Escriba en su lugar.",
        "ja": "{worker}さんは電話を希望しなくなりました。代わりに文面でご連絡ください。",
    },
    WhyNot.NO_WORKER_NUMBER: {
        "en": "There is no number of {worker} any more that can be dialled.",
        "de": "Es gibt keine wählbare Nummer von {worker} mehr.",
        "fr": "Il n’y a plus de numéro de {worker} que l’on puisse composer.",
        "es": "Ya no hay ningún número de {worker} al que se pueda llamar.",
        "ja": "{worker}さんにかけられる電話番号がなくなりました。",
    },
    WhyNot.NO_OWNER_NUMBER: {
        "en": "Your profile has no telephone number any more that can be dialled.",
        "de": "In Ihrem Profil steht keine wählbare Telefonnummer mehr.",
        "fr": "Votre profil n’a plus de numéro de téléphone que l’on puisse composer.",
        "es": "En su perfil ya no hay un número de teléfono al que se pueda llamar.",
        "ja": "プロフィールにかけられる電話番号がなくなりました。",
    },
    WhyNot.OUTSIDE_HOURS: {
        "en": "{worker} is not at work any more, and did not ask to be called at this time.",
        "de": "{worker} arbeitet jetzt nicht mehr und hat um diese Zeit um keinen Anruf gebeten.",
        "fr": "{worker} n’est plus au travail et n’a pas demandé d’appel à cette heure.",
        "es": "{worker} ya no está trabajando y no pidió que se le llamara a esta hora.",
        "ja": "{worker}さんは勤務時間外で、この時間の電話を希望していません。",
    },
}
_TEXTS: Mapping[Ended, Mapping[str, str]] = {
    Ended.HOW_WAS_IT: {
        "en": "The call is over. Log what came of it: until then it stays owed.",
        "de": "Das Gespräch ist beendet. Halten Sie das Ergebnis fest; bis dahin bleibt es offen.",
        "fr": "L’appel est terminé. Notez ce qu’il a donné : d’ici là, il reste dû.",
        "es": "La llamada ha terminado. Anote el resultado; hasta entonces sigue pendiente.",
        "ja": "通話が終わりました。結果を記録してください。記録するまで未完了のままです。",
    },
    Ended.LOST: {
        "en": "Sentinel lost sight of this call; you may still talk. Log what came of it. Number: {number}",
        "de": "Sentinel hat das Gespräch aus den Augen verloren; vielleicht sprechen Sie noch. Halten Sie "
        "das Ergebnis fest. Nummer: {number}",
        "fr": "Sentinel a perdu cet appel de vue ; vous parlez peut-être encore. Notez ce qu’il a donné. "
        "Numéro : {number}",
        "es": "Sentinel perdió de vista la llamada; quizá sigan hablando. Anote el resultado. Tel.: {number}",
        "ja": "この通話の状態が不明です。まだ通話中かもしれません。結果を記録してください。番号：{number}",
    },
    Ended.TRIED: {
        "en": "{why} It is noted as “no answer”, {worker} is told, and the next try is planned.",
        "de": "{why} Als „keine Antwort“ vermerkt; {worker} erfährt davon, der nächste Versuch ist geplant.",
        "fr": "{why} C’est noté « pas de réponse », {worker} en est informé, le prochain essai est prévu.",
        "es": "{why} Anotado como «sin respuesta»; se avisa a {worker} y el próximo intento está previsto.",
        "ja": "{why}「応答なし」として記録し、{worker}さんに伝え、次の連絡を予定しました。",
    },
    Ended.NOTHING: {
        "en": "{why} Nothing was noted as a try. Please dial yourself: {number}",
        "de": "{why} Es wurde kein Versuch vermerkt. Bitte wählen Sie selbst: {number}",
        "fr": "{why} Aucun essai n’a été noté. Composez vous-même : {number}",
        "es": "{why} No se anotó ningún intento. Marque usted mismo: {number}",
        "ja": "{why}連絡の試みとしては記録していません。ご自身でおかけください：{number}",
    },
}
_WHY: Mapping[EndReason, Mapping[str, str]] = {
    EndReason.BUSY: {
        "en": "Busy.", "de": "Besetzt.", "fr": "Occupé.", "es": "Ocupado.", "ja": "話し中でした。",
    },
    EndReason.NO_ANSWER: {
        "en": "No answer.", "de": "Keine Antwort.", "fr": "Pas de réponse.", "es": "Sin respuesta.",
        "ja": "応答がありませんでした。",
    },
    EndReason.DECLINED: {
        "en": "Declined.", "de": "Abgelehnt.", "fr": "Refusé.", "es": "Rechazada.", "ja": "拒否されました。",
    },
    EndReason.UNREACHABLE: {
        "en": "Not reachable.", "de": "Nicht erreichbar.", "fr": "Injoignable.", "es": "No disponible.",
        "ja": "つながりませんでした。",
    },
    EndReason.MACHINE: {
        "en": "A voicemail answered.", "de": "Es meldete sich ein Anrufbeantworter.",
        "fr": "Une messagerie a répondu.", "es": "Respondió un buzón de voz.", "ja": "留守番電話でした。",
    },
    EndReason.CANCELLED: {
        "en": "It was cancelled.", "de": "Es wurde abgebrochen.", "fr": "Il a été annulé.",
        "es": "Se canceló.", "ja": "中止されました。",
    },
    EndReason.FAILED: {
        "en": "The exchange could not place it.", "de": "Die Telefonanlage konnte nicht verbinden.",
        "fr": "Le standard n’a pas pu l’établir.", "es": "La centralita no pudo establecerla.",
        "ja": "交換機が接続できませんでした。",
    },
    EndReason.LOST: {
        "en": "Sentinel lost sight of it.", "de": "Sentinel hat es aus den Augen verloren.",
        "fr": "Sentinel l’a perdu de vue.", "es": "Sentinel la perdió de vista.",
        "ja": "状態が分からなくなりました。",
    },
    EndReason.UNHEARD: {
        "en": "The voice service took the call, but nothing it reported reached Sentinel. An administrator "
        "checks that the service reaches SENTINEL_BASE_URL.",
        "de": "Der Sprachdienst nahm den Anruf an, doch keine seiner Meldungen erreichte Sentinel. Die "
        "Administration prüft, ob der Dienst SENTINEL_BASE_URL erreicht.",
        "fr": "Le service vocal a accepté l’appel, mais aucun de ses rapports n’a atteint Sentinel. "
        "L’administrateur vérifie que le service atteint SENTINEL_BASE_URL.",
        "es": "El servicio de voz aceptó la llamada, pero ninguno de sus avisos llegó a Sentinel. La "
        "administración comprueba que el servicio alcanza SENTINEL_BASE_URL.",
        "ja": "音声サービスは通話を受け付けましたが、報告が一つもSentinelに届きませんでした。"
        "サービスからSENTINEL_BASE_URLに届くか、管理者が確認してください。",
    },
}  # fmt: skip
#: The telephone itself did not come to be answered; after any other end the test has told nothing about it.
_NOT_ANSWERED = frozenset(
    {
        EndReason.BUSY,
        EndReason.NO_ANSWER,
        EndReason.DECLINED,
        EndReason.UNREACHABLE,
        EndReason.MACHINE,
    }
)
TEST_WHISPER = {
    "en": "A test call from Sentinel.",
    "de": "Ein Testanruf von Sentinel.",
    "fr": "Un appel de test de Sentinel.",
    "es": "Una llamada de prueba de Sentinel.",
    "ja": "Sentinelからのテスト通話です。",
}
_TESTED = {
    "en": ("Your telephone works", "The test call was answered."),
    "de": ("Ihr Telefon funktioniert", "Der Testanruf wurde angenommen."),
    "fr": ("Votre téléphone fonctionne", "L’appel de test a été décroché."),
    "es": ("Su teléfono funciona", "La llamada de prueba fue atendida."),
    "ja": ("電話は使えます", "テスト通話に応答がありました。"),
}
_NOT_TESTED = {
    "en": ("The test call was not answered", "{why} {detail}"),
    "de": ("Der Testanruf wurde nicht angenommen", "{why} {detail}"),
    "fr": ("L’appel de test n’a pas abouti", "{why} {detail}"),
    "es": ("La llamada de prueba no fue atendida", "{why} {detail}"),
    "ja": ("テスト通話に応答がありませんでした", "{why}{detail}"),
}
_TEST_FAILED = {
    "en": "The test call failed",
    "de": "Der Testanruf ist fehlgeschlagen",
    "fr": "L’appel de test a échoué",
    "es": "La llamada de prueba falló",
    "ja": "テスト通話は失敗しました",
}
OPEN_BRIEF = {
    "en": "Open the call",
    "de": "Gespräch öffnen",
    "fr": "Ouvrir l’appel",
    "es": "Abrir la llamada",
    "ja": "通話を開く",
}


@dataclass(frozen=True, kw_only=True)
class EndFacts:
    """A call that is over. ``number`` is the worker's, for whoever dials themselves; ``why``
    stood against a call that was refused."""

    ended: Ended
    reason: EndReason
    language: str
    worker: str
    number: str
    why: WhyNot | None = None


def whisper(*, language: str, worker: str, site: str, words: str) -> str:
    """What the caller hears or sees before talking: who, where, about what; one short line."""
    said = _spoken(words)
    about = said if len(said) <= LONGEST_ABOUT else said[: LONGEST_ABOUT - 1].rstrip() + "…"
    line = _in(language, _WHISPER).format(worker=_spoken(worker), site=_spoken(site))
    return line + (_in(language, _ABOUT).format(about=about) if about else "")


def _spoken(text: str) -> str:
    """On one line, and nothing that no telephone can say: the XML of a voice service may not even hold it."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def end_words(facts: EndFacts) -> tuple[str, str]:
    """Title and text of the notice to the caller."""
    ended = Ended.NOTHING if facts.ended is Ended.REFUSED else facts.ended
    titles = _TITLES.get(ended, _TITLES[Ended.HOW_WAS_IT])
    texts = _REFUSED.get(facts.why, _TEXTS[ended]) if facts.why else _TEXTS[ended]
    fields = {
        "worker": facts.worker,
        "number": facts.number,
        "why": _in(facts.language, _WHY[facts.reason]) if facts.reason in _WHY else "",
    }
    title = _in(facts.language, titles).format(**fields)
    return title, _in(facts.language, texts).format(**fields)


def test_words(language: str, *, reason: EndReason, detail: str) -> tuple[str, str]:
    """Title and text of what a user reads after a test call; ``detail``: the exchange's own words."""
    spoken = language.split("-")[0]
    texts = _TESTED if reason is EndReason.COMPLETED else _NOT_TESTED
    title, text = texts.get(spoken, texts["en"])
    if reason is not EndReason.COMPLETED and reason not in _NOT_ANSWERED:
        title = _in(language, _TEST_FAILED)
    why = _in(language, _WHY[reason]) if reason in _WHY else ""
    return title, text.format(why=why, detail="" if reason is EndReason.UNHEARD else detail).strip()


def _in(language: str, texts: Mapping[str, str]) -> str:
    return texts.get(language.split("-")[0], texts["en"])
