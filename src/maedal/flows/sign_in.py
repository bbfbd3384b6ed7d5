"""Sign in to the console: a password, a second step for who has one, and a session of this one browser."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import structlog

from maedal.flows.operator_entry import operator_entry
from maedal.flows.passkeys import takes_passkey
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.addresses import neighbourhood
from maedal.operators.known_device import PLACE_LIFETIME, KnownDevice, draw_device, read_device
from maedal.operators.operator import (
    PASSWORD_CHARS_MAX,
    RECOVERY_PURPOSE,
    Operator,
    rights_context,
    row_context,
    totp_context,
)
from maedal.operators.operator_audit_entry import OperatorAuditAction
from maedal.operators.session import AGENT_CHARS_MAX, SEEN_EVERY, Session, lifetime
from maedal.operators.session import row_context as session_context
from maedal.operators.tries import FORGOTTEN_AFTER, Counted
from maedal.storage.operators.reads import HasOperators
from maedal.storage.operators.writes import (
    BeginSession,
    CountTry,
    EndSessions,
    ForgiveTries,
    SeeSession,
    SweepSignIns,
    TakeRecoveryCode,
    TakeStep,
)
from maedal.storage.write import Writes

_log = structlog.get_logger()

TOKEN_BYTES = 32
TOKEN_CHARS_MAX = 100
SESSION_PURPOSE = "console.session"
DEVICE_PURPOSE = "console.device"
PLACE_PURPOSE = "console.place"
TRIES_PURPOSE = "console.tries"
SWEPT_AT_ONCE = 500


class SignInStore(HasOperators, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class Browser:
    """Where somebody signs in from."""

    address: str
    agent: str
    device: str | None = field(default=None, repr=False)
    """What this browser keeps of an earlier sign-in, to be checked."""


@dataclass(frozen=True, slots=True)
class Present:
    """Who is there: a session with its operator."""

    session: Session
    operator: Operator


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session, and its token in the clear, which the browser alone keeps."""

    token: str = field(repr=False)
    session: Session
    operator: Operator
    device: str | None = field(default=None, repr=False)
    """What the browser keeps, so that it is known as this operator's from now on; None for a half session."""


@dataclass(frozen=True, slots=True)
class NotSignedIn:
    """Name, password or code were wrong, nobody says which; or they were not looked at before `next_try_at`."""

    next_try_at: datetime | None = None


async def sign_in(
    services: ServicesWith[SignInStore], name: str, password: str, browser: Browser
) -> SignedIn | NotSignedIn:
    """Begin a session, a half one for who has a second step. It is always a new one, whatever the browser had before.

    The try is counted before the password is looked at, so that guessing at many places at once gains nothing. What is
    tried from a browser or an address that the operator has signed in from is counted for that alone: nobody else's
    guessing makes it wait.
    """
    operator = await services.store.operators.find_by_name(name)
    subjects = await _subjects(services, name, operator, browser)
    wait = await services.store.write(CountTry(subjects, services.people_clock.now()))
    if wait is not None:
        _log.warning("sign_in_must_wait", address=browser.address)
        return NotSignedIn(wait)
    usable = operator is not None and operator.disabled_at is None and len(password) <= PASSWORD_CHARS_MAX
    right = await services.passwords.matches(operator.password_hash if operator and usable else None, password)
    whole = operator is not None and is_whole(services, operator) and has_own_rights(services, operator)
    if operator is None or not usable or not right or not whole:
        _log.warning("sign_in_failed", address=browser.address)
        return NotSignedIn()
    begun = await _begin(services, operator, browser, half=operator.two_steps)
    if isinstance(begun, SignedIn) and not operator.two_steps:
        await _forgive(services, subjects, tries=1)
    return begun


async def second_step(
    services: ServicesWith[SignInStore], half: Present, code: str, browser: Browser, *, answer: str = ""
) -> SignedIn | NotSignedIn:
    """Begin a whole session in the place of a half one, for a code of the app or a recovery code; each counts once.

    `answer` is that of a passkey, and takes the place of a code.
    """
    assert half.session.half, "only a half session takes a second step"
    subjects = await _subjects(services, half.operator.name, half.operator, browser)
    wait = await services.store.write(CountTry(subjects, services.people_clock.now()))
    if wait is not None:
        return NotSignedIn(wait)
    if not await takes_proof(services, half.operator, half.session, code, answer):
        _log.warning("second_step_failed", address=browser.address)
        return NotSignedIn()
    begun = await _begin(services, half.operator, browser, half=False, instead_of=half.session.id)
    if isinstance(begun, SignedIn):
        await _forgive(services, subjects, tries=2)
    return begun


