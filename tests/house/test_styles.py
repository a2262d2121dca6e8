"""A style that names a colour which does not exist draws nothing at all, and no browser complains."""

from __future__ import annotations

import re
from pathlib import Path

STYLES = sorted((Path(__file__).parents[2] / "src" / "sentinel").glob("*/static/*/*.css"))
# A token stands at the start of a declaration; "count--calm:hover" is a class with a state.
DEFINED = re.compile(r"(?<![\w-])(--[a-z0-9-]+)\s*:")
USED = re.compile(r"var\((--[a-z0-9-]+)\)")


def test_every_token_that_a_style_names_exists() -> None:
    texts = {str(path): path.read_text(encoding="utf-8") for path in STYLES}
    defined = {name for text in texts.values() for name in DEFINED.findall(text)}
    unknown = {
        f"{file}: {name}"
        for file, text in texts.items()
        for name in USED.findall(text)
        if name not in defined
    }
    assert STYLES
    assert not unknown, f"no such token: {sorted(unknown)}"
