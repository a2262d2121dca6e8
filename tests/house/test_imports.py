"""How modules reach each other: in the open, at the top, and never by a signal."""

import ast
import re

from tests.house.sources import PRODUCT, Source, functions, product

REASON = "# why:"
# `sentinel.ops.cli` finds the subcommands by listing a folder, which is its whole purpose.
MAY_IMPORT_BY_NAME = {"src/sentinel/ops/cli.py"}
OWN_NAME = re.compile(r"sentinel((?:\.\w+)+)(?::\w+)?")
SIGNAL_MODULES = {
    "anymail.signals",
    "django.core.signals",
    "django.db.models.signals",
    "django.dispatch",
    "django.test.signals",
}
# Anymail hands over what mail providers report by signals of its own, and in no other way.
MAY_LISTEN = {("src/sentinel/channels/email/inbound/webhooks.py", "anymail.signals")}


def _has_reason(source: Source, line: int) -> bool:
    return any(REASON in source.lines[index] for index in (line - 1, line - 2) if index >= 0)


def test_imports_inside_functions_give_their_reason() -> None:
    silent = sorted(
        {
            f"{source.name}:{node.lineno}"
            for source in product()
            for function in functions(source)
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom) and not _has_reason(source, node.lineno)
        }
    )
    assert not silent, f"move to the top, or say `{REASON} ...` on the line or above it:\n" + "\n".join(
        silent
    )


def _imports_by_name(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in ("import_module", "import_string", "__import__", "get_model")


def test_nothing_is_imported_by_a_name_in_a_string() -> None:
    found = [
        f"{source.name}:{node.lineno}"
        for source in product()
        if source.name not in MAY_IMPORT_BY_NAME
        for node in ast.walk(source.tree)
        if _imports_by_name(node) and isinstance(node, ast.Call)
    ]
    assert not found, "\n".join(found)


def _names_a_module(text: str) -> bool:
    """Whether a string is the dotted name of a module of ours, or of something inside one."""
    match = OWN_NAME.fullmatch(text)
    if match is None:
        return False
    parts = match[1].strip(".").split(".")
    candidates = (PRODUCT.joinpath(*parts[: len(parts) - cut]) for cut in (0, 1) if len(parts) > cut)
    # A lone package is a name like any other: salts and loggers begin with one.
    return any(path.with_suffix(".py").exists() for path in candidates)


def _docstrings(tree: ast.Module) -> set[ast.Constant]:
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def test_only_the_configuration_names_modules_in_strings() -> None:
    found = []
    for source in product():
        if (
            source.package == "config"
            or source.name in MAY_IMPORT_BY_NAME
            or source.name.endswith("/apps.py")
        ):
            continue
        prose = _docstrings(source.tree)
        found += [
            f"{source.name}:{node.lineno} {node.value}"
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in prose
            if _names_a_module(node.value)
        ]
    assert not found, "\n".join(found)


def test_our_packages_use_no_signals() -> None:
    found = [
        f"{source.name}:{node.lineno}"
        for source in product()
        for node in ast.walk(source.tree)
        if (
            isinstance(node, ast.ImportFrom)
            and node.module in SIGNAL_MODULES
            and (source.name, node.module) not in MAY_LISTEN
        )
        or (isinstance(node, ast.Import) and any(alias.name in SIGNAL_MODULES for alias in node.names))
    ]
    assert not found, "call what should happen instead:\n" + "\n".join(found)


def test_no_module_is_a_drawer_for_leftovers() -> None:
    drawers = [
        s.name
        for s in product()
        if s.name.rsplit("/", 1)[-1] in ("utils.py", "helpers.py", "misc.py", "common.py")
    ]
    assert not drawers, "name it after what it does:\n" + "\n".join(drawers)


def test_every_package_says_what_it_owns() -> None:
    silent = [
        s.name
        for s in product()
        if s.name.count("/") == 3 and s.name.endswith("__init__.py") and not ast.get_docstring(s.tree)
    ]
    assert not silent, "\n".join(silent)
