"""`sentinel suppress` as somebody at a shell sees it."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from sentinel.ops.commands import suppress as module
from sentinel.standing.selectors import suppressed_among
from tests.services.commands import use_the_tests_database

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _database_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    use_the_tests_database(monkeypatch, module)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(module.command, arguments)


def test_an_address_is_added_listed_and_lifted() -> None:
    assert run("add", "Anna@acme.example", "--note", "works council").exit_code == 0
    assert suppressed_among(["anna@acme.example"])
    listed = run("list", "council").output
    assert "anna@acme.example  works council" in listed
    assert run("lift", "anna@acme.example").exit_code == 2
    lifted = run("lift", "Anna@acme.example", "--reason", "agreed again")
    assert lifted.exit_code == 0, lifted.output
    assert not suppressed_among(["anna@acme.example"])
    assert run("list").output == ""
    assert "agreed again" in run("list", "--all").output


def test_a_domain_is_lifted_as_a_domain() -> None:
    run("add", "@acme.example")
    refused = run("lift", "anna@acme.example", "--reason", "x")
    assert refused.exit_code == 1
    assert "The whole domain @acme.example is on the list" in refused.output
    assert run("lift", "@acme.example", "--reason", "x").exit_code == 0


def test_what_is_not_on_the_list_cannot_be_lifted() -> None:
    assert run("lift", "anna@acme.example", "--reason", "x").exit_code == 1