async def renew(
    services: ServicesWith[SignInStore], who: Present, operator: Operator, browser: Browser
) -> SignedIn | NotSignedIn:
    """Begin a new session in the place of one whose password or second step was just changed; `user` is as it is now.

    Who had the old token, by whatever way, has nothing any more.
    """
    return await _begin(services, operator, browser, half=False, instead_of=who.session.id, renewed=True)


async def takes_proof(
    services: ServicesWith[SignInStore], operator: Operator, session: Session, code: str, answer: str
) -> bool:
    """Return whether the second step is proved: by a passkey's answer if there is one, else by a code."""
    if not is_whole(services, operator):
        return False
    if answer:
        return await takes_passkey(services, operator, session, answer) is not None
    return await takes_code(services, operator, code)


async def takes_code(services: ServicesWith[SignInStore], operator: Operator, code: str) -> bool:
    """Use up a code of the app, or a recovery code; return whether it was good."""
    assert operator.two_steps, "the user has a second step"
    plain = "".join(code.split()).replace("-", "").lower()
    if plain.isascii() and plain.isdigit() and len(plain) == 6:
        if operator.sealed_totp_secret is None:
            return False
        try:
            secret = services.vault.open(operator.sealed_totp_secret, *totp_context(operator))
        except Exception as error:  # whatever the vault says of what it did not seal for this operator
            _log.exception("second_step_does_not_open", user=operator.name, kind=type(error).__name__)
            return False
        step = services.second_step.step_of(secret, plain, services.people_clock.now())
        return step is not None and await services.store.write(TakeStep(operator.id, step))
    code = f"{operator.id}:{plain}"
    for _ in range(2):  # once more, should it have been sealed anew at this very moment
        kept = await services.store.operators.recovery_codes(operator.id)
        digests = tuple(one for one in kept if services.vault.matches(RECOVERY_PURPOSE, code, one, operator.id))
        if not digests or await services.store.write(
            TakeRecoveryCode(operator.id, digests, services.people_clock.now())
        ):
            return bool(digests)
    return False


def recovery_digest(services: ServicesWithoutStore, operator: Operator, code: str) -> bytes:
    """Return what is kept of a recovery code."""
    return services.vault.keep(RECOVERY_PURPOSE, f"{operator.id}:{code.replace('-', '')}", operator.id)


def sealed_row(services: ServicesWithoutStore, operator: Operator) -> Operator:
    """Return the operator with a seal of how they sign in."""
    return replace(operator, row_seal=services.vault.seal("", *row_context(operator)))


def sealed_rights(services: ServicesWithoutStore, operator: Operator) -> Operator:
    """Return the operator with a seal of what they may do."""
    return replace(operator, rights_seal=services.vault.seal("", *rights_context(operator)))


def is_whole(services: ServicesWithoutStore, operator: Operator) -> bool:
    """Return whether how an operator signs in is as it was set here, not written into the database by other means."""
    if services.vault.is_in_place(operator.row_seal, *row_context(operator)):
        return True
    _log.error("user_row_changed_outside", user=operator.name)
    return False


def has_own_rights(services: ServicesWithoutStore, operator: Operator) -> bool:
    """Return whether what an operator may do is as it was said here, not written into the database by other means."""
    if services.vault.is_in_place(operator.rights_seal, *rights_context(operator)):
        return True
    _log.error("user_rights_changed_outside", user=operator.name, role=operator.role)
    return False


async def present(services: ServicesWith[SignInStore], token: str | None) -> Present | None:
    """Return who shows this token, if their session still holds; and keep, every minute, that it was used."""
    if not token or len(token) > TOKEN_CHARS_MAX:
        return None
    found = await services.store.operators.session(services.vault.digests(SESSION_PURPOSE, token))
    now = services.people_clock.now()
    if found is None or not found[0].lives(now):
        return None
    session, operator = found
    if not services.vault.is_in_place(session.row_seal, *session_context(session)):
        _log.error("session_row_changed_outside", user=operator.name)
        return None
    if not has_own_rights(services, operator):
        return None
    if now - session.seen_at >= SEEN_EVERY:
        await services.store.write(SeeSession(session.id, now))
    return Present(session, operator)


