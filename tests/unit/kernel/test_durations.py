from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.kernel.durations import BadDuration, describe_duration, parse_duration
from sentinel.kernel.errors import Refused


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", timedelta(minutes=90)),
        ("2d 4h 30m", timedelta(days=2, hours=4, minutes=30)),
        ("2d4h30m", timedelta(days=2, hours=4, minutes=30)),
        (" 1W ", timedelta(weeks=1)),
        ("45 s", timedelta(seconds=45)),
        ("30m 1h", timedelta(minutes=90)),
        ("0m", timedelta(0)),
        ("999999w", timedelta(weeks=999_999)),
    ],
)
def test_it_reads_what_people_write(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", " ", "5", "d", "1x", "-1d", "1.5h", "1h 2h", "2d and 4h", "1h,", "1234567d", "٣d", "1d\x00"]
)
def test_it_refuses_the_rest_and_lists_the_forms(text: str) -> None:
    with pytest.raises(BadDuration) as refusal:
        parse_duration(text)
    for form in ('"90m"', '"2d 4h 30m"', '"1w"', "weeks", "seconds"):
        assert form in str(refusal.value)
    assert isinstance(refusal.value, Refused)
    assert isinstance(refusal.value, ValueError)
    assert refusal.value.details == {"text": text}


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(days=2, hours=4), "2 days 4 hours"),
        (timedelta(days=1, minutes=1), "1 day 1 minute"),
        (timedelta(weeks=1), "7 days"),
        (timedelta(minutes=90), "1 hour 30 minutes"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=59, microseconds=999_999), "59 seconds"),
        (timedelta(microseconds=1), "less than a second"),
        (timedelta(0), "0 minutes"),
        (timedelta(minutes=-15), "minus 15 minutes"),
    ],
)
def test_it_says_a_duration_in_words(duration: timedelta, words: str) -> None:
    assert describe_duration(duration) == words


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=99_999)))
def test_what_it_says_can_be_read_back(duration: timedelta) -> None:
    whole = duration - timedelta(microseconds=duration.microseconds)
    words = describe_duration(whole).split()
    short = " ".join(number + unit[0] for number, unit in zip(words[::2], words[1::2], strict=True))
    assert parse_duration(short) == whole
