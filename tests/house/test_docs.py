"""Undocumented means failing: words, settings and commands are where a reader looks for them."""

import re
from collections.abc import Iterator

import click
import pytest

from sentinel.config.environment import PREFIX, Environment
from sentinel.ops.cli import sentinel
from tests.house.sources import ROOT
from tests.house.test_models import own_models

GLOSSARY = ROOT / "docs" / "glossary.md"
SETTINGS = ROOT / "docs" / "reference" / "settings.md"
COMMANDS = ROOT / "docs" / "reference" / "commands.md"
SETTING = re.compile(rf"`({PREFIX}[A-Z_]+)`")


def _words(name: str) -> str:
    """`FrozenPolicy` becomes "frozen policy"."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


def _commands(group: click.Group, path: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        elif command is not None and not command.hidden:
            yield f"{path} {name}"


def test_every_model_is_a_word_of_the_glossary() -> None:
    glossary = GLOSSARY.read_text(encoding="utf-8").lower()
    # "check in" is written "check-in" by people.
    glossary = glossary.replace("-", " ")
    missing = sorted({_words(m.__name__) for m in own_models() if _words(m.__name__) not in glossary})
    assert not missing, f"explain in {GLOSSARY.relative_to(ROOT)}: {', '.join(missing)}"


def test_every_setting_is_in_the_reference_and_nothing_else() -> None:
    documented = set(SETTING.findall(SETTINGS.read_text(encoding="utf-8")))
    documented = {name for name in documented if not name.startswith("SENTINEL_TEST_")}
    assert documented == {PREFIX + name.upper() for name in Environment.model_fields}


@pytest.mark.parametrize("command", sorted(_commands(sentinel, "sentinel")))
def test_every_command_is_in_the_reference(command: str) -> None:
    assert f"`{command}" in COMMANDS.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", sorted(_commands(sentinel, "sentinel")))
def test_every_command_explains_itself(command: str) -> None:
    found: click.Command = sentinel
    for name in command.split()[1:]:
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), name) or found
    assert len(found.help or "") > 30
    silent = [p.name for p in found.params if isinstance(p, click.Option) and not p.help]
    assert not silent
