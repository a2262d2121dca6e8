"""A cable that can be pulled: it carries every byte to a server on this machine, until it is cut."""

from __future__ import annotations

import asyncio

from tests.fakes.loopback import LoopbackServer


class Cable(LoopbackServer):
    """``with Cable(to=port) as cable:``, then talk to ``cable.port``.

    After :meth:`cut` nothing arrives any more in either direction and nobody is told; a new connection is
    made, as a network card would make it, and stays silent. :meth:`mend` carries on what waited.
    """

    def __init__(self, *, to: int) -> None:
        super().__init__()
        self._to = to
        self._whole = asyncio.Event()
        self._whole.set()

    def cut(self) -> None:
        self._loop.call_soon_threadsafe(self._whole.clear)

    def mend(self) -> None:
        self._loop.call_soon_threadsafe(self._whole.set)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._connect, "127.0.0.1", self.port)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._whole.wait()
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        try:
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        except OSError:
            pass  # one of the two hung up: so does the cable
        finally:
            writer.close()
            far_writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._whole.wait()
            writer.write(data)
            await writer.drain()
        writer.close()
