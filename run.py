#!/usr/bin/env python3
"""Set Sentinel up in this checkout and start a part of it.

Needs nothing but Python 3.11 or newer: only the standard library is used here. `make` is a thin
wrapper around this file; without make, `python3 run.py help` lists the same targets.
"""

import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
RUN_LOCK = ROOT / "requirements" / "run.txt"
TEST_LOCK = ROOT / "requirements" / "test.txt"

CHECKS = (
    ("ruff check", ["ruff", "check", "."]),
    ("ruff format", ["ruff", "format", "--check", "."]),
    ("import contracts", ["lint-imports", "--no-cache"]),
    ("mypy", ["mypy"]),
    ("templates", ["djlint", "src", "--lint", "--quiet"]),
)


def stop(message: str) -> None:
    """End with one plain line instead of a traceback."""
    sys.exit(f"run.py: {message}")


def stamp_of(lock: Path) -> str:
    """Name everything an installed environment depends on, so that a second run installs nothing."""
    digest = hashlib.sha256(repr((sys.version, str(ROOT))).encode())
    for path in (lock, RUN_LOCK, ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_prepared(lock: Path) -> bool:
    stamp = VENV / f".{lock.stem}.stamp"
    return stamp.exists() and stamp.read_text() == stamp_of(lock)


def pip(*arguments: str) -> None:
    command = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check", "install", *arguments]
    if subprocess.run(command, cwd=ROOT).returncode:
        stop("installing the locked packages failed; the lines above say why")


def prepare(lock: Path) -> None:
    """Bring `.venv` to what `lock` says: hashed wheels only, then the project itself, editable."""
    # The environment for tests holds everything the product needs.
    if is_prepared(lock) or (lock == RUN_LOCK and is_prepared(TEST_LOCK)):
        return
    print(f"Installing {lock.relative_to(ROOT)} into .venv (once, about half a minute) ...", flush=True)
    if not PYTHON.exists():
        try:
            venv.create(VENV, with_pip=True, symlinks=True)
        except (subprocess.CalledProcessError, OSError) as error:
            stop(f"no virtual environment could be made (on Debian: apt install python3-venv): {error}")
    pip("--require-hashes", "--only-binary", ":all:", "--requirement", str(lock))
    pip("--no-deps", "--no-index", "--no-build-isolation", "--editable", ".")
    (VENV / f".{lock.stem}.stamp").write_text(stamp_of(lock))


def start(program: str, *arguments: str) -> None:
    """Become `program` of the environment: signals and the exit code need no forwarding."""
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execv(BIN / program, [program, *arguments])


def check(name: str, command: list[str]) -> None:
    print(f"== {name}", flush=True)
    if subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT).returncode:
        stop(f"{name} failed")


def up(arguments: list[str]) -> None:
    """Serve the whole system with its demonstration provider; Ctrl-C stops it."""
    prepare(RUN_LOCK)
    # With a database of their own, people say themselves whether they want a demonstration in it.
    if "SENTINEL_DATABASE_URL" not in os.environ:
        os.environ.setdefault("SENTINEL_DEMONSTRATION", "true")
    start("sentinel", "up", *arguments)


def lint(arguments: list[str]) -> None:
    """Run every check that needs no running system."""
    prepare(TEST_LOCK)
    for name, command in CHECKS:
        check(name, command)


def test(arguments: list[str]) -> None:
    """Run every check and the whole suite."""
    lint([])
    check("migrations", ["sentinel", "manage", "makemigrations", "--check", "--dry-run"])
    # pytest comes last, so that its summary is the last line anybody reads.
    start("pytest", "-n", "auto", *arguments)


def unit(arguments: list[str]) -> None:
    """Run the tests that need no database."""
    prepare(TEST_LOCK)
    start("pytest", "tests/unit", *arguments)


def bench(arguments: list[str]) -> None:
    """Run the measurements, which the suite leaves out."""
    prepare(TEST_LOCK)
    start("pytest", "-m", "bench", "-p", "no:randomly", "-rA", *arguments)


def format_sources(arguments: list[str]) -> None:
    """Rewrite the sources the way the checks want them."""
    prepare(TEST_LOCK)
    check("ruff fix", ["ruff", "check", "--fix", "--exit-zero", "--quiet", "."])
    check("ruff format", ["ruff", "format", "."])


def install(arguments: list[str]) -> None:
    """Only set up the environment, tests included."""
    prepare(TEST_LOCK)


TARGETS: dict[str, Callable[[list[str]], None]] = {
    "up": up,
    "test": test,
    "lint": lint,
    "unit": unit,
    "bench": bench,
    "format": format_sources,
    "install": install,
}


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "up"
    if name not in TARGETS:
        for target, function in TARGETS.items():
            print(f"  {target:8} {(function.__doc__ or '').splitlines()[0]}")
        sys.exit(0 if name in ("help", "-h", "--help") else 2)
    if sys.version_info < OLDEST_PYTHON:
        stop(f"Sentinel needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    if sys.platform == "win32":
        stop("Sentinel runs on Linux and macOS; on Windows use the Linux subsystem (WSL)")
    TARGETS[name](sys.argv[2:])


if __name__ == "__main__":
    main()
