from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from kakaopay_sandbox.settings import Settings
from tests.sandbox.support import Shop, running, stopped_clock

StartShop = Callable[..., Shop]


@pytest.fixture
def start_shop() -> Iterator[StartShop]:
    """Start a simulator with the given settings; its clock stands at noon in Seoul unless told otherwise."""
    with ExitStack() as stack:

        def start(**settings: object) -> Shop:
            origin = stack.enter_context(running(Settings(**({"wall": stopped_clock} | settings))))
            return Shop(stack.enter_context(httpx.Client(base_url=origin, timeout=15, trust_env=False)))

        yield start


@pytest.fixture
def shop(start_shop: StartShop) -> Shop:
    return start_shop()
