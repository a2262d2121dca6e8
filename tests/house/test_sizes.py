"""The tail decides whether a house is pleasant: the longest file, the longest function."""

from tests.house.sources import everything, functions, length

LONGEST_FILE = 600
LONGEST_FUNCTION = 60


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    too_long = [f"{s.name}: {len(s.lines)} lines" for s in everything() if len(s.lines) > LONGEST_FILE]
    assert not too_long, "split by verb or by screen:\n" + "\n".join(too_long)


def test_no_function_is_too_long_to_be_understood_at_once() -> None:
    too_long = [
        f"{source.name}:{function.lineno} {function.name}: {length(function)} lines"
        for source in everything()
        for function in functions(source)
        if length(function) > LONGEST_FUNCTION
    ]
    assert not too_long, "\n".join(too_long)
