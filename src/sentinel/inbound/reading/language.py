"""Which language words are written in, told by their smallest words."""

from __future__ import annotations

import re

#: The small words of each language.
_WORDS = {
    "en": (
        "the and is are not it we you i my our to of in on for with this that have has no yes please "
        "thanks was does can be at but still again from all your any since good fine thank me so as an a "
        "been will would could do did out up down nobody called when there which who what too twice after "
        "before very only one here they them"
    ),
    "de": (
        "der die das und ist nicht wir ich sie es ein eine mit auf für den dem zu im bei noch kein keine "
        "ja nein bitte danke seit wieder immer auch sind haben hat aber mehr alles gut uns war am vom "
        "geht vielen wird fällt aus des dass wenn oder nach anbei heute gestern beim über unter ohne sehr "
        "nur schon dann kann können mein meine unser"
    ),
    "fr": (
        "le la les et est ne pas nous je vous un une des du de à au avec pour en sur depuis oui non merci "
        "bonjour mais encore il elle ce cela ça plus toujours tout rien dans notre votre qui bien été "
        "fonctionne marche beaucoup c'est sont a aux par ces ses son sa se on que hier matin"
    ),
    "es": (
        "el la los las y es no nos yo un una de del en con para por desde sí gracias hola pero todavía "
        "sigue que se muy todo nada está hay al su lo más ya bien funciona muchas buenos días entrada va "
        "cada ayer son"
    ),
    "pt": (
        "o a os as e é não nós um uma de do da em com para por desde sim obrigado obrigada olá mas ainda "
        "que se muito tudo nada está há ao seu mais já bem funciona nos na no"
    ),
    "it": (
        "il lo la i gli le e è non noi io un una di del della in con per da sì grazie ciao ma ancora che "
        "si molto tutto niente c'è al suo più già bene funziona nel sono"
    ),
    "nl": (
        "de het een en is niet we wij ik u met op voor van te in bij nog geen ja nee dank bedankt sinds "
        "weer ook zijn heeft maar meer alles goed ons was aan er dat die"
    ),
    "pl": (
        "i w na z do nie jest się to że my ja po od dla tak proszę dziękuję dzień dobry ale nadal znowu "
        "już jeszcze wszystko dobrze co jak przy mam mamy są"
    ),
}
_SMALL = {name: frozenset(words.split()) for name, words in _WORDS.items()}
_KNOWN = ("en", "de", "fr", "es", "ja")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_ELISION = re.compile(r"\b[ldjnmcqst]'(?=[^\W\d_])(?!t\b|s\b|m\b)")
_KANA = re.compile("[\u3040-\u30ff]")
_LETTERS = {"de": "äöüß", "fr": "çœêîôûèàù", "es": "ñ¿¡áíóú", "pl": "łąęśżźćń", "pt": "ãõ"}


def language_of(words: str) -> str:
    """``en``, ``de``, ``fr``, ``es``, ``ja``, or "" when unsure or another."""
    text = words[:4_000].lower().replace("’", "'")
    if len(_KANA.findall(text)) >= 2:
        return "ja"
    found = _WORD.findall(text)
    if not found:
        return ""
    scores = {
        name: sum(word in small for word in found)
        + 0.5 * sum(letter in text for letter in _LETTERS.get(name, ""))
        for name, small in _SMALL.items()
    }
    scores["fr"] += len(_ELISION.findall(text))
    best, second = sorted(scores.items(), key=lambda item: (-item[1], item[0] not in _KNOWN))[:2]
    # Between a language we speak and one we do not, the worker was asked in the former.
    is_ahead = best[1] > second[1] or second[0] not in _KNOWN
    is_clear = best[1] >= 1 and is_ahead and (best[1] >= 2 or len(found) <= 4)
    return best[0] if is_clear and best[0] in _KNOWN else ""
