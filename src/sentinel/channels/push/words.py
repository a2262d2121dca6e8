"""What stands on the buttons of a push notice."""

from __future__ import annotations

_LABELS = {
    "en": ("I have it", "Call"),
    "de": ("Ich übernehme", "Anrufen"),
    "fr": ("Je m'en charge", "Appeler"),
    "es": ("Me encargo", "Llamar"),
    "ja": ("対応します", "電話する"),
}


def labels(language: str) -> dict[str, str]:
    """The labels of the buttons: ``acknowledge`` and ``call``; opening is a press on the notice itself."""
    acknowledge, call = _LABELS.get(language.split("-")[0], _LABELS["en"])
    return {"acknowledge": acknowledge, "call": call}
