"""A real Postfix of one's own: its queue, data and ports, and nothing of the machine's mail system."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fakes.ports import free_port

PROGRAM = shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = relay.example
mydestination =
local_recipient_maps =
local_transport = error:nobody lives here
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = {before_accepting}
unverified_recipient_reject_code = 550
address_verify_map =
address_verify_poll_delay = 1s
smtp_dns_support_level = disabled
relay_domains = {domain}
transport_maps = inline:{{ {{ {domain} = lmtp:inet:127.0.0.1:{lmtp_port} }} }}
default_transport = error:only {domain} is reached from here
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
message_size_limit = 41943040
notify_classes =
"""

_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
lmtp      unix  - - n - - lmtp
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
showq     unix  n - n - - showq
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """``with Postfix(domain) as postfix:``, then hand mail to ``postfix.port``.

    Mail to ``domain`` is delivered by LMTP to ``postfix.lmtp_port``, where the test may listen; all other
    mail bounces. What cannot be delivered is tried again every second. With ``asks_first`` it accepts mail
    only for recipients that the LMTP server takes.
    """

    def __init__(self, domain: str, *, asks_first: bool = False) -> None:
        self._home = TemporaryDirectory(prefix="sentinel-postfix-")
        self.folder = Path(self._home.name)
        self.port, self.lmtp_port = free_port(), free_port()
        self.folder.chmod(0o755)  # Postfix works as a user of its own
        for name in ("queue", "data"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix")
        names = {
            "folder": self.folder,
            "domain": domain,
            "port": self.port,
            "lmtp_port": self.lmtp_port,
            "before_accepting": "reject_unverified_recipient" if asks_first else "",
        }
        (self.folder / "main.cf").write_text(_MAIN.format(**names).lstrip())
        (self.folder / "master.cf").write_text(_MASTER.format(**names).lstrip())

    def __enter__(self) -> Postfix:
        self._tell("start")
        until = time.monotonic() + 20
        while not _answers(self.port):
            assert time.monotonic() < until, f"Postfix does not listen: {self.log()}"
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._tell("stop")
        self._home.cleanup()

    def queued(self) -> int:
        """How many mails wait in its queue."""
        return sum(
            sum(1 for path in (self.folder / "queue" / name).rglob("*") if path.is_file())
            for name in ("maildrop", "incoming", "active", "deferred")
        )

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else "(no log)"

    def _tell(self, what: str) -> None:
        assert PROGRAM is not None
        # Away from our own output: its daemons would keep it open.
        done = subprocess.run(
            [PROGRAM, "-c", str(self.folder), what],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )
        assert done.returncode == 0, f"postfix {what}: {self.log()}"


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
