"""What can be set from outside, and what is said when it is wrong."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from sentinel.config.environment import Environment, problems_of

SECRET = "s" * 40
DATABASE = "postgresql://sentinel:pw@db.example.com/sentinel"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENTINEL_SECRET_KEY")
    monkeypatch.delenv("SENTINEL_BASE_URL")


def problems(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    for name, value in variables.items():
        monkeypatch.setenv(f"SENTINEL_{name.upper()}", value)
    with pytest.raises(ValidationError) as caught:
        Environment()
    return problems_of(caught.value)


def test_nothing_needs_to_be_set() -> None:
    environment = Environment()
    assert environment.public_url == "http://127.0.0.1:8000"
    assert not environment.demonstration
    assert environment.mail_server.port == 25


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTINEL_PORT", "")
    assert Environment().port == 8000


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("port", "many", "must be a whole number"),
        ("port", "0", "must be a number from 1"),
        ("demonstration", "maybe", "must be true or false"),
        ("log_format", "xml", "must be text or json"),
        ("base_url", "sentinel.example.com", "must be a full address"),
        ("base_url", "https://example.com/sentinel", "must end after the host"),
        ("email_url", "https://mail.example.com", "must begin with smtp://"),
        ("email_url", "smtp://:25", "names no mail server"),
        ("email_url", "smtp://host:port", "is not a valid address"),
        ("secret_key", "short", "at least 32 characters"),
        ("database_url", "mysql://db/sentinel", "must name a PostgreSQL database"),
        ("database_url", "postgresql://db", "names no database"),
        ("data_dir", __file__, "is a file, not a folder"),
    ],
)
def test_a_wrong_value_gets_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    (line,) = problems(monkeypatch, **{variable: value})
    assert line.startswith(f"SENTINEL_{variable.upper()} ")
    assert said in line
    assert "\n" not in line


def test_all_problems_are_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(problems(monkeypatch, port="x", base_url="x", email_url="x")) == 3


def test_a_problem_never_repeats_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    said = problems(
        monkeypatch, secret_key="hunter2", database_url="mysql://u:hunter2@db/x", email_url="x://u:hunter2@m"
    )
    assert "hunter2" not in "".join(said)


def test_a_database_of_ones_own_needs_a_secret_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems(monkeypatch, database_url=DATABASE) == [
        "SENTINEL_SECRET_KEY is required when SENTINEL_DATABASE_URL is set"
    ]
    monkeypatch.setenv("SENTINEL_SECRET_KEY", SECRET)
    assert Environment().secret() == SECRET


def test_the_invented_secret_is_kept_and_nobody_else_may_read_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SENTINEL_DATA_DIR", str(tmp_path / "data"))
    first = Environment().secret()
    assert len(first) >= 32
    assert Environment().secret() == first
    assert (tmp_path / "data" / "secret-key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("url", "port", "tls"),
    [
        ("smtp://mail.example.com", 25, "none"),
        ("smtps://mail.example.com", 465, "implicit"),
        ("smtp+starttls://mail.example.com", 587, "starttls"),
        ("smtp+starttls://mail.example.com:2525", 2525, "starttls"),
    ],
)
def test_the_mail_server_is_read_from_its_address(
    monkeypatch: pytest.MonkeyPatch, url: str, port: int, tls: str
) -> None:
    monkeypatch.setenv("SENTINEL_EMAIL_URL", url)
    server = Environment().mail_server
    assert (server.host, server.port, server.tls) == ("mail.example.com", port, tls)


def test_the_mail_servers_password_may_hold_any_character_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SENTINEL_EMAIL_URL", "smtps://me%40example.com:p%40ss%2Fword@mail.example.com")
    server = Environment().mail_server
    assert (server.username, server.password) == ("me@example.com", "p@ss/word")
    assert "p@ss" not in repr(server)


def test_a_demonstration_keeps_its_mail_in_the_house(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTINEL_DEMONSTRATION", "true")
    environment = Environment()
    assert environment.catches_mail
    assert environment.mail_server.port == environment.mail_room_port == 8025
