"""Pure rules: evidence of a human (`evidence`), whom to ask when (`cadence`), why not (`asking`)."""

from sentinel.checkins.rules.asking import AskingFacts, WhyNot, why_not_asked, words_of
from sentinel.checkins.rules.cadence import (
    Beat,
    CadenceFacts,
    CadenceRules,
    Plan,
    plan_next,
    slot_after_a_missed_window,
)
from sentinel.checkins.rules.evidence import (
    BURST,
    PRESSED_AT_ONCE,
    PROVISIONAL_PATIENCE,
    ByMail,
    CheckInState,
    Evidence,
    Face,
    Press,
    ResponseKind,
    Severity,
    Verdict,
    Visit,
    judge,
)

__all__ = [
    "BURST",
    "PRESSED_AT_ONCE",
    "PROVISIONAL_PATIENCE",
    "AskingFacts",
    "Beat",
    "ByMail",
    "CadenceFacts",
    "CadenceRules",
    "CheckInState",
    "Evidence",
    "Face",
    "Plan",
    "Press",
    "ResponseKind",
    "Severity",
    "Verdict",
    "Visit",
    "WhyNot",
    "judge",
    "plan_next",
    "slot_after_a_missed_window",
    "why_not_asked",
    "words_of",
]
