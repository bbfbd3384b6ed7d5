"""A TCP relay that can stop passing anything on while its sockets stay open: how a cut network looks to both ends."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Sequence

from tests.support.world import free_port


class Relay:
    """Listens on a port of its own and passes everything on to the first of `targets` that takes the connection."""

    def __init__(self, targets: Sequence[int], port: int | None = None) -> None:
        self.port = port or free_port()
        self._targets = targets
        self._loop = asyncio.new_event_loop()
        self._passing = asyncio.Event()
        self._passing.set()
        self._stopping = asyncio.Event()
        self._listening = threading.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self._thread.start()
        if not self._listening.wait(10):
            raise OSError(f"nothing listens on port {self.port}")

    def cut(self) -> None:
        """Swallow everything from now on; connections are still taken, and stay open."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def heal(self) -> None:
        """Pass on again. What was open during the cut is reset: a part of what it said is missing."""
        self._loop.call_soon_threadsafe(self._heal)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)
        self._loop.close()

    def _heal(self) -> None:
        if not self._passing.is_set():
            for writer in list(self._writers):
                writer.transport.abort()
        self._passing.set()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self._listening.set()
        await self._stopping.wait()
        server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0.05)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        # What was taken at the last moment: its task may have been cancelled before its first step.
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    def _connected(self, near: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        self._writers.add(near_writer)
        self._tasks.add(task := asyncio.create_task(self._pass(near, near_writer)))
        task.add_done_callback(self._tasks.discard)

    async def _pass(self, near: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        try:
            await self._passing.wait()
            for target in self._targets:
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
                if not self._passing.is_set():
                    continue
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
        except OSError:
            # A reset on one side is a reset on the other: as without a relay between them.
            writer.transport.abort()
