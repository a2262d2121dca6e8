"""How to begin the call: one sentence in the worker's language, with their own words in mind."""

from __future__ import annotations

SENTENCES = {
    "en": "Hello {worker}, this is {user} from {provider}. Thank you for telling us that "
    "something is wrong. "
    "I would like to understand it properly and then tell you who solves it and by when.",
    "de": "Guten Tag {worker}, hier ist {user} von {provider}. Danke, dass Sie uns gesagt "
    "haben, dass etwas nicht stimmt. "
    "Ich möchte es genau verstehen und Ihnen dann sagen, wer es bis wann löst.",
    "fr": "Bonjour {worker}, ici {user} de {provider}. Merci de nous avoir signalé ce problème. "
    "Je voudrais bien le comprendre, puis vous dire qui le règle et pour quand.",
    "es": "Buenos días, {worker}, soy {user} de {provider}. Gracias por avisarnos de que algo no va bien. "
    "Me gustaría entenderlo bien y decirle quién lo resuelve y para cuándo.",
    "ja": "{worker}様、{provider}の{user}と申します。ご不便をお知らせいただき、ありがとうございます。"
    "状況を詳しくうかがったうえで、誰がいつまでに解決するかをお伝えします。",
}
AGAIN = {
    "en": "Hello {worker}, this is {user} from {provider}. You told us it is not solved yet, "
    "and I am sorry. "
    "Please tell me what still happens; I will stay on it until you say that it is solved.",
    "de": "Guten Tag {worker}, hier ist {user} von {provider}. Sie haben uns gesagt, dass es "
    "noch nicht gelöst ist, das tut mir leid. "
    "Bitte sagen Sie mir, was noch passiert; ich bleibe dran, bis Sie sagen, dass es gelöst ist.",
    "fr": "Bonjour {worker}, ici {user} de {provider}. Vous nous avez dit que ce n’est pas "
    "encore réglé, et j’en suis désolé. "
    "Dites-moi ce qui se passe encore ; je m’en occupe jusqu’à ce que vous disiez que c’est réglé.",
    "es": "Buenos días, {worker}, soy {user} de {provider}. Nos dijo que aún no está resuelto y lo siento. "
    "Cuénteme qué sigue pasando; no lo dejaré hasta que usted diga que está resuelto.",
    "ja": "{worker}様、{provider}の{user}と申します。まだ解決していないとのこと、申し訳ございません。"
    "今も起きていることをお聞かせください。解決したとおっしゃっていただけるまで対応いたします。",
}


def opening_sentence(
    *, language: str, worker: str, user: str, provider: str, is_reopened: bool
) -> tuple[str, str]:
    """The sentence and the language it is in; English when we have no better."""
    table = AGAIN if is_reopened else SENTENCES
    code = language[:2] if language[:2] in table else "en"
    return table[code].format(worker=worker, user=user, provider=provider or "Sentinel"), code