async def sign_out(services: ServicesWith[SignInStore], who: Present) -> None:
    """End the session of this browser."""
    await services.store.write(EndSessions(who.operator.id, who.session.id))


async def forget_sign_ins(services: ServicesWith[SignInStore]) -> int:
    """Forget sessions that are over, and old counts of failed tries and places; gives how many sessions."""
    now = services.people_clock.now()
    return await services.store.write(SweepSignIns(now, now - FORGOTTEN_AFTER, now - PLACE_LIFETIME, SWEPT_AT_ONCE))


async def _subjects(
    services: ServicesWith[SignInStore], name: str, operator: Operator | None, browser: Browser
) -> tuple[tuple[Counted, bytes], ...]:
    """Return what a try counts for; the first is forgotten when it succeeds."""
    near = neighbourhood(browser.address)
    if operator is not None:
        device = _known_device(services, operator, browser)
        if device is not None:
            return ((Counted.DEVICE, _digest(services, f"device:{operator.id}:{device.id}")),)
    address = (Counted.ADDRESS, _digest(services, f"address:{near}"))
    if operator is not None:
        places = services.vault.digests(PLACE_PURPOSE, f"{operator.id}:{near}")
        since = services.people_clock.now() - PLACE_LIFETIME
        if await services.store.operators.knows_place(operator.id, places, since):
            return (Counted.PLACE, _digest(services, f"place:{operator.id}:{near}")), address
    # A keyed hash: people type passwords where the name belongs.
    return (Counted.ACCOUNT, _digest(services, f"account:{name.casefold()[:200]}")), address


def _digest(services: ServicesWithoutStore, text: str) -> bytes:
    return services.vault.digest(TRIES_PURPOSE, text)


def _known_device(services: ServicesWithoutStore, operator: Operator, browser: Browser) -> KnownDevice | None:
    """Return the device that the browser proves to be, if it is one of this operator's."""
    found = read_device(browser.device or "")
    if found is None or found[0].operator_id != operator.id or not found[0].lives(services.people_clock.now()):
        return None
    return found[0] if services.vault.matches(DEVICE_PURPOSE, found[0].text(), found[1]) else None


async def _forgive(
    services: ServicesWith[SignInStore], subjects: tuple[tuple[Counted, bytes], ...], tries: int
) -> None:
    """Forget one's own failures. The address keeps those of others, or one good account would open the door."""
    (_, own), *shared = subjects
    await services.store.write(ForgiveTries(own, shared[0][1] if shared else None, tries))


async def _begin(
    services: ServicesWith[SignInStore],
    operator: Operator,
    browser: Browser,
    *,
    half: bool,
    instead_of: str | None = None,
    renewed: bool = False,
) -> SignedIn | NotSignedIn:
    now = services.people_clock.now()
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session = Session(
        id=services.ids.row(now),
        operator_id=operator.id,
        token_digest=services.vault.digest(SESSION_PURPOSE, token),
        half=half,
        address=browser.address,
        user_agent="".join(c for c in browser.agent if c.isprintable())[:AGENT_CHARS_MAX],
        created_at=now,
        seen_at=now,
        expires_at=now + lifetime(half=half),
    )
    session = replace(session, row_seal=services.vault.seal("", *session_context(session)))
    entry = None
    if not half and not renewed:
        at = f"address={browser.address}"
        entry = operator_entry(services, OperatorAuditAction.SIGN_IN, operator.name, operator.name, after=at)
    place = None
    if not half:
        place = services.vault.digest(PLACE_PURPOSE, f"{operator.id}:{neighbourhood(browser.address)}")
    kept = await services.store.write(BeginSession(session, operator.version, entry, instead_of, place))
    if not kept:
        # Somebody changed the operator at this very moment, perhaps the password: this one is not good any more.
        return NotSignedIn()
    return SignedIn(token, session, operator, None if half else _device(services, operator, browser, now))


def _device(services: ServicesWithoutStore, operator: Operator, browser: Browser, now: datetime) -> str:
    """Return what a browser keeps to be known by, for as long again; another operator's is not taken over."""
    known = _known_device(services, operator, browser)
    device = draw_device(operator.id, now) if known is None else replace(known, since=now)
    return f"{device.text()}.{services.vault.digest(DEVICE_PURPOSE, device.text()).hex()}"
