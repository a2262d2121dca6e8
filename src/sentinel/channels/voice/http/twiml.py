"""What the service is told to do, in TwiML, built with the official library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from sentinel.channels.voice.base import EndReason
from sentinel.channels.voice.http.addresses import Plan

#: How long the owner may take to press 1 after the whisper; it is said twice.
PRESS_SECONDS = 7
_EVENTS = "initiated ringing answered completed"


@dataclass(frozen=True, kw_only=True)
class Words:
    """What Sentinel itself says to the owner; ``tag`` names the language to the service."""

    tag: str
    press: str
    busy: str
    no_answer: str
    unreachable: str


_WORDS = {
    "en": Words(
        tag="en-GB",
        press="Press 1 to be connected.",
        busy="The line is busy.",
        no_answer="Nobody answered.",
        unreachable="The number cannot be reached.",
    ),
    "de": Words(
        tag="de-DE",
        press="Drücken Sie die 1, um verbunden zu werden.",
        busy="Die Leitung ist besetzt.",
        no_answer="Niemand hat abgehoben.",
        unreachable="Die Nummer ist nicht erreichbar.",
    ),
    "fr": Words(
        tag="fr-FR",
        press="Appuyez sur 1 pour être mis en relation.",
        busy="La ligne est occupée.",
        no_answer="Personne n’a répondu.",
        unreachable="Le numéro n’est pas joignable.",
    ),
    "es": Words(
        tag="es-ES",
        press="Pulse 1 para que le pongamos en comunicación.",
        busy="La línea está ocupada.",
        no_answer="Nadie ha contestado.",
        unreachable="No se puede contactar con el número.",
    ),
    "ja": Words(
        tag="ja-JP",
        press="おつなぎするには、1 を押してください。",
        busy="お話し中です。",
        no_answer="応答がありませんでした。",
        unreachable="この番号にはつながりませんでした。",
    ),
}


def words(language: str) -> Words:
    """What is said in a language; English where we do not speak it."""
    return _WORDS.get(language.partition("-")[0].lower(), _WORDS["en"])


def whisper(plan: Plan, *, press_url: str, voice: str) -> str:
    """Say who is calling about what, and wait for the 1. Without it the same address is asked."""
    response, spoken = VoiceResponse(), words(plan.language)
    gather = Gather(num_digits=1, timeout=PRESS_SECONDS, action=press_url, method="POST")
    for sentence in filter(None, (plan.whisper, spoken.press)):
        gather.say(sentence, **_manner(spoken, voice))
    response.append(gather)
    response.redirect(press_url, method="POST")
    return str(response)


def only_say(plan: Plan, *, voice: str) -> str:
    """A test: say what is to be said, and hang up."""
    response = VoiceResponse()
    if plan.whisper:
        response.say(plan.whisper, **_manner(words(plan.language), voice))
    response.hangup()
    return str(response)


def connect(plan: Plan, *, after_url: str, worker_url: str, machine_url: str) -> str:
    """Ring the worker and let both talk. ``machine_url``: listen whether a machine answers; empty: do not."""
    response = VoiceResponse()
    dial = Dial(
        caller_id=plan.caller,
        timeout=plan.ring_seconds,
        time_limit=plan.longest_seconds,
        action=after_url,
        method="POST",
    )
    listening: Mapping[str, str] = {}
    if machine_url:
        listening = {
            "machine_detection": "Enable",
            "amd_status_callback": machine_url,
            "amd_status_callback_method": "POST",
        }
    dial.number(
        plan.worker_number,
        status_callback=worker_url,
        status_callback_event=_EVENTS,
        status_callback_method="POST",
        **listening,
    )
    response.append(dial)
    return str(response)


def goodbye(reason: EndReason | None = None, *, language: str = "en", voice: str = "") -> str:
    """End the call; where nobody was reached, say why first."""
    response, spoken = VoiceResponse(), words(language)
    said = {
        EndReason.BUSY: spoken.busy,
        EndReason.NO_ANSWER: spoken.no_answer,
        EndReason.UNREACHABLE: spoken.unreachable,
    }
    if reason in said:
        response.say(said[reason], **_manner(spoken, voice))
    response.hangup()
    return str(response)


def _manner(spoken: Words, voice: str) -> dict[str, str]:
    return {"language": spoken.tag, **({"voice": voice} if voice else {})}
