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
    """Who is there: a session with its user."""

    session: Session
    user: Operator


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session, and its token in the clear, which the browser alone keeps."""

    token: str = field(repr=False)
    session: Session
    user: Operator
    device: str | None = field(default=None, repr=False)
    """What the browser keeps, so that it is known as this user's from now on; None for a half session."""


@dataclass(frozen=True, slots=True)
class NotSignedIn:
    """Name, password or code were wrong, nobody says which; or they were not looked at before `next_try_at`."""

    next_try_at: datetime | None = None


async def sign_in(
    services: ServicesWith[SignInStore], name: str, password: str, browser: Browser
) -> SignedIn | NotSignedIn:
    """Begin a session, a half one for who has a second step. It is always a new one, whatever the browser had before.

    The try is counted before the password is looked at, so that guessing at many places at once gains nothing. What is
    tried from a browser or an address that the user has signed in from is counted for that alone: nobody else's
    guessing makes it wait.
    """
    user = await services.store.operators.find_by_name(name)
    subjects = await _subjects(services, name, user, browser)
    wait = await services.store.write(CountTry(subjects, services.people_clock.now()))
    if wait is not None:
        _log.warning("sign_in_must_wait", address=browser.address)
        return NotSignedIn(wait)
    usable = user is not None and user.disabled_at is None and len(password) <= PASSWORD_CHARS_MAX
    right = await services.passwords.matches(user.password_hash if user and usable else None, password)
    whole = user is not None and is_whole(services, user) and has_own_rights(services, user)
    if user is None or not usable or not right or not whole:
        _log.warning("sign_in_failed", address=browser.address)
        return NotSignedIn()
    begun = await _begin(services, user, browser, half=user.two_steps)
    if isinstance(begun, SignedIn) and not user.two_steps:
        await _forgive(services, subjects, tries=1)
    return begun


async def second_step(
    services: ServicesWith[SignInStore], half: Present, code: str, browser: Browser, *, answer: str = ""
) -> SignedIn | NotSignedIn:
    """Begin a whole session in the place of a half one, for a code of the app or a recovery code; each counts once.

    `answer` is that of a passkey, and takes the place of a code.
    """
    assert half.session.half, "only a half session takes a second step"
    subjects = await _subjects(services, half.user.name, half.user, browser)
    wait = await services.store.write(CountTry(subjects, services.people_clock.now()))
    if wait is not None:
        return NotSignedIn(wait)
    if not await takes_proof(services, half.user, half.session, code, answer):
        _log.warning("second_step_failed", address=browser.address)
        return NotSignedIn()
    begun = await _begin(services, half.user, browser, half=False, instead_of=half.session.id)
    if isinstance(begun, SignedIn):
        await _forgive(services, subjects, tries=2)
    return begun


async def renew(
    services: ServicesWith[SignInStore], who: Present, user: Operator, browser: Browser
) -> SignedIn | NotSignedIn:
    """Begin a new session in the place of one whose password or second step was just changed; `user` is as it is now.

    Who had the old token, by whatever way, has nothing any more.
    """
    return await _begin(services, user, browser, half=False, instead_of=who.session.id, renewed=True)


async def takes_proof(
    services: ServicesWith[SignInStore], user: Operator, session: Session, code: str, answer: str
) -> bool:
    """Return whether the second step is proved: by a passkey's answer if there is one, else by a code."""
    if not is_whole(services, user):
        return False
    if answer:
        return await takes_passkey(services, user, session, answer) is not None
    return await takes_code(services, user, code)


async def takes_code(services: ServicesWith[SignInStore], user: Operator, code: str) -> bool:
    """Use up a code of the app, or a recovery code; return whether it was good."""
    assert user.two_steps, "the user has a second step"
    plain = "".join(code.split()).replace("-", "").lower()
    if plain.isascii() and plain.isdigit() and len(plain) == 6:
        if user.sealed_totp_secret is None:
            return False
        try:
            secret = services.vault.open(user.sealed_totp_secret, *totp_context(user))
        except Exception as error:  # whatever the vault says of what it did not seal for this user
            _log.exception("second_step_does_not_open", user=user.name, kind=type(error).__name__)
            return False
        step = services.second_step.step_of(secret, plain, services.people_clock.now())
        return step is not None and await services.store.write(TakeStep(user.id, step))
    code = f"{user.id}:{plain}"
    for _ in range(2):  # once more, should it have been sealed anew at this very moment
        kept = await services.store.operators.recovery_codes(user.id)
        digests = tuple(one for one in kept if services.vault.matches(RECOVERY_PURPOSE, code, one, user.id))
        if not digests or await services.store.write(TakeRecoveryCode(user.id, digests, services.people_clock.now())):
            return bool(digests)
    return False


def recovery_digest(services: ServicesWithoutStore, user: Operator, code: str) -> bytes:
    """Return what is kept of a recovery code."""
    return services.vault.keep(RECOVERY_PURPOSE, f"{user.id}:{code.replace('-', '')}", user.id)


