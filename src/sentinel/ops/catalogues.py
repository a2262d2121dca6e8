"""Compiles the translations; git holds only what people edit."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import sentinel

PACKAGES = Path(sentinel.__file__).parent


def compile_changed(root: Path = PACKAGES) -> list[Path]:
    """Compile every catalogue below `root` that is newer than its compiled form; returns those."""
    return [source for source in sorted(root.glob("**/locale/*/LC_MESSAGES/*.po")) if _compile(source)]


def _compile(source: Path) -> bool:
    target = source.with_suffix(".mo")
    if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
        return False
    with source.open("rb") as text:
        catalogue = read_po(text, locale=source.parent.parent.name)
    # Several processes may start at once: nobody must ever read half a file.
    partial = target.with_suffix(".mo.partial")
    with partial.open("wb") as compiled:
        write_mo(compiled, catalogue)
    partial.replace(target)
    return True
