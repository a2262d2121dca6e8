"""Real telephones: baresip, answering by itself, with a tone to say and an ear that notes what it hears."""

from __future__ import annotations

import math
import struct
import subprocess
import sys
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.ports import free_port, wait_for_udp

RATE = 8000


def write_tone(path: Path, hertz: int, seconds: int) -> None:
    """A pure tone of whole hertz as 16-bit mono WAV: one second, again and again."""
    samples = (int(12_000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(RATE))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(struct.pack(f"<{RATE}h", *samples) * seconds)


def last_samples(path: Path, count: int) -> tuple[int, ...]:
    """The end of a WAV file that is still being written; fewer samples than asked for at its beginning."""
    header = 44
    whole = max(0, path.stat().st_size - header) // 2
    count = min(count, whole)
    with path.open("rb") as file:
        file.seek(header + 2 * (whole - count))
        return struct.unpack(f"<{count}h", file.read(2 * count))


def share(samples: tuple[int, ...], hertz: int) -> float:
    """How much of the energy is at one frequency: the Goertzel filter, 1.0 for a pure tone."""
    energy = sum(sample * sample for sample in samples)
    if not energy:
        return 0.0
    factor = 2 * math.cos(2 * math.pi * hertz / RATE)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + factor * last - before
    power = last * last + before * before - factor * last * before
    return 2 * power / (energy * len(samples))


@dataclass
class Phone:
    """One running telephone."""

    name: str
    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"sip:{self.name}@127.0.0.1:{self.port}"

    def log(self) -> str:
        """What it has told its user."""
        return (self.folder / "log").read_text(errors="replace")

    def _ear(self) -> Path | None:
        files = sorted(self.folder.glob("dump-*-dec.wav"))
        return files[-1] if files else None

    def heard_seconds(self) -> float:
        """How much sound has arrived in the last call."""
        ear = self._ear()
        return ear.stat().st_size / 2 / RATE if ear else 0.0

    def hears(self, hertz: int) -> float:
        """The share of a tone in the last half second."""
        ear = self._ear()
        heard = last_samples(ear, RATE // 2) if ear else ()
        return share(heard, hertz) if len(heard) == RATE // 2 else 0.0


_CONFIG = """
poll_method epoll
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
rtp_ports {rtp}-{rtp_last}
audio_source aufile,{folder}/tone.wav
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
module_path {modules}
module g711.so
module aufile.so
module sndfile.so
module_app account.so
module_app menu.so
snd_path {folder}
"""


def _modules() -> Path:
    return next(path for path in Path("/usr/lib").glob("**/baresip/modules") if path.is_dir())


@contextmanager
def telephone(name: str, hertz: int, folder: Path, *, transport: str = "udp") -> Iterator[Phone]:
    """A telephone that answers at once and says a tone for a minute."""
    folder.mkdir(parents=True)
    write_tone(folder / "tone.wav", hertz, 60)
    port = free_port(together=22)  # one block: it listens for TLS on the next one, and speaks on the rest
    rtp = port + 2
    config = _CONFIG.format(port=port, rtp=rtp, rtp_last=rtp + 19, folder=folder, modules=_modules())
    (folder / "config").write_text(config)
    account = f"<sip:{name}@127.0.0.1:{port};transport={transport}>;regint=0;answermode=auto\n"
    (folder / "accounts").write_text(account)
    with (folder / "log").open("wb") as log:
        # Line by line: into a file it would tell what happened only at its end.
        command = ["stdbuf", "-oL", "baresip", "-f", str(folder)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for_udp(port, process)
        yield Phone(name, port, folder, process)
    finally:
        process.terminate()
        try:
            # In a call it says goodbye first, and waits for whom we may have killed.
            process.wait(1.5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.returncode not in (0, -15):
            sys.stderr.write((folder / "log").read_text(errors="replace")[-2000:])
