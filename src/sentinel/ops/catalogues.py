"""Compiles the translations; git holds only what people edit."""

import os
from pathlib import Path

import click
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import sentinel

PACKAGES = Path(sentinel.__file__).parent


def compile_changed(root: Path = PACKAGES) -> list[Path]:
    """Compile every catalogue below `root` that is newer than its compiled form; returns those."""
    return [source for source in _sources(root) if _compile(source)]


def ensure_compiled(root: Path = PACKAGES) -> None:
    """Compile what changed; where the folder cannot be written, go on with what is compiled, and say so.

    Raises ClickException when a catalogue was never compiled: its readers would silently get English.
    """
    try:
        compile_changed(root)
    except OSError as error:
        reason = f"{error.strerror}: {error.filename}"
        missing = [source for source in _sources(root) if not source.with_suffix(".mo").exists()]
        if missing:
            raise click.ClickException(
                f"the translations are not compiled and cannot be ({reason}); "
                "run `sentinel migrate` once as the user who may write there"
            ) from None
        click.echo(
            f"sentinel: changed translations cannot be compiled ({reason}); going on with the older ones",
            err=True,
        )


def _sources(root: Path) -> list[Path]:
    return sorted(root.glob("**/locale/*/LC_MESSAGES/*.po"))


def _compile(source: Path) -> bool:
    target = source.with_suffix(".mo")
    if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
        return False
    with source.open("rb") as text:
        catalogue = read_po(text, locale=source.parent.parent.name)
    # Several processes may start at once: nobody must ever read half a file, nor write into another's.
    partial = target.with_suffix(f".mo.{os.getpid()}")
    try:
        with partial.open("wb") as compiled:
            write_mo(compiled, catalogue)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return True
