"""The one place that wires: settings in, a running gateway out."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from litestar import Litestar
from litestar.datastructures import State
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from maedal.checkout import endpoints, pay_pages, window_pages
from maedal.checkout.context import Addresses, Checkout
from maedal.clock import Clock, SystemClock, TravelClock
from maedal.code_digest import code_digest
from maedal.console import router as console
from maedal.control import router as control
from maedal.control.callers import Names, callers_only
from maedal.flows.anchor_file import AnchorFile
from maedal.flows.call_limits import CallLimits
from maedal.flows.failover import note_server
from maedal.flows.go_live import Installation
from maedal.flows.keep_requests import close_request_log
from maedal.flows.key_ring import KeyWatch, know_keys
from maedal.flows.merchant_cache import MerchantCache
from maedal.flows.request_limits import RequestLimits
from maedal.flows.request_log import RequestLog
from maedal.flows.services import Limits, Services
from maedal.flows.time_travel import Traveller
from maedal.manual import router as manual
from maedal.merchants.merchant import DEMO_API_KEY, DEMO_CODE, DEMO_CODES
from maedal.merchants.request_limit import Limited
from maedal.outbound.certificate import certificate_end
from maedal.outbound.client import CONNECTIONS_MAX as WEBHOOK_CONNECTIONS_MAX
from maedal.outbound.client import GuardedClient
from maedal.outbound.mail import SmtpMail
from maedal.payments.ids import Ids, RandomIds
from maedal.pg.driver import Driver
from maedal.pg.http import HttpTransport
from maedal.pg.kakaopay.driver import KakaoPay
from maedal.rest import health
from maedal.rest import router as rest
from maedal.rest.api_document import pages as api_document
from maedal.rest.auth import Tokens
from maedal.rest.decoding import BODY_BYTES_MAX
from maedal.server.bounds import descriptors, shares
from maedal.settings import Settings, SettingsError
from maedal.storage.open import create_replica, create_store, is_sqlite
from maedal.storage.sql_replica import SqlReplica
from maedal.storage.sql_store import SqlStore
from maedal.vault import KeyFileError, KeySource, Vault, source_of
from maedal.vault.passkeys import Passkeys
from maedal.vault.passwords import Passwords
from maedal.vault.second_step import SecondStep
from maedal.worker.loops import Worker

_log = structlog.get_logger()

HSTS = (b"strict-transport-security", b"max-age=31536000")
DRAIN_SECONDS = 25.0
DRIVERS: dict[str, Driver] = {"kakaopay": KakaoPay()}
"""Every PG there is; a new one is one line here."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A wired gateway."""

    settings: Settings
    services: Services
    store: SqlStore
    addresses: Addresses
    installation: Installation
    replica: SqlReplica | None = None
    """The standby from which the console's lists are read, if a setting names one."""


@contextlib.asynccontextmanager
async def open_gateway(
    settings: Settings,
    *,
    serving: bool = True,
    clock: Clock | None = None,
    ids: Ids | None = None,
    check_keys: bool = True,
) -> AsyncIterator[Gateway]:
    """Wire everything that `settings` names, open it, and close it in the end.

    Raises KeyFileError, WrongKeys, StoreError or SettingsError with what to do. `serving` claims an SQLite file for
    this process. Without `check_keys` the ring may be another than the database's: for what replaces a lost one.
    """
    clock = clock or SystemClock()
    source = source_of(file=settings.key_file, ring=settings.key_ring, command=settings.key_command)
    vault = await asyncio.to_thread(source.load)
    addresses = Addresses(vault, settings.public_url)
    store = create_store(settings.database_url, serving=serving)
    replica = None
    if settings.read_database_url is not None:
        replica = create_replica(settings.read_database_url, store, settings.read_lag_seconds)
    share = shares(descriptors(), pg=settings.pg_connections_max, webhooks=WEBHOOK_CONNECTIONS_MAX)
    async with contextlib.AsyncExitStack() as closing:
        await store.open()
        closing.push_async_callback(store.close)
        readiness = await store.health()
        # Whoever looks for a missing standby, or enters what it lost, needs a gateway that opens without it.
        if not readiness.ready and not (await store.standing()).synchronous_missing:
            raise SettingsError(f"the database cannot be used: {readiness.problem}")
        transport = await closing.enter_async_context(HttpTransport(share.pg, clock))
        services = Services(
            store=store,
            clock=clock,
            people_clock=clock.machine if isinstance(clock, TravelClock) else clock,
            ids=ids or RandomIds(),
            vault=vault,
            transport=transport,
            pg_is_crowded=transport.is_crowded,
            drivers=DRIVERS,
            merchant_calls=await closing.enter_async_context(
                GuardedClient(allow_private=settings.allow_private_addresses, connections_max=share.webhooks)
            ),
            mail=SmtpMail(
                allow_private=settings.allow_private_addresses, relays=(settings.mail_relays or "").split(",")
            ),
            public_url=settings.public_url,
            certificate_end=functools.partial(certificate_end, settings.public_url),
            return_urls=addresses.return_urls,
            merchant_cache=MerchantCache(store, clock),
            passwords=Passwords(),
            second_step=SecondStep(),
            passkeys=Passkeys(settings.public_url),
            sandbox_url=settings.sandbox_url,
            anchors=AnchorFile(settings.audit_anchor_file),
            limits=Limits(
                settings.busy_wait_seconds,
                settings.clarify_wait_seconds,
                settings.webhook_first_wait_seconds,
                settings.catch_up_per_second,
                settings.scheduled_charges_at_once,
                settings.webhooks_per_receiver,
                unfinished_kept=timedelta(days=settings.unfinished_window_days),
            ),
            request_limits=RequestLimits(
                {
                    Limited.WINDOW: settings.windows_per_minute,
                    Limited.MERCHANT_WINDOW: settings.merchant_windows_per_minute,
                    Limited.TOKEN: settings.token_requests_per_minute,
                    Limited.REFUSED_CALL: settings.refused_calls_per_minute,
                    Limited.SIGN_IN: settings.sign_ins_per_minute,
                },
                settings.trusted_proxies,
            ),
            call_limits=CallLimits(settings.merchant_calls_per_minute),
            request_log=RequestLog(settings.request_log_days),
        )
        closing.push_async_callback(services.background.drain, DRAIN_SECONDS)
        closing.push_async_callback(close_request_log, services)
        if check_keys:
            await know_keys(services, source.name, writable=readiness.ready)
        if serving:
            await closing.enter_async_context(_watched_keys(services, vault, source))
        installation = Installation(
            settings.public_url,
            is_sqlite(settings.database_url),
            lambda: vault.fingerprint,
            settings.torture_result,
            code_digest,
        )
        if replica is not None:
            if readiness.ready:
                # By what the primary notes of itself its standbys are told from those of another history.
                await note_server(services)
            closing.push_async_callback(replica.close)
            await replica.open()
        yield Gateway(settings, services, store, addresses, installation, replica)


