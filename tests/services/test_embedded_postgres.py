"""The embedded PostgreSQL: private, shared by whoever needs it, stopped by the last one."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from sentinel.ops.postgres import Cluster, PostgresUnavailable, cluster_in

USE_BRIEFLY = """
import sys
from pathlib import Path
from sentinel.ops.postgres import cluster_in
with cluster_in(Path(sys.argv[1])).running():
    pass
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path that an ordinary account can reach, which pytest's own is not."""
    with TemporaryDirectory(prefix="sentinel") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def answers(cluster: Cluster) -> bool:
    try:
        psycopg.connect(cluster.url()).close()
    except psycopg.OperationalError:
        return False
    return True


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_keeps_its_data_and_stops_with_its_last_user(folder: Path) -> None:
    cluster = cluster_in(folder)
    with cluster.running(), psycopg.connect(cluster.url()) as connection:
        connection.execute("CREATE TABLE kept (number integer)")
    assert not answers(cluster)
    with cluster.running(), psycopg.connect(cluster.url()) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_it_cannot_be_reached_from_outside(folder: Path) -> None:
    before = mode(folder), mode(folder.parent)
    cluster = cluster_in(folder)
    with cluster.running(), psycopg.connect(cluster.url()) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert mode(cluster.socket_folder) == 0o700
        assert mode(cluster.data) == 0o700
    assert (mode(folder), mode(folder.parent)) == before


def test_who_leaves_first_does_not_stop_it_for_the_others(folder: Path) -> None:
    cluster = cluster_in(folder)
    with cluster.running():
        subprocess.run([sys.executable, "-c", USE_BRIEFLY, str(folder)], check=True)
        assert answers(cluster)


def test_two_starts_at_once_end_with_one_server(folder: Path) -> None:
    command = [sys.executable, "-c", USE_BRIEFLY, str(folder)]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    assert [process.communicate()[1] for process in started] == [b"", b""]
    assert [process.returncode for process in started] == [0, 0]


def test_it_is_started_again_after_a_crash(folder: Path) -> None:
    cluster = cluster_in(folder)
    with cluster.running():
        os.kill(int((cluster.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        cluster.ensure_started()
        assert answers(cluster)


def test_data_of_another_version_is_refused_in_one_line(folder: Path) -> None:
    cluster = cluster_in(folder)
    with cluster.running():
        pass
    (cluster.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(PostgresUnavailable, match="was made by PostgreSQL 12"), cluster.running():
        pass


def test_a_folder_that_cannot_be_made_is_named(folder: Path) -> None:
    (folder / "file").touch()
    with (
        pytest.raises(PostgresUnavailable, match="SENTINEL_DATA_DIR"),
        Cluster(folder / "file" / "x").running(),
    ):
        pass


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    assert len(str(cluster_in(folder / ("long" * 30)).socket_folder)) < 60
