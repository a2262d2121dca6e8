"""A connection to PostgreSQL on the event loop: libpq in pipeline mode, without threads or generators.

One batch at a time: the statements between two syncs are one transaction and one round trip. A thread
would have to fight for the interpreter at full speed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import psycopg
from psycopg.pq import ConnStatus, ExecStatus, PGconn, abc

Params = Sequence[bytes | None]
#: The name of a prepared statement and its parameters as text.
Statement = tuple[bytes, Params]
Row = tuple[bytes | None, ...]

_FINE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
#: The planner never sees how full the tables are about to become; every statement here knows its index.
_SET_UP = (
    b"SET client_encoding TO 'UTF8'; SET timezone TO 'UTC'; SET plan_cache_mode TO force_generic_plan;"
    b"SET enable_seqscan TO off; SET enable_hashjoin TO off; SET enable_mergejoin TO off;"
    b"SET enable_bitmapscan TO off; SET jit TO off; SET synchronous_commit TO on;"
    b"SET statement_timeout TO '60s'; SET idle_in_transaction_session_timeout TO '60s'"
)


class DatabaseGone(Exception):
    """The connection is lost; whatever was under way may or may not have been committed."""


class Refused(Exception):
    """The database refused a statement: a defect. Nothing of its batch was committed."""


class Outcome:
    """What one statement gave: its rows as text, and how many rows it changed."""

    __slots__ = ("changed", "rows")

    def __init__(self, rows: list[Row], changed: int) -> None:
        self.rows = rows
        self.changed = changed


Done = Callable[[list[Outcome] | Exception], None]


class Link:
    """One connection. :meth:`submit` when nothing is under way, else the batch is refused."""

    def __init__(self, connection: abc.PGconn) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._descriptor = connection.socket
        self._done: Done | None = None
        self._outcomes: list[Outcome] = []
        self._complaint = ""
        self._is_writing = False
        self.is_open = True
        self.turn = asyncio.Lock()
        #: Hears that the connection was lost while nothing was under way.
        self.on_lost: Callable[[DatabaseGone], None] | None = None
        connection.nonblocking = 1
        connection.enter_pipeline_mode()
        self._loop.add_reader(self._descriptor, self._readable)

    @classmethod
    async def open(cls, conninfo: str, statements: Mapping[str, str]) -> Link:
        """Connect and prepare. Raises :class:`DatabaseGone`."""
        return cls(await asyncio.to_thread(_connect, conninfo, statements))

    @property
    def is_busy(self) -> bool:
        return self._done is not None

    def submit(self, statements: Sequence[Statement], done: Done) -> None:
        """Send a batch; ``done`` hears its outcomes, or DatabaseGone or Refused, from the event loop."""
        if self._done is not None:
            raise Refused("a batch is still under way")
        self._done = done
        self._outcomes, self._complaint = [], ""
        try:
            for name, params in statements:
                self._connection.send_query_prepared(name, params)
            self._connection.pipeline_sync()
        except psycopg.Error as error:
            self._loop.call_soon(self._lose, str(error))
            return
        self._flush()

    async def run(self, *statements: Statement) -> list[Outcome]:
        """A batch, one after the other with those of other tasks."""
        async with self.turn:
            if not self.is_open:
                raise DatabaseGone("the connection is closed")
            future: asyncio.Future[list[Outcome]] = self._loop.create_future()

            def done(result: list[Outcome] | Exception) -> None:
                if future.done():
                    return
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)

            self.submit(statements, done)
            return await future

    def close(self) -> None:
        """End the session, and with it everything it locks."""
        self.on_lost = None
        self._lose("closed")

    # -- the socket --------------------------------------------------------------------------------

    def _flush(self) -> None:
        try:
            is_left = self._connection.flush()
        except psycopg.Error as error:
            self._lose(str(error))
            return
        if is_left and not self._is_writing:
            self._loop.add_writer(self._descriptor, self._flush)
        elif not is_left and self._is_writing:
            self._loop.remove_writer(self._descriptor)
        self._is_writing = bool(is_left)

    def _readable(self) -> None:
        connection = self._connection
        try:
            connection.consume_input()
            while self._done is not None and not connection.is_busy():
                result = connection.get_result()
                if result is None:
                    continue
                if result.status == ExecStatus.PIPELINE_SYNC:
                    self._finish()
                elif result.status in _FINE:
                    self._outcomes.append(Outcome(_rows(result), result.command_tuples or 0))
                elif not self._complaint:
                    self._complaint = result.error_message.decode("utf-8", "replace").strip() or "aborted"
        except psycopg.Error as error:
            self._lose(str(error))
            return
        if connection.status == ConnStatus.BAD:
            self._lose("the connection to PostgreSQL was lost")

    def _finish(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(Refused(self._complaint) if self._complaint else self._outcomes)

    def _lose(self, why: str) -> None:
        if not self.is_open:
            return
        self.is_open = False
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        self._connection.finish()
        done, self._done = self._done, None
        gone = DatabaseGone(self._complaint or why)
        if done is not None:
            done(gone)
        elif self.on_lost is not None:
            self.on_lost(gone)


def _connect(conninfo: str, statements: Mapping[str, str]) -> abc.PGconn:
    connection = PGconn.connect(conninfo.encode())
    if connection.status != ConnStatus.OK:
        why = connection.error_message.decode("utf-8", "replace").strip()
        connection.finish()
        raise DatabaseGone(why)
    for command in (_SET_UP,):
        _check(connection, connection.exec_(command).status)
    for name, sql in statements.items():
        _check(connection, connection.prepare(name.encode(), sql.encode()).status)
    return connection


def _check(connection: abc.PGconn, status: int) -> None:
    if status not in _FINE:
        why = connection.error_message.decode("utf-8", "replace").strip()
        connection.finish()
        raise DatabaseGone(why)


def _rows(result: abc.PGresult) -> list[Row]:
    columns = range(result.nfields)
    value = result.get_value
    return [tuple([value(row, column) for column in columns]) for row in range(result.ntuples)]


def array(values: Sequence[int]) -> bytes:
    """Numbers as a PostgreSQL array."""
    return b"{%s}" % ",".join(map(str, values)).encode()


def number(value: float) -> bytes:
    """A number as a parameter."""
    return str(value).encode()
