"""What we sent, as far as it can be recognised in a reply: our links, our addresses, our sentences."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import urlsplit

from sentinel.inbound.reading.shapes import Ours

#: The fixed sentences of our mails, in the languages they are sent in (a test holds them to the templates).
SENTENCES = (
    "Do you have any problem, comment or suggestion for us?",
    "Or simply reply to this e-mail. If something is wrong, a person will call you back.",
    "One click is enough. A person reads every answer.",
    "Only your answer closes it. Until then we keep it open.",
    "Only your answer closes it. If it is not solved, we go on.",
    "Or simply reply to this e-mail. Nothing is closed before you say that it is solved.",
    "Change how often we ask, or the language",
    "Haben Sie ein Problem, einen Hinweis oder eine Anregung für uns?",
    "Oder antworten Sie einfach auf diese E-Mail. Wenn etwas nicht stimmt, ruft ein Mensch Sie zurück.",
    "Ein Klick genügt. Jede Antwort liest ein Mensch.",
    "Erst Ihre Antwort schließt es ab. Bis dahin bleibt es bei uns offen.",
    "Häufigkeit oder Sprache ändern",
    "Avez-vous un problème, une remarque ou une suggestion à nous signaler ?",
    "Ou répondez simplement à ce message. Si quelque chose ne va pas, une vraie personne vous rappellera.",
    "Un clic suffit. Chaque réponse est lue par une personne.",
    "Seule votre réponse permet de clore le sujet. D’ici là, il reste ouvert chez nous.",
    "Changer la fréquence ou la langue",
    "¿Tiene algún problema, comentario o sugerencia para nosotros?",
    "O simplemente responda a este correo. Si algo va mal, le llamará una persona.",
    "Basta un clic. Una persona lee cada respuesta.",
    "Solo su respuesta lo da por cerrado. Hasta entonces, para nosotros sigue abierto.",
    "Cambiar la frecuencia o el idioma",
    "お困りのこと、お気づきの点、ご要望などはございませんか。",
    "このメールにそのままご返信いただいても結構です。お困りの際は、担当者よりお電話いたします。",
    "ワンクリックで結構です。すべてのご回答に担当者が目を通します。",
    "お客様のご回答をもって、はじめて完了といたします。それまでは対応中のままといたします。",
    "頻度・言語を変更する",
)
#: Short lines of ours. A worker may write them too: they prove nothing unless beside something of ours.
LABELS = (
    "All is well", "I have a problem", "Stop asking me", "Yes, it is solved", "No, not yet", "Kind regards",
    "Is your problem solved?", "Is it solved?", "See your problem, or add to it", "What we did:",
    "Alles in Ordnung", "Ich habe ein Problem", "Nicht mehr fragen", "Ja, es ist gelöst", "Nein, noch nicht",
    "Freundliche Grüße", "Ist Ihr Problem gelöst?", "Ist es gelöst?", "Tout va bien", "J’ai un problème",
    "Ne plus recevoir cette question", "Oui, c’est résolu", "Non, pas encore", "Bien cordialement",
    "Votre problème est-il résolu ?", "Todo va bien", "Tengo un problema", "No quiero recibir más preguntas",
    "Sí, está resuelto", "No, todavía no", "Un cordial saludo", "¿Se ha resuelto su problema?",
    "問題ありません", "困っています", "今後の配信を停止する", "はい、解決しました", "いいえ、まだです",
    "どうぞよろしくお願いいたします。", "お困りの件は解決しましたか。",
)  # fmt: skip
_GREETING = re.compile(
    r"(?:hello|hi|dear|guten tag|hallo|bonjour|hola|buenos días|olá|ciao|dzień dobry)[, ][^\n]{1,60}[,:!]"
    r"|.{1,30} ?様"
)
_LINK = re.compile(r"<?\(?\[?(?:https?://|mailto:)[^\s<>\])]{1,4000}[>)\]]{0,3}", re.IGNORECASE)
_GLYPHS = re.compile("[☺☹✓✗\ufe0e\ufe0f*_|>\u200b\u200c\u00ad]+")
_ENOUGH = 24
_CLOSINGS = frozenset(
    (
        "kind regards",
        "freundliche grüße",
        "bien cordialement",
        "un cordial saludo",
        "どうぞよろしくお願いいたします",
    )
)
#: Sentences of ours with names and numbers in them.
_FILLED = re.compile(
    r".{1,80} asks everybody at .{1,80}, with your employer's permission\.?"
    r"|.{1,80} stellt diese frage allen am standort .{1,120}"
    r"|.{1,80} pose cette question à tout le monde sur le site .{1,120}"
    r"|.{1,80} hace esta pregunta a todas las personas de .{1,120}"
    r"|.{1,80}は、お勤め先の許可を得て、.{1,80}|last month at your site: .{1,200}"
    r"|im letzten monat an ihrem standort: .{1,200}"
    r"|le mois dernier sur votre site, .{1,200}|el mes pasado en su centro, .{1,200}"
    r"|先月の貴事業所の状況[:：].{1,200}"
    r"|on .{3,30} (?:you told us|you wrote to us)\b.{0,40}|what we did: .{1,400}"
)


def settled(text: str) -> str:
    """Text for comparing: one form of every letter, single spaces, no emphasis marks, lower case."""
    text = unicodedata.normalize("NFKC", text) if not text.isascii() else text
    return " ".join(_GLYPHS.sub(" ", text).replace("’", "'").lower().split())


class OwnText:
    """Tells whether a line of a reply is ours."""

    def __init__(self, ours: Ours) -> None:
        self.host = urlsplit(ours.base_url.lower()).netloc
        self.addresses = tuple(ours.senders) + (
            (f"@{ours.inbound_domain.lower()}",) if ours.inbound_domain else ()
        )
        self.sentences = frozenset(settled(line) for line in SENTENCES)
        self.all_sentences = " \n ".join(sorted(self.sentences))
        self.labels = frozenset(settled(line).rstrip(":") for line in LABELS)
        self.sent_lines = frozenset(filter(None, map(settled, ours.sent_text.splitlines())))
        self.sent_flow = " ".join(settled(ours.sent_text).split()) if ours.sent_text else ""

    def proves(self, line: str) -> bool:
        """Whether nobody but us can have written this line: it is a link of ours, or a sentence of ours."""
        words = settled(line)
        if not words:
            return False
        if self.host and self.host in words:
            # The worker may write about our link; a line that holds little else is ours.
            rest = settled(_LINK.sub(" ", line)).rstrip(":")
            return len(rest) < 3 or self._is_known(rest) or self.is_address_line(rest)
        return words in self.sentences or (len(words) >= _ENOUGH and self._is_known(words))

    def _is_known(self, words: str) -> bool:
        return (
            words in self.labels
            or (len(words) < 600 and _FILLED.fullmatch(words) is not None)
            or words in self.sent_lines
            or (len(words) >= _ENOUGH and (words in self.all_sentences or words in self.sent_flow))
        )

    def owns(self, line: str) -> bool:
        """Whether a line next to something of ours is ours too."""
        words = settled(_LINK.sub(" ", line) if "://" in line else line).rstrip(":")
        if not words or self.proves(line) or self._is_known(words):
            return True
        if len(words) >= 8 and (words in self.sent_flow or words in self.all_sentences):
            return True
        return _GREETING.fullmatch(words) is not None or self.is_address_line(words)

    def is_greeting(self, line: str) -> bool:
        """Whether the line is how our mails begin."""
        return _GREETING.fullmatch(settled(line)) is not None

    def is_closing(self, line: str) -> bool:
        """Whether the line is how our mails end; name, company and telephone follow it."""
        return settled(line).rstrip(",.。") in _CLOSINGS

    def continues(self, above: str, line: str) -> bool:
        """Whether a line is the end of a sentence of ours that was broken after ``above``."""
        end, start = settled(line), settled(above)[-20:]
        if not end or not start:
            return False
        joined = f"{start} {end}"
        return joined in self.all_sentences or joined in self.sent_flow

    def is_address_line(self, line: str) -> bool:
        """A line that is one of our addresses and nothing else."""
        bare = line.strip("<>[]() ").lower().removeprefix("mailto:")
        return " " not in bare and any(bare.endswith(address) for address in self.addresses)

    def names_us(self, text: str) -> bool:
        """Whether one of our addresses stands in the text."""
        lowered = text.lower()
        return any(address in lowered for address in self.addresses)


@lru_cache(maxsize=16)
def own_text(ours: Ours) -> OwnText:
    """The recogniser for what is ours; made once per mail that is answered."""
    return OwnText(ours)
