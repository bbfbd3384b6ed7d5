"""What relays of tests share: a port of their own, in a thread of its own, whose connections they pass on."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, Self, TypeVar

T = TypeVar("T")


class TcpRelay:
    """Listens from the beginning, until it is closed; then none of its sockets is open any more.

    Whoever makes one of it says where to (`_targets`), and may keep connections waiting or out (`_admits`) and what
    they say from going on (`_lets_through`).
    """

    half_close = True
    """Whether the end of what one side says is an end for the other alone; else the connection is reset with it."""

    def __init__(self, port: int | None = None) -> None:
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._run(self._listen(port or 0))
        except OSError:
            self._end_thread()
            raise
        self.port: int = self._server.sockets[0].getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if not self._loop.is_closed():
            self._run(self._end())
            self._end_thread()

    def _targets(self) -> Sequence[int]:
        """Return the ports to pass on to: the first that takes the connection has it."""
        raise NotImplementedError

    async def _admits(self) -> bool:
        """Return whether a new connection is passed on; else it is reset."""
        return True

    def _lets_through(self) -> bool:
        """Return whether what was just said is passed on; else it is lost."""
        return True

    def _reset(self) -> None:
        """Reset every connection; for the relay's own thread."""
        for writer in list(self._writers):
            writer.transport.abort()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self, port: int) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port)

    async def _deafen(self) -> None:
        """Listen no more. What was taken comes to us first: a server of asyncio that is closed before leaves it open."""
        for listening in self._server.sockets:
            self._loop.remove_reader(listening.fileno())
        await asyncio.sleep(0.05)
        self._server.close()

    async def _end(self) -> None:
        await self._deafen()
        self._reset()
        await asyncio.sleep(0.05)
        ends = list(self._writers)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # What was taken at the last moment: its task may have been cancelled before its first step.
        for writer in {*ends, *self._writers}:
            writer.transport.abort()
        await asyncio.sleep(0)

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _connected(self, near: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        # No coroutine: asyncio would make the task, and one that is cancelled before its first step closes nothing.
        self._writers.add(near_writer)
        self._tasks.add(task := asyncio.create_task(self._pass(near, near_writer)))
        task.add_done_callback(self._tasks.discard)

    async def _pass(self, near: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        try:
            if not await self._admits():
                near_writer.transport.abort()
                return
            for target in self._targets():
                with contextlib.suppress(OSError):
                    far, far_writer = await asyncio.open_connection("127.0.0.1", target)
                    break
            else:
                near_writer.transport.abort()
                return
            self._writers.add(far_writer)
            try:
                await asyncio.gather(self._pass_on(near, far_writer), self._pass_on(far, near_writer))
            finally:
                self._writers.discard(far_writer)
                far_writer.close()
        finally:
            self._writers.discard(near_writer)
            near_writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                if self._lets_through():
                    writer.write(data)
                    await writer.drain()
            if self.half_close and writer.can_write_eof():
                writer.write_eof()
        except OSError:
            # A reset on one side is a reset on the other: as without a relay between them.
            writer.transport.abort()
        if not self.half_close:
            writer.transport.abort()
