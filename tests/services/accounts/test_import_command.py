"""`sentinel import` as somebody at a shell sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sentinel.accounts.models import RosterImport, Worker
from sentinel.ops.commands import import_roster as module
from tests.services.accounts.conftest import Customer

GOOD = "Name;Email;Site;Shoe size\nAnna;anna@example.com;Kyiv;42\nBo;bo@example.com;Lyon;43\n"


@pytest.fixture(autouse=True)
def _database_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def already_running() -> Iterator[None]:
        yield

    monkeypatch.setattr(module, "database_running", already_running)


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    path = tmp_path / "roster.csv"
    path.write_text(GOOD)
    return path


def run(*arguments: str | Path, answer: str | bytes = "") -> Result:
    return CliRunner().invoke(module.command, [str(argument) for argument in arguments], input=answer)


def test_it_shows_asks_and_imports(customer: Customer, roster: Path) -> None:
    result = run(roster, "--account", "lindgren", answer="y\n")
    assert result.exit_code == 0, result.output
    assert "2 lines in utf-8, separated by semicolon: name from “Name”" in result.output
    assert "Ignored columns: Shoe size" in result.output
    assert "2  new" in result.output
    assert "Import 2 changes? [y/N]" in result.output
    assert "Imported: 2 changes." in result.output
    assert Worker.objects.count() == 2


def test_a_no_imports_nothing_and_forgets_the_file(customer: Customer, roster: Path) -> None:
    result = run(roster, "--account", "Lindgren", answer="n\n")
    assert result.exit_code == 1
    assert not Worker.objects.exists()
    assert RosterImport.objects.get().discarded_at is not None


def test_a_second_time_there_is_nothing_to_ask(customer: Customer, roster: Path) -> None:
    run(roster, "--account", "Lindgren", "--apply")
    result = run(roster, "--account", "Lindgren")
    assert result.exit_code == 0
    assert "Imported: 0 changes." in result.output


def test_a_dry_run_writes_nothing(customer: Customer, roster: Path) -> None:
    result = run(roster, "--account", str(customer.account.pk), "--dry-run")
    assert result.exit_code == 0
    assert "2  new" in result.output
    assert not Worker.objects.exists()
    assert not RosterImport.objects.exists()


def test_every_line_left_out_is_named_and_the_exit_code_says_so(customer: Customer, roster: Path) -> None:
    roster.write_text(GOOD + "Cy;cy@;Kyiv;\nDi;di@example.com;Paris;\n")
    result = run(roster, "--account", "Lindgren", "--apply")
    assert result.exit_code == module.SOME_LEFT_OUT
    assert "line 4: “cy@” is not an e-mail address" in result.output
    assert "line 5: the account has no site “Paris”; its sites are “Kyiv”, “Lyon”" in result.output
    assert Worker.objects.count() == 2


def test_it_reads_standard_input_when_told_what_to_do(customer: Customer) -> None:
    result = run("-", "--account", "Lindgren", "--apply", "--complete", answer=GOOD.encode())
    assert result.exit_code == 0, result.output
    assert Worker.objects.count() == 2


def test_lines_without_a_site_go_to_the_one_named(customer: Customer, roster: Path) -> None:
    roster.write_text("Name,Email\nAnna,anna@example.com\n")
    assert run(roster, "--account", "Lindgren", "--apply", "--site", "lyon").exit_code == 0
    assert Worker.objects.get().site == customer.lyon


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--account", "Nobody"), 1, "There is no account “Nobody”. The accounts are: Lindgren, Other."),
        (
            ("--account", "Lindgren", "--site", "Rome"),
            1,
            "Lindgren has no site “Rome”. Its sites are: Kyiv, Lyon.",
        ),
        (("--account", "Lindgren", "--encoding", "morse"), 1, "There is no encoding of the name “morse”."),
        (("--account", "Lindgren", "--apply", "--dry-run"), 2, "exclude each other"),
        ((), 2, "--account"),
    ],
)
def test_what_cannot_be_done_gets_one_clear_line(
    customer: Customer, roster: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    result = run(roster, *arguments)
    assert result.exit_code == code
    assert words in result.output
    assert "Traceback" not in result.output


def test_a_workbook_is_refused_in_plain_words(customer: Customer, roster: Path) -> None:
    roster.write_bytes(b"PK\x03\x04 and so on")
    result = run(roster, "--account", "Lindgren", "--apply")
    assert result.exit_code == 1
    assert result.output == (
        "roster.csv for Lindgren\n"
        "sentinel import: This is an Excel or OpenDocument workbook, not a CSV file."
        " Save it as “CSV UTF-8” first.\n"
    ).replace("roster.csv", str(roster))
