"""Filling a layout quickly: the few template tags that mail needs, compiled once into plain functions.

A rung of the ladder writes many mails at once, and Django's own renderer takes a millisecond for each.
The layouts use nothing but ``{{ a.b }}``, ``{{ a.b|linebreaksbr }}``, ``{% if a.b %}`` with ``elif`` and
``else``, and ``{% for a in b.c %}``; anything else is refused when the layout is compiled. What it writes
is, letter by letter, what Django would write with escaping on; a test compares both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from html import escape
from operator import attrgetter
from typing import Any, TypeAlias

from django.template.base import Lexer, Token, TokenType

Names: TypeAlias = dict[str, Any]
_Node: TypeAlias = Callable[[list[str], Names], None]


class Layout:
    """A compiled layout; ``fill`` is safe to call from many threads."""

    def __init__(self, source: str) -> None:
        tokens = iter(Lexer(source).tokenize())
        self._nodes, end = _nodes(tokens, until=frozenset())
        if end is not None:
            raise ValueError(f"{{% {end} %}} closes nothing")

    def fill(self, names: Mapping[str, Any]) -> str:
        """The layout with the values of ``names`` in it, escaped for HTML."""
        out: list[str] = []
        _run(self._nodes, out, dict(names))
        return "".join(out)


def _run(nodes: list[_Node], out: list[str], names: Names) -> None:
    for node in nodes:
        node(out, names)


def _nodes(tokens: Iterator[Token], *, until: frozenset[str]) -> tuple[list[_Node], str | None]:
    """The nodes up to the first tag named in ``until``, and that tag's words."""
    found: list[_Node] = []
    for token in tokens:
        words = token.contents
        if token.token_type == TokenType.TEXT:
            found.append(_text(words))
        elif token.token_type == TokenType.VAR:
            found.append(_variable(words))
        elif token.token_type == TokenType.BLOCK:
            tag = words.split()[0]
            if tag in until:
                return found, words
            found.append(_tag(tag, words, tokens))
    if until:
        raise ValueError(f"a tag is not closed: expected one of {', '.join(sorted(until))}")
    return found, None


def _tag(tag: str, words: str, tokens: Iterator[Token]) -> _Node:
    if tag == "if":
        return _condition(words, tokens)
    if tag == "for":
        return _loop(words, tokens)
    raise ValueError(f"a mail layout cannot use {{% {words} %}}")


def _text(text: str) -> _Node:
    def write(out: list[str], _names: Names) -> None:
        out.append(text)

    return write


def _variable(words: str) -> _Node:
    path, _, name = words.partition("|")
    value = _value(path)
    if name == "":

        def write(out: list[str], names: Names) -> None:
            out.append(escape(str(value(names))))

    elif name == "linebreaksbr":

        def write(out: list[str], names: Names) -> None:
            text = str(value(names)).replace("\r\n", "\n").replace("\r", "\n")
            out.append(escape(text).replace("\n", "<br>"))

    else:
        raise ValueError(f"a mail layout cannot use the filter {name!r}")
    return write


def _condition(words: str, tokens: Iterator[Token]) -> _Node:
    branches: list[tuple[Callable[[Names], Any], list[_Node]]] = []
    otherwise: list[_Node] = []
    while words != "endif":
        test, until = words.partition(" ")[2], frozenset({"elif", "else", "endif"})
        nodes, end = _nodes(tokens, until=until if test else frozenset({"endif"}))
        if test:
            branches.append((_value(test), nodes))
        else:
            otherwise = nodes
        words = end or "endif"

    def write(out: list[str], names: Names) -> None:
        for is_true, nodes in branches:
            if is_true(names):
                _run(nodes, out, names)
                return
        _run(otherwise, out, names)

    return write


def _loop(words: str, tokens: Iterator[Token]) -> _Node:
    _, name, preposition, path = words.split()
    if preposition != "in":
        raise ValueError(f"a mail layout cannot use {{% {words} %}}")
    items = _value(path)
    nodes, _end = _nodes(tokens, until=frozenset({"endfor"}))

    def write(out: list[str], names: Names) -> None:
        for item in items(names):
            _run(nodes, out, {**names, name: item})

    return write


def _value(path: str) -> Callable[[Names], Any]:
    name, _, attributes = path.strip().partition(".")
    if not path.replace(".", "").replace("_", "").isalnum():
        raise ValueError(f"a mail layout cannot use {path!r}")
    if not attributes:
        return lambda names: names[name]
    get = attrgetter(attributes)
    return lambda names: get(names[name])
