"""What a worker's words mean as an answer. Pure; no arithmetic of moods, only phrases people really write.

Two rules decide every doubt. To "any problem?" anything with words is a problem: a false alarm costs a
call, a missed one a customer. To "is it solved?" only the unmistakable counts: whoever is unsure asks the
worker.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

from sentinel.inbound import phrases
from sentinel.inbound.doubting import DOUBTING, SOOTHING
from sentinel.inbound.verdicts import AGAIN, COMES_BACK, NOT_SOLVED, REQUEST, SOLVED, WRONG

_LONGEST = 4_000
_CLAUSES = re.compile(r"[.,;:!?…。、！？；：\n\r•]+|\s[-–—]+\s|(?<=[ぁ-ん一-龥])\s+")
_EDGES = " \t\"'“”„«»()[]*_~-–—>✓✗☺☹\ufe0e\ufe0f\u200d"
_SIGNS = re.compile(r"[^\w\s]|_")
_QUESTION = re.compile(r"[?？]")


class Said(StrEnum):
    """What somebody said. WORDS: something, but no verdict."""

    HAPPY = "happy"
    FROWN = "frown"
    PRAISE = "praise"
    PROBLEM = "problem"
    WORDS = "words"
    THANKS = "thanks"
    YES = "yes"
    NO = "no"
    UNSUBSCRIBE = "unsubscribe"
    NOTHING = "nothing"


class _Clause(StrEnum):
    """What one clause is."""

    NO = "no"
    FINE = "fine"
    THANKS = "thanks"
    GREETING = "greeting"
    YES = "yes"
    BAD = "bad"
    STOP = "stop"
    OTHER = "other"


# Longer meanings first: "no problem" is fine before it is a no.
_ORDER = (
    (phrases.STOP, _Clause.STOP),
    (phrases.BAD, _Clause.BAD),
    (phrases.THANKS, _Clause.THANKS),
    (phrases.NO, _Clause.NO),
    (phrases.YES, _Clause.YES),
    (phrases.FINE, _Clause.FINE),
    (phrases.GREETING, _Clause.GREETING),
)
#: What may stand beside a yes.
_AFFIRMING = frozenset({_Clause.YES, _Clause.FINE, _Clause.THANKS, _Clause.GREETING})
_LONGEST_CLAUSE = 90
#: Up to this many letters the phrases have no room for a "but".
_LONGEST_SHORT = 22


def answer_to_question(words: str, language: str) -> Said:
    """What words mean as an answer to "do you have any problem, comment or suggestion?"."""
    text = _flat(words)
    if not text:
        return Said.NOTHING
    if text in ("1", "0"):
        return Said.HAPPY if text == "1" else Said.FROWN
    plain, happy, sad = _without_faces(text)
    clauses = _clauses(plain, language)
    kinds = {kind for kind, _ in clauses}
    if _Clause.OTHER in kinds or (_QUESTION.search(plain) and kinds):
        return Said.PRAISE if not sad and _is_praise(plain, language) else Said.PROBLEM
    if kinds <= {_Clause.STOP, _Clause.THANKS, _Clause.GREETING} and _Clause.STOP in kinds:
        return Said.UNSUBSCRIBE
    if sad or kinds & {_Clause.BAD, _Clause.STOP}:
        return Said.FROWN
    if _Clause.YES in kinds and _Clause.FINE not in kinds:
        return Said.FROWN
    if happy or kinds & {_Clause.NO, _Clause.FINE}:
        return Said.PRAISE if len(plain.split()) > 4 and _is_praise(plain, language) else Said.HAPPY
    if _Clause.THANKS in kinds:
        return Said.THANKS
    return Said.PROBLEM


def verdict_of(words: str, language: str) -> Said:
    """What words mean as an answer to "is it solved?": YES or NO only when nobody could read it otherwise."""
    text = _flat(words)
    if not text:
        return Said.NOTHING
    plain, _, sad = _without_faces(text)
    if "✗" in words or "✓" in words:
        plain = plain or ("no" if "✗" in words else "yes")
    clauses = _clauses(plain, language)
    kinds = {kind for kind, _ in clauses}
    if kinds and kinds <= {_Clause.THANKS, _Clause.GREETING, _Clause.STOP}:
        return Said.UNSUBSCRIBE if _Clause.STOP in kinds else Said.THANKS
    if clauses and all(text in ("ok", "okay", "k") or kind is _Clause.THANKS for kind, text in clauses):
        return Said.THANKS
    if not clauses:
        return Said.WORDS
    says_yes = _Clause.YES in kinds or any(_is(SOLVED, text) for _, text in clauses)
    is_bad = _is_wrong_again(plain) or any(_is(NOT_SOLVED, text) for _, text in clauses)
    says_no = is_bad or _begins_with_no(clauses)
    if says_no:
        return Said.WORDS if says_yes or _QUESTION.search(words) else Said.NO
    is_asking = _QUESTION.search(words) is not None or phrases.PLEASE.search(plain) is not None
    is_doubtful = sad or is_asking or _doubts(plain) or not all(_goes_with_yes(*clause) for clause in clauses)
    return Said.YES if says_yes and not is_doubtful else Said.WORDS


def comes_back(words: str, language: str) -> bool:
    """Whether a reply to a closed problem says that it is wrong again. Thanks and good news never do."""
    plain, _, _ = _without_faces(_flat(words))
    if not plain:
        return False
    return verdict_of(words, language) is Said.NO or _is_wrong_again(plain)


def _is(pattern: re.Pattern[str], clause: str) -> bool:
    return len(clause) <= _LONGEST_CLAUSE and pattern.fullmatch(clause) is not None


def _flat(words: str) -> str:
    text = unicodedata.normalize("NFKC", words[:_LONGEST]).replace("’", "'").replace("‘", "'").lower()
    return text.strip(" \t\r\n\"'“”„«»*_")


def _without_faces(text: str) -> tuple[str, bool, bool]:
    """The text without faces, and whether there were happy and sad ones."""
    happy = phrases.HAPPY_SIGNS.search(text) is not None
    sad = phrases.SAD_SIGNS.search(text) is not None
    if happy or sad:
        text = phrases.SAD_SIGNS.sub(" ", phrases.HAPPY_SIGNS.sub(" ", text))
    return text.strip(_EDGES + "\n\r"), happy, sad


def _clauses(text: str, language: str) -> list[tuple[_Clause, str]]:
    found: list[tuple[_Clause, str]] = []
    for part in _CLAUSES.split(text):
        clause = " ".join(part.split()).strip(_EDGES)
        kind = _kind_of(clause, language)
        if kind is _Clause.OTHER:
            clause = phrases.FILLERS.sub("", clause).strip(_EDGES)
            kind = _kind_of(clause, language)
        if any(letter.isalnum() for letter in clause):
            found.append((kind, clause))
        if len(found) >= 60:
            found.append((_Clause.OTHER, ""))
            break
    return found


def _kind_of(clause: str, language: str) -> _Clause:
    if len(clause) > _LONGEST_CLAUSE:
        return _Clause.OTHER
    if clause == "tak" and language != "pl":
        return _Clause.THANKS if language == "da" else _Clause.YES
    if len(clause) > _LONGEST_SHORT and phrases.BUT.search(SOOTHING.sub(" ", clause)):
        # "Thanks for calling but it still leaks": what comes after a "but" is what was meant.
        return _Clause.OTHER
    for pattern, kind in _ORDER:
        if pattern.fullmatch(clause):
            return kind
    return _two_answers(clause)


def _two_answers(clause: str) -> _Clause:
    """Two short answers without a comma: "no all fine", "ja danke". Not so "nothing works" and "no good"."""
    first, _, rest = clause.partition(" ")
    is_yes = phrases.YES.fullmatch(first) is not None
    if not rest or not (is_yes or phrases.PLAIN_NO.fullmatch(first)):
        return _Clause.OTHER
    if phrases.THANKS.fullmatch(rest):
        return _Clause.YES if is_yes else _Clause.NO
    if phrases.BAD.fullmatch(rest) or phrases.STOP.fullmatch(rest):
        return _Clause.BAD if phrases.BAD.fullmatch(rest) else _Clause.STOP
    if phrases.WHOLE.match(rest) and (phrases.FINE.fullmatch(rest) or phrases.NO.fullmatch(rest)):
        return _Clause.FINE
    return _Clause.OTHER


def _is_praise(text: str, language: str) -> bool:
    whole = text
    # "fast" is praise in English and a doubt ("almost") in German.
    text = phrases.KEEP_ON.sub(" ", text if language == "de" else text.replace(" fast", " "))
    soothed = SOOTHING.sub(" ", text)
    return (
        (phrases.PRAISE.search(text) or phrases.KEEP_ON.search(whole)) is not None
        and not DOUBTING.search(soothed)
        and not phrases.TROUBLE.search(soothed)
    )


def _doubts(text: str) -> bool:
    return DOUBTING.search(SOOTHING.sub(" ", " ".join(text.split()))) is not None


def _goes_with_yes(kind: _Clause, text: str) -> bool:
    """Whether a clause beside a yes takes nothing back: "yes, I think so", "yes, nothing works" and "ja, bis
    auf die Tür" hold no word that a list could forbid, so only what is known is allowed."""
    return kind in _AFFIRMING or _is(SOLVED, text)


def _is_wrong_again(text: str) -> bool:
    """Whether some sentence says that it is wrong again; a wish to be called again does not."""
    for sentence in re.split(r"[.;!?。！？\n]+", text):
        soothed = SOOTHING.sub(" ", " ".join(sentence.split()))
        is_again = AGAIN.search(soothed) is not None and WRONG.search(soothed) is not None
        if (is_again or COMES_BACK.search(soothed)) and not REQUEST.search(soothed):
            return True
    return False


def _begins_with_no(clauses: list[tuple[_Clause, str]]) -> bool:
    """Whether the first thing said is a bare no, and nothing after it takes it back."""
    said = [(kind, text) for kind, text in clauses if kind not in (_Clause.GREETING, _Clause.THANKS)]
    if not said or said[0][0] is not _Clause.NO or not phrases.PLAIN_NO.fullmatch(said[0][1]):
        return False
    return not any(kind is _Clause.FINE or _is(SOLVED, text) for kind, text in said[1:])