def sealed_row(services: ServicesWithoutStore, user: Operator) -> Operator:
    """Return the user with a seal of how they sign in."""
    return replace(user, row_seal=services.vault.seal("", *row_context(user)))


def sealed_rights(services: ServicesWithoutStore, user: Operator) -> Operator:
    """Return the user with a seal of what they may do."""
    return replace(user, rights_seal=services.vault.seal("", *rights_context(user)))


def is_whole(services: ServicesWithoutStore, user: Operator) -> bool:
    """Return whether how a user signs in is as it was set here, and not written into the database by other means."""
    if services.vault.is_in_place(user.row_seal, *row_context(user)):
        return True
    _log.error("user_row_changed_outside", user=user.name)
    return False


def has_own_rights(services: ServicesWithoutStore, user: Operator) -> bool:
    """Return whether what a user may do is as it was said here, and not written into the database by other means."""
    if services.vault.is_in_place(user.rights_seal, *rights_context(user)):
        return True
    _log.error("user_rights_changed_outside", user=user.name, role=user.role)
    return False


async def present(services: ServicesWith[SignInStore], token: str | None) -> Present | None:
    """Return who shows this token, if their session still holds; and keep, every minute, that it was used."""
    if not token or len(token) > TOKEN_CHARS_MAX:
        return None
    found = await services.store.operators.session(services.vault.digests(SESSION_PURPOSE, token))
    now = services.people_clock.now()
    if found is None or not found[0].lives(now):
        return None
    session, user = found
    if not services.vault.is_in_place(session.row_seal, *session_context(session)):
        _log.error("session_row_changed_outside", user=user.name)
        return None
    if not has_own_rights(services, user):
        return None
    if now - session.seen_at >= SEEN_EVERY:
        await services.store.write(SeeSession(session.id, now))
    return Present(session, user)


async def sign_out(services: ServicesWith[SignInStore], who: Present) -> None:
    """End the session of this browser."""
    await services.store.write(EndSessions(who.user.id, who.session.id))


async def forget_sign_ins(services: ServicesWith[SignInStore]) -> int:
    """Forget sessions that are over, and old counts of failed tries and places; gives how many sessions."""
    now = services.people_clock.now()
    return await services.store.write(SweepSignIns(now, now - FORGOTTEN_AFTER, now - PLACE_LIFETIME, SWEPT_AT_ONCE))


async def _subjects(
    services: ServicesWith[SignInStore], name: str, user: Operator | None, browser: Browser
) -> tuple[tuple[Counted, bytes], ...]:
    """Return what a try counts for; the first is forgotten when it succeeds."""
    near = neighbourhood(browser.address)
    if user is not None:
        device = _known_device(services, user, browser)
        if device is not None:
            return ((Counted.DEVICE, _digest(services, f"device:{user.id}:{device.id}")),)
    address = (Counted.ADDRESS, _digest(services, f"address:{near}"))
    if user is not None:
        places = services.vault.digests(PLACE_PURPOSE, f"{user.id}:{near}")
        since = services.people_clock.now() - PLACE_LIFETIME
        if await services.store.operators.knows_place(user.id, places, since):
            return (Counted.PLACE, _digest(services, f"place:{user.id}:{near}")), address
    # A keyed hash: people type passwords where the name belongs.
    return (Counted.ACCOUNT, _digest(services, f"account:{name.casefold()[:200]}")), address


def _digest(services: ServicesWithoutStore, text: str) -> bytes:
    return services.vault.digest(TRIES_PURPOSE, text)


def _known_device(services: ServicesWithoutStore, user: Operator, browser: Browser) -> KnownDevice | None:
    """Return the device that the browser proves to be, if it is one of this user's."""
    found = read_device(browser.device or "")
    if found is None or found[0].user_id != user.id or not found[0].lives(services.people_clock.now()):
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
    user: Operator,
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
        user_id=user.id,
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
        entry = operator_entry(services, OperatorAuditAction.SIGN_IN, user.name, user.name, after=at)
    place = None
    if not half:
        place = services.vault.digest(PLACE_PURPOSE, f"{user.id}:{neighbourhood(browser.address)}")
    kept = await services.store.write(BeginSession(session, user.version, entry, instead_of, place))
    if not kept:
        # Somebody changed the user at this very moment, perhaps the password: this one is not good any more.
        return NotSignedIn()
    return SignedIn(token, session, user, None if half else _device(services, user, browser, now))


def _device(services: ServicesWithoutStore, user: Operator, browser: Browser, now: datetime) -> str:
    """Return what a browser keeps to be known by, for as long again; another user's is not taken over."""
    known = _known_device(services, user, browser)
    device = draw_device(user.id, now) if known is None else replace(known, since=now)
    return f"{device.text()}.{services.vault.digest(DEVICE_PURPOSE, device.text()).hex()}"
