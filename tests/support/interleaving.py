"""Every order in which flows can take their steps, one step at a time; nothing waits in real time.

A flow stands still before and after each write to the store and each call to the PG, and wherever it sleeps. A race
lets one flow at a time go on to its next stand. Which one, is a decision; `every_order` plays the race again and again,
until each decision has been taken in each way. Before a step is no place of its own when nothing was read since the
last one: what others do there they may as well do before it.

Flows switch freely where one ends or sleeps. How often else one is left in the middle is bounded (context bounding:
Musuvathi and Qadeer, "Iterative context bounding for systematic testing of multithreaded programs", 2007): nearly all
races need two switches or fewer, and without a bound the orders of two flows alone are many thousands. To wake a flow
that sleeps, while another could go on, is such a switch too; when all sleep, the clock moves to the first alarm.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from maedal.flows.services import Background
from maedal.storage.write import R, Write
from tests.support.clock import HandClock

STEPS_MAX = 400


class Flow:
    """A flow that takes part in a race. `answer` is what it gave in the end, or the error."""

    def __init__(self, race: Race, name: str) -> None:
        self.race, self.name = race, name
        self.place: str | None = "the beginning"
        """Where it stands; None while it runs, and when it has ended."""
        self.alarm: datetime | None = None
        self.has_read = False
        self.answer: Any = None
        self.go: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None

    async def stand(self, place: str, alarm: datetime | None = None) -> None:
        """Return when the race lets this flow go on."""
        self.go = asyncio.get_running_loop().create_future()
        self.place, self.alarm = place, alarm
        self.race.somebody_stands.set()
        await self.go


_HERE: contextvars.ContextVar[Flow | None] = contextvars.ContextVar("flow", default=None)


@dataclass(frozen=True)
class Step:
    """What was done, in the order in which it happened; `result` of a flow's end is its answer."""

    flow: str
    what: str
    value: Any = None
    result: Any = None

    def __str__(self) -> str:
        return f"{self.flow}: {self.what}"


class Race:
    """One play: flows, what they did, and which decisions were taken."""

    def __init__(self, clock: SteppedClock, switches_max: int) -> None:
        self.clock, self._switches_left = clock, switches_max
        self.flows: list[Flow] = []
        self.steps: list[Step] = []
        self.decisions: list[tuple[int, int]] = []
        """Which of how many ways was taken at each place where there was more than one."""
        self.somebody_stands = asyncio.Event()
        self.on_end: Callable[[Flow], Awaitable[None]] | None = None

    def add(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        flow = Flow(self, name)
        self.flows.append(flow)

        async def live() -> None:
            _HERE.set(flow)
            try:
                await flow.go
                flow.answer = await work
                self.steps.append(Step(flow.name, "answered", None, flow.answer))
            finally:
                work.close()
                flow.place = None
                self.somebody_stands.set()

        flow.task = asyncio.create_task(live())

    async def play(self, script: list[int]) -> None:
        """Let the flows run to their ends; the first decisions are taken from `script`, the others as they come."""
        current: Flow | None = None
        try:
            for _ in range(STEPS_MAX):
                ways = self._ways(current)
                if not ways:
                    break
                chosen = 0
                if len(ways) > 1:
                    number = len(self.decisions)
                    chosen = script[number] if number < len(script) else 0
                    self.decisions.append((chosen, len(ways)))
                current, cost = ways[chosen]
                self._switches_left -= cost
                await self._step(current)
            assert all(flow.place is None for flow in self.flows), f"they never end\n{self.story()}"
        finally:
            for flow in self.flows:
                assert flow.task is not None
                flow.task.cancel()
            await asyncio.gather(*(flow.task for flow in self.flows if flow.task), return_exceptions=True)

    def _ways(self, current: Flow | None) -> list[tuple[Flow, int]]:
        """Return who may go on, each with how many switches that costs; whoever just went comes first."""
        now = self.clock.now()
        standing = [flow for flow in self.flows if flow.place is not None]
        standing.sort(key=lambda flow: flow is not current)
        awake = [flow for flow in standing if flow.alarm is None or flow.alarm <= now]
        asleep = [flow for flow in standing if flow not in awake]
        if not awake:
            return [(min(asleep, key=lambda flow: flow.alarm or now), 0)] if asleep else []
        in_the_middle = current in awake
        ways = [(flow, int(in_the_middle and flow is not current)) for flow in awake]
        ways += [(flow, 1) for flow in asleep]
        return [(flow, cost) for flow, cost in ways if cost <= self._switches_left]

    async def _step(self, flow: Flow) -> None:
        if flow.alarm is not None:
            self.clock.add(max((flow.alarm - self.clock.now()).total_seconds(), 0))
        flow.place = flow.alarm = None
        self.somebody_stands.clear()
        flow.go.set_result(None)
        await self.somebody_stands.wait()
        assert flow.task is not None
        if flow.place is None:
            await flow.task
            if self.on_end is not None:
                await self.on_end(flow)

    def story(self) -> str:
        """Return who did what, in order, and where whoever has not ended stands."""
        return "\n".join([*map(str, self.steps), *(f"{f.name} stands at {f.place}" for f in self.flows if f.place)])


async def every_order(play: Callable[[list[int]], Awaitable[Race]]) -> int:
    """Play a race in each order that its bound allows, and return how many there were."""
    script: list[int] = []
    count = 0
    while True:
        decisions = (await play(script)).decisions
        count += 1
        while decisions and decisions[-1][0] + 1 == decisions[-1][1]:
            decisions.pop()
        if not decisions:
            return count
        script = [*(chosen for chosen, _ in decisions[:-1]), decisions[-1][0] + 1]


async def stepped(what: str, value: Any, act: Callable[[Any], Awaitable[Any]]) -> Any:
    """Do what a flow does as a step of its race; outside of one, just do it."""
    flow = _HERE.get()
    if flow is None:
        return await act(value)
    if flow.has_read:
        await flow.stand(f"before {what}")
    step = result = None
    try:
        result = await act(value)
    except Exception as error:
        step = Step(flow.name, f"{what} ({type(error).__name__})", value, error)
        raise
    else:
        step = Step(flow.name, what, value, result)
    finally:
        flow.has_read = False
        if step is not None:
            flow.race.steps.append(step)
        # A claim that took nothing has changed nothing.
        if step is not None and not (what.startswith("Claim") and not result):
            await flow.stand(f"after {what}")
    return result


class SteppedStore:
    """A store whose writes are steps."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        flow = _HERE.get()
        if flow is not None:
            flow.has_read = True
        return getattr(self._store, name)

    async def write(self, write: Write[R]) -> Any:
        return await stepped(type(write).__name__, write, self._store.write)


class SteppedTransport:
    """A way to the PG on which each call is a step."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    async def send(self, request: Any) -> Any:
        return await stepped(f"call {request.url.rpartition('/')[2]}", request, self._transport.send)


class SteppedClock(HandClock):
    """A clock that the race moves when all sleep; outside of a race, whoever sleeps moves it."""

    async def sleep(self, seconds: float) -> None:
        flow = _HERE.get()
        if flow is None:
            self.add(seconds)
        else:
            await flow.stand("a sleep", self.now() + timedelta(seconds=seconds))


class SteppedBackground(Background):
    """What a flow begins beside itself is a flow of the same race."""

    async def finish(self, work: Awaitable[Any]) -> Any:
        return await work

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        flow = _HERE.get()
        if flow is None:
            super().begin(work)
        else:
            flow.race.add(f"{flow.name}, beside", work)
