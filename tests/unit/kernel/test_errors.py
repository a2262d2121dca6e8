import pickle

import pytest

from sentinel.kernel.errors import Conflict, NotAllowed, NotFound, Refused, SentinelError


@pytest.mark.parametrize("kind", [Refused, NotAllowed, NotFound, Conflict])
def test_a_refusal_speaks_plain_words_and_keeps_its_details(kind: type[Refused]) -> None:
    refusal = kind("too_late", "The problem is already solved.", {"problem": 7})
    assert isinstance(refusal, Refused)
    assert isinstance(refusal, SentinelError)
    assert str(refusal) == refusal.message == "The problem is already solved."
    assert refusal.code == "too_late"
    assert refusal.details == {"problem": 7}


def test_details_are_a_copy_and_empty_by_default() -> None:
    given: dict[str, object] = {"a": 1}
    refusal = Refused("x", "X.", given)
    given["a"] = 2
    assert refusal.details == {"a": 1}
    assert Refused("x", "X.").details == {}


def test_a_refusal_survives_pickling() -> None:
    again = pickle.loads(pickle.dumps(Conflict("x", "X.", {"a": 1})))
    assert (type(again), again.code, str(again), again.details) == (Conflict, "x", "X.", {"a": 1})
