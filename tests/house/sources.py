"""What the house tests look at: every source file of the product, parsed once."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ROOT / "src" / "sentinel"


@dataclass(frozen=True)
class Source:
    """One file: its path from the checkout, its lines and its syntax tree."""

    name: str
    lines: tuple[str, ...]
    tree: ast.Module

    @property
    def package(self) -> str:
        """`problems` for src/sentinel/problems/rules.py; empty for files of the root."""
        parts = Path(self.name).parts
        return parts[2] if len(parts) > 3 and parts[:2] == ("src", "sentinel") else ""


def _read(paths: Iterator[Path]) -> tuple[Source, ...]:
    sources = []
    for path in sorted(paths):
        text = path.read_text(encoding="utf-8")
        sources.append(Source(str(path.relative_to(ROOT)), tuple(text.splitlines()), ast.parse(text)))
    return tuple(sources)


@cache
def product() -> tuple[Source, ...]:
    """Every Python file of the product but the migrations, which Django writes."""
    return _read(path for path in PRODUCT.rglob("*.py") if "migrations" not in path.parts)


@cache
def everything() -> tuple[Source, ...]:
    """The product, the tests and the bootstrap."""
    return (*product(), *_read((ROOT / "tests").rglob("*.py")), *_read(iter([ROOT / "run.py"])))


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file, nested ones too."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.stmt) -> int:
    """Lines from the first to the last of a statement."""
    return (node.end_lineno or node.lineno) - node.lineno + 1
