"""A yes with words that say no is asked once more; good news and thanks are not."""

import pytest

from sentinel.problems.doubts import contradicts

NO = (
    "yes but it still jams",
    "It isn't fixed",
    "the paper jam came back this morning",
    "Not really, the scanner is worse",
    "works sometimes",
    "Danke, aber es klemmt immer noch",
    "Leider nicht",
    "Der Fehler ist wieder da",
    "Merci, mais cela recommence",
    "ça ne marche pas",
    "toujours en panne",
    "Gracias, pero sigue igual",
    "todavía no funciona",
    "まだ直っていません",
    "ありがとうございます。でも、また詰まります",
)

YES = (
    "",
    "thanks!",
    "It works again",
    "All good, no more problems",
    "The printer has not jammed since",
    "Working perfectly again, thank you",
    "no issues any more",
    "Danke, läuft wieder",
    "Alles wieder in Ordnung",
    "Kein Problem mehr, vielen Dank",
    "Merci beaucoup",
    "Tout fonctionne à nouveau, plus aucun souci",
    "Muchas gracias, todo bien",
    "Ya no hay problemas",
    "Funciona de nuevo",
    "ありがとうございました",
    "問題ありません",
    "再発していません。ありがとう",
)


@pytest.mark.parametrize("words", NO)
def test_it_doubts_a_yes_that_sounds_like_a_no(words: str) -> None:
    assert contradicts(words)


@pytest.mark.parametrize("words", YES)
def test_it_believes_good_news(words: str) -> None:
    assert not contradicts(words)
