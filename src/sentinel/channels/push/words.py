"""What stands on the buttons of a push notice."""

from __future__ import annotations

_LABELS = {
    "en": ("I have it", "Call", "Hand over"),
    "de": ("Ich übernehme", "Anrufen", "Übergeben"),
    "fr": ("Je m'en charge", "Appeler", "Transmettre"),
    "es": ("Me encargo", "Llamar", "Traspasar"),
    "ja": ("対応します", "電話する", "担当を渡す"),
}


def labels(language: str) -> dict[str, str]:
    """The labels of the buttons, in the order in which a browser shows as many as it can (mostly two):
    ``acknowledge``, ``call``, ``hand_over``. Opening is a press on the notice itself."""
    acknowledge, call, hand_over = _LABELS.get(language.split("-")[0], _LABELS["en"])
    return {"acknowledge": acknowledge, "call": call, "hand_over": hand_over}
