"""Translations are compiled by whoever starts first, and a folder that cannot be written stops nobody."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from sentinel.ops import catalogues
from sentinel.ops.catalogues import compile_changed, ensure_compiled
from sentinel.ops.commands import engine, migrate, up, web

CATALOGUE = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "yes"\nmsgstr "ja"\n'


class Asked(Exception):
    """Compiling was begun."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "respond" / "locale" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(CATALOGUE)
    return folder / "django.po"


def forbid_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a read-only file system does; rights alone would not stop a test that runs as root."""
    opened = Path.open

    def refusing(path: Path, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if "w" in mode:
            raise OSError(30, "Read-only file system", str(path))
        return opened(path, mode, *rest, **named)

    monkeypatch.setattr(Path, "open", refusing)


def change(source: Path) -> None:
    later = source.stat().st_mtime + 10
    os.utime(source, (later, later))


def test_only_what_changed_is_compiled_and_nothing_is_left_over(source: Path, tmp_path: Path) -> None:
    assert compile_changed(tmp_path) == [source]
    assert compile_changed(tmp_path) == []
    assert sorted(path.name for path in source.parent.iterdir()) == ["django.mo", "django.po"]


def test_a_read_only_folder_with_older_translations_costs_one_line(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_compiled(tmp_path)
    change(source)
    forbid_writing(monkeypatch)
    ensure_compiled(tmp_path)
    (line,) = capsys.readouterr().err.splitlines()
    assert "Read-only file system" in line
    assert "going on with the older ones" in line


def test_a_read_only_folder_without_changes_costs_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_compiled(tmp_path)
    forbid_writing(monkeypatch)
    ensure_compiled(tmp_path)
    assert capsys.readouterr().err == ""


def test_translations_that_were_never_compiled_are_not_left_out_silently(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_writing(monkeypatch)
    with pytest.raises(click.ClickException, match="sentinel migrate"):
        ensure_compiled(tmp_path)


@pytest.mark.parametrize(
    "module", [up, web, engine, migrate], ids=lambda module: module.__name__.split(".")[-1]
)
def test_every_command_that_serves_or_prepares_compiles(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def begun(_root: Path) -> None:
        raise Asked

    monkeypatch.setattr(catalogues, "compile_changed", begun)
    # Whether something else listens on this machine is not what is asked here.
    monkeypatch.setattr(module, "refuse_if_taken", lambda *_address: None, raising=False)
    assert isinstance(CliRunner().invoke(module.command, []).exception, Asked)
