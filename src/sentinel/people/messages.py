"""What a user reads on a way of theirs: the code of a new one, and the test."""

from __future__ import annotations

#: Stands in the text where the sender puts the code; the code itself travels sealed.
CODE = "{code}"

_TITLE_CODE = {
    "en": "Your code for Sentinel",
    "de": "Ihr Code für Sentinel",
    "fr": "Votre code pour Sentinel",
    "es": "Su código de Sentinel",
    "ja": "Sentinelの確認コード",
}
_CODE = {
    "en": "{code} is your code. Type it on your profile within 15 minutes.",
    "de": "{code} ist Ihr Code. Geben Sie ihn binnen 15 Minuten in Ihrem Profil ein.",
    "fr": "{code} est votre code. Saisissez-le dans votre profil sous 15 minutes.",
    "es": "{code} es su código. Escríbalo en su perfil antes de 15 minutos.",
    "ja": "確認コードは{code}です。15分以内にプロフィール画面で入力してください。",
}
_TITLE_TEST = {
    "en": "A test from Sentinel",
    "de": "Ein Test von Sentinel",
    "fr": "Un test de Sentinel",
    "es": "Una prueba de Sentinel",
    "ja": "Sentinelからのテスト",
}
_TEST = {
    "en": "This way works: a frown would have reached you here.",
    "de": "Dieser Weg funktioniert: Eine Unmutsmeldung hätte Sie hier erreicht.",
    "fr": "Ce moyen fonctionne : un mécontentement vous serait parvenu ici.",
    "es": "Este medio funciona: un descontento le habría llegado por aquí.",
    "ja": "この連絡方法は使えます。不満の声はここに届きます。",
}


def code_words(language: str) -> tuple[str, str]:
    """Title and text of the message with the code; the text holds :data:`CODE`."""
    return _in(language, _TITLE_CODE), _in(language, _CODE)


def test_words(language: str) -> tuple[str, str]:
    """Title and text of a test message."""
    return _in(language, _TITLE_TEST), _in(language, _TEST)


def _in(language: str, texts: dict[str, str]) -> str:
    return texts.get(language.split("-")[0], texts["en"])