@contextlib.asynccontextmanager
async def _watched_keys(services: Services, vault: Vault, source: KeySource) -> AsyncIterator[None]:
    """Keep the vault in step with the database, and with its source, until the block ends."""

    async def reload() -> None:
        try:
            vault.adopt(await asyncio.to_thread(source.load))
        except KeyFileError as error:
            _log.warning("key_ring_not_read_anew", problem=str(error))

    watch = KeyWatch(services, source.name, reload)
    watching = asyncio.create_task(watch.run())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await watch.end()


def create_app(
    settings: Settings,
    *,
    with_worker: bool = True,
    demo_allowed: bool = False,
    clock: Clock | None = None,
    ids: Ids | None = None,
    before_work: Callable[[], Awaitable[object]] | None = None,
    control_key: str | None = None,
    names: Names | None = None,
) -> Litestar:
    """Return the gateway as an ASGI application; it opens and closes with its lifespan.

    With a `TravelClock`, which only `maedal dev` makes, the console can move it; with a `control_key` as well, scripts
    that know the key can. The worker begins once `before_work` returns. With `names`, nobody is answered who calls it
    by another one, and no page of another site.
    """
    controlled = control_key is not None and isinstance(clock, TravelClock)

    @contextlib.asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with open_gateway(settings, clock=clock, ids=ids) as gateway:
            if not demo_allowed:
                await refuse_demo_pair(gateway.store)
            app.state.update(
                {
                    "settings": settings,
                    "services": gateway.services,
                    "installation": gateway.installation,
                    "store": gateway.store,
                    "replica": gateway.replica,
                    "tokens": Tokens(gateway.services),
                    "checkout": Checkout(
                        gateway.services,
                        gateway.addresses,
                        dict.fromkeys(DEMO_CODES, DEMO_CODE) if demo_allowed else {},
                    ),
                }
            )
            worker = Worker(gateway.services)
            starting = asyncio.create_task(_start(worker, before_work)) if with_worker else None
            traveller = Traveller(gateway.services, clock) if isinstance(clock, TravelClock) else None
            if traveller is not None:
                app.state["traveller"] = traveller
            if controlled:
                app.state[control.KEY] = control_key
            try:
                yield
            finally:
                if traveller is not None:
                    await traveller.close()
                if starting is not None:
                    starting.cancel()
                await worker.stop()
                await gateway.services.background.drain(DRAIN_SECONDS)

    return Litestar(
        route_handlers=[
            rest.router,
            api_document.router,
            manual.router,
            endpoints.router,
            window_pages.router,
            pay_pages.router,
            console.router,
            *([console.time_travel_router] if isinstance(clock, TravelClock) else []),
            *([control.router] if controlled else []),
            health.alive,
            health.ready,
            health.measured,
        ],
        # A proxy in front tells who called it; whoever else says so is not believed.
        middleware=[
            *([functools.partial(callers_only, names, settings.public_url)] if names is not None else []),
            functools.partial(_behind_proxies, settings),
            *([_encrypted_only] if settings.public_url.startswith("https://") else []),
        ],
        exception_handlers=rest.EXCEPTION_HANDLERS,
        lifespan=[lifespan],
        state=State(),
        openapi_config=None,
        logging_config=None,
        request_max_body_size=BODY_BYTES_MAX,
    )


async def _start(worker: Worker, before_work: Callable[[], Awaitable[object]] | None) -> None:
    if before_work is not None:
        await before_work()
    worker.start()


def _behind_proxies(settings: Settings, app: Any) -> Any:
    return ProxyHeadersMiddleware(app, settings.trusted_proxies.split(","))


def _encrypted_only(app: ASGIApp) -> ASGIApp:
    """Tell browsers to come encrypted for a year; to this host alone, for others of the domain are not ours."""

    async def encrypted(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], HSTS]
            await send(message)

        await app(scope, receive, send_on)

    return encrypted


async def refuse_demo_pair(store: SqlStore) -> None:
    """Raise SettingsError when the database holds the API key that everybody knows."""
    if await store.merchants.api_key(DEMO_API_KEY) is not None:
        raise SettingsError(
            "this database holds the public demo API key, which only `maedal dev` may serve; use another database"
        )
