"""What every test lives in: one PostgreSQL, no network beyond this machine, no surprises."""

import os
import shutil
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from sentinel.ops.catalogues import compile_changed
from sentinel.ops.postgres import Cluster, cluster_in

CHECKOUT = Path(__file__).resolve().parent.parent
#: Marker → what must be installed, how SENTINEL_TEST_REQUIRE calls it, and what to say without it.
NEEDS = {
    "e2e": ("chromium", "browser", "needs chromium (apt install chromium)"),
    "postfix": ("/usr/sbin/postfix", "postfix", "needs Postfix (apt install postfix)"),
    "sip": ("sipp", "sip", "needs SIPp and baresip (apt install sip-tester baresip-core)"),
}
# Losing this server's data costs a second, so it never waits for the disk.
CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}

# A verdict of the suite hangs on the code, neither on how busy the machine is nor on luck. Whoever looks for
# more takes `--hypothesis-profile=search`, which draws other examples in every run.
hypothesis_settings.register_profile(
    "steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
hypothesis_settings.register_profile("search", hypothesis_settings.get_profile("steady"), derandomize=False)
hypothesis_settings.load_profile("steady")


def pytest_configure(config: pytest.Config) -> None:
    """Compile changed translations once, before any process loads them."""
    if not hasattr(config, "workerinput"):
        compile_changed()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out the tests whose system package is missing, unless SENTINEL_TEST_REQUIRE asks for it.

    The slow ones go first: one of them at the end would keep everybody waiting.
    """
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    required = os.environ.get("SENTINEL_TEST_REQUIRE", "").split(",")
    for marker, (program, name, reason) in NEEDS.items():
        if shutil.which(program) or name in required:
            continue
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


class NetworkForbidden(RuntimeError):
    """A test tried to leave this machine."""


@pytest.fixture(autouse=True, scope="session")
def _only_loopback() -> Iterator[None]:
    """Sockets reach this machine only: a test that needs the outside world is no test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not _is_loopback(address[0]):
            raise NetworkForbidden(f"a test tried to reach {address[0]}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Cluster | None]:
    """The embedded server under test; None when SENTINEL_TEST_DATABASE_URL names another.

    All processes of all runs in this checkout share it; each has a database of its own.
    """
    if "SENTINEL_TEST_DATABASE_URL" in os.environ:
        yield None
        return
    with cluster_in(CHECKOUT / ".sentinel", "testing", CARELESS).running() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres_server: Cluster | None, testrun_uid: str, worker_id: str) -> None:
    """Point Django at the server, and at a database that no other process uses."""
    default = settings.DATABASES["default"]
    if postgres_server is not None:
        default["HOST"] = str(postgres_server.socket_folder)
    default.setdefault("TEST", {})["NAME"] = f"test_{testrun_uid[:8]}_{worker_id}"
