"""UDP and TCP on asyncio: one UDP socket, one TCP listener, and connections that are kept open."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from functools import partial

from sentinel.channels.voice.sip.addresses import Uri
from sentinel.channels.voice.sip.framing import Framer
from sentinel.channels.voice.sip.message import Malformed, Message, parse
from sentinel.channels.voice.sip.wire import Path

logger = logging.getLogger(__name__)

OnMessage = Callable[[Message, Path], None]
_SECONDS_TO_CONNECT = 5.0
_MOST_CONNECTIONS = 100
_TRIES_FOR_A_PORT = 10
#: Of one burst, what the kernel keeps for us while we are busy.
_SOCKET_BUFFER = 4 * 1024 * 1024
#: What a peer may leave unread before we give its connection up.
_MOST_UNREAD = 1024 * 1024


class UdpPath:
    """The way to one UDP address."""

    transport, reliable = "UDP", False

    def __init__(self, network: AsyncioNetwork, address: tuple[str, int]) -> None:
        self._network = network
        self._address = address

    @property
    def local(self) -> tuple[str, int]:
        return self._network.local_for("UDP")

    def send(self, data: bytes) -> None:
        self._network.send_datagram(data, self._address)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, network: AsyncioNetwork) -> None:
        self._network = network

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._network.take_datagram(data, addr[:2])

    def error_received(self, exc: Exception) -> None:
        # "Connection refused" of an earlier datagram; the timers say when a peer counts as gone.
        logger.debug("UDP: %s", exc)


class TcpPath(asyncio.Protocol):
    """One TCP connection, ours or the exchange's."""

    transport, reliable = "TCP", True

    def __init__(self, network: AsyncioNetwork, *, is_ours: bool) -> None:
        self.is_ours = is_ours
        self.heard_at = 0.0
        self._network = network
        self._framer = Framer()
        self._wire: asyncio.Transport | None = None

    @property
    def local(self) -> tuple[str, int]:
        return self._network.local_for("TCP")

    @property
    def is_open(self) -> bool:
        return self._wire is not None and not self._wire.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("no stream")
        self._wire = transport
        self.heard_at = asyncio.get_running_loop().time()
        self._network.made(self)

    def data_received(self, data: bytes) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        try:
            messages = self._framer.feed(data)
        except Malformed as error:
            logger.warning("closing a connection that cannot be followed: %s", error)
            self.close()
            return
        if self._framer.pings and self._wire is not None:
            self._framer.pings = 0
            self._wire.write(b"\r\n")
        for message in messages:
            self._network.on_message(message, self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._network.lost(self)

    def send(self, data: bytes) -> None:
        if self._wire is None or not self.is_open:
            raise ConnectionResetError("the connection is closed")
        if self._wire.get_write_buffer_size() > _MOST_UNREAD:
            self._wire.abort()
            raise ConnectionResetError("the peer reads nothing")
        self._wire.write(data)

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()


class AsyncioNetwork:
    """The sockets of one user agent. Use :meth:`open`, and :meth:`close` at the end."""

    def __init__(self, on_message: OnMessage, *, host: str, port: int = 0, advertised: str = "") -> None:
        self.on_message = on_message
        self.dropped = 0
        self._host = host
        self._port = port
        self._advertised = advertised or host
        self._udp: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[TcpPath] = set()
        self._outgoing: dict[tuple[str, int], asyncio.Task[TcpPath]] = {}
        self._resolved: dict[tuple[str, int], tuple[float, str]] = {}

    async def open(self) -> None:
        """Bind UDP and TCP to the same port; raises OSError."""
        for attempt in range(_TRIES_FOR_A_PORT):
            try:
                await self._bind()
                return
            except OSError:
                # A port the system chose for UDP may be taken for TCP; one that was asked for is taken.
                if self._port or attempt == _TRIES_FOR_A_PORT - 1:
                    raise

    async def _bind(self) -> None:
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        udp, _ = await loop.create_datagram_endpoint(
            partial(_Datagrams, self), local_addr=(self._host, self._port), family=family
        )
        plug = udp.get_extra_info("socket")
        port = plug.getsockname()[1]
        connection = partial(TcpPath, self, is_ours=False)
        try:
            self._server = await loop.create_server(connection, self._host, port, family=family)
        except OSError:
            udp.close()
            raise
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            plug.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BUFFER)
        self._udp, self._port = udp, port

    def close(self) -> None:
        """Let go of every socket."""
        if self._udp is not None:
            self._udp.close()
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()
        for connecting in self._outgoing.values():
            connecting.cancel()

    def local_for(self, transport: str) -> tuple[str, int]:
        """Where peers reach us."""
        return self._advertised, self._port

    async def path_to(self, hop: Uri) -> Path:
        """The way to an address: UDP unless it names TCP. Raises OSError."""
        host, port = hop.address
        try:
            if hop.transport == "tcp":
                return await self._connection_to(host, port)
            return UdpPath(self, (await self._address_of(host, port), port))
        except UnicodeError:
            raise OSError(f"{host} can be no name of a host") from None

    async def _address_of(self, host: str, port: int) -> str:
        """The numeric address of a host; names are asked for again after a minute."""
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            socket.inet_pton(family, host)
        except OSError:
            pass
        else:
            return host
        until, known = self._resolved.get((host, port), (0.0, ""))
        if until > loop.time():
            return known
        found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_DGRAM)
        address = str(found[0][4][0])
        self._resolved[host, port] = loop.time() + 60, address
        return address

    async def _connection_to(self, host: str, port: int) -> TcpPath:
        """An open connection; calls that want the same one at the same time share it."""
        pending = self._outgoing.get((host, port))
        if pending is None or (pending.done() and not _is_open(pending)):
            pending = asyncio.get_running_loop().create_task(self._connect(host, port))
            self._outgoing[host, port] = pending
        return await asyncio.shield(pending)

    async def _connect(self, host: str, port: int) -> TcpPath:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_SECONDS_TO_CONNECT):
                _, path = await loop.create_connection(partial(TcpPath, self, is_ours=True), host, port)
        except TimeoutError:
            raise OSError(f"{host}:{port} does not answer") from None
        return path

    def made(self, path: TcpPath) -> None:
        """Remember a connection; where strangers hold too many, the one that was silent longest goes."""
        self._connections.add(path)
        strangers = [connection for connection in self._connections if not connection.is_ours]
        if len(strangers) > _MOST_CONNECTIONS:
            min(strangers, key=lambda connection: connection.heard_at).close()

    def lost(self, path: TcpPath) -> None:
        """Forget a closed connection."""
        self._connections.discard(path)

    def send_datagram(self, data: bytes, address: tuple[str, int]) -> None:
        """Send by UDP; raises OSError."""
        if self._udp is None or self._udp.is_closing():
            raise ConnectionResetError("closed")
        self._udp.sendto(data, address)

    def take_datagram(self, data: bytes, address: tuple[str, int]) -> None:
        """Read one datagram; what is no message is dropped, and counted."""
        if not data.strip(b"\r\n\0 "):
            return
        try:
            message = parse(data)
        except Malformed:
            self.dropped += 1
            return
        self.on_message(message, UdpPath(self, address))


def _is_open(task: asyncio.Task[TcpPath]) -> bool:
    return not task.cancelled() and task.exception() is None and task.result().is_open


def own_address(towards: Uri) -> str:
    """The address that this machine has on the way to a host; raises OSError."""
    host, port = towards.address
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as probe:
        # Connecting a datagram socket sends nothing; it only chooses the interface.
        probe.connect(address)
        return str(probe.getsockname()[0])
