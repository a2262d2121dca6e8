"""What people say and write in the demonstration, one module for each language of the workers."""

from sentinel.ops.demo.words.english import ENGLISH
from sentinel.ops.demo.words.french import FRENCH
from sentinel.ops.demo.words.german import GERMAN
from sentinel.ops.demo.words.japanese import JAPANESE
from sentinel.ops.demo.words.phrases import Phrases, Trouble
from sentinel.ops.demo.words.spanish import SPANISH

PHRASES: dict[str, Phrases] = {
    "en": ENGLISH,
    "de": GERMAN,
    "fr": FRENCH,
    "es": SPANISH,
    "ja": JAPANESE,
}

__all__ = ["PHRASES", "Phrases", "Trouble"]
