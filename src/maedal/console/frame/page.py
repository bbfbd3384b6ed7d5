"""How every page of the console is rendered: one Jinja environment, two languages, one strict content policy."""

from __future__ import annotations

import base64
import json
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from litestar.datastructures import Cookie

from maedal.console.frame import words
from maedal.console.frame.days import when
from maedal.console.frame.links import customer_path, schedule_path
from maedal.console.frame.manual_links import manual_of
from maedal.console.frame.sentences import translated
from maedal.console.frame.visit import (
    MODE_COOKIE,
    WROTE_COOKIE,
    Visit,
    device_cookie,
    pre_session_cookie,
    session_cookie,
)
from maedal.errors import GatewayError
from maedal.flows.explain_failures import failure_cause
from maedal.flows.sign_in import NotSignedIn, Present, SignedIn
from maedal.merchants.merchant import Merchant
from maedal.operators.known_device import DEVICE_LIFETIME
from maedal.operators.role import Permission
from maedal.operators.session import LIFETIME
from maedal.payments.errors import InvalidParameter
from maedal.payments.failure_texts import EXPLANATIONS

# A form may only be sent to us; `same-origin` lets browsers say where it comes from, and tells other sites nothing.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
NOTE_COOKIE = "maedal_note"
NOTE_SECONDS = 60
WROTE_SECONDS_MORE = 2
"""Beyond the bound of a replica's lag: browsers count in whole seconds."""
YEAR_SECONDS = 365 * 24 * 3600
# What HTMX would do against our policy or keep in the browser, it leaves; a refused form is shown like any page.
HTMX = json.dumps(
    {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "allowScriptTags": False,
        "historyCacheSize": 0,
        "refreshOnHistoryMiss": True,
        "selfRequestsOnly": True,
        "responseHandling": [
            {"code": "204", "swap": False},
            {"code": "[23]..", "swap": True},
            {"code": "[45]..", "swap": True},
        ],
    }
)

# A template lies beside the handlers that show it and is named by its path: `payments/list.html`.
_templates = Environment(
    loader=PackageLoader("maedal.console", ""),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

_templates.globals |= {
    "plural": words.plural,
    "manual_of": manual_of,
    "customer_path": customer_path,
    "schedule_path": schedule_path,
}


def render(
    visit: Visit, template: str, *, status: int = 200, merchant: Merchant | None = None, **values: Any
) -> Response[str]:
    """Return a page, with what the page before left to be said on it."""
    note, cookies = _take_note(visit)
    if merchant is None and len(visit.merchants) == 1:
        merchant = visit.merchants[0]
    if visit.who is None:
        cookies.append(_cookie(visit, pre_session_cookie(secure=visit.secure), visit.pre_session))
    cookies += wrote(visit)
    text = _templates.get_template(template).render(
        visit=visit,
        t=visit.t,
        note=note,
        merchant=merchant,
        htmx=HTMX,
        path=visit.request.url.path,
        form_token=visit.form_token(),
        may=lambda name: visit.may(Permission(name)),
        when=when,
        won=lambda amount: visit.t(f"{amount:,}원", f"₩{amount:,}"),
        say=lambda name, value: words.say(visit, name, value),
        replica=visit.replica.standing() if visit.replica is not None and visit.read_from is not None else None,
        cause_of=lambda payment: failure_cause(visit.services, payment),
        explanations=EXPLANATIONS,
        simulator=visit.settings.sandbox_url,
        traveller=visit.request.app.state.get("traveller"),
        **values,
    )
    return Response(text, status_code=status, media_type="text/html", headers=HEADERS, cookies=cookies)


def redirect(
    visit: Visit, path: str, note: str | None = None, *, tone: Literal["done", "problem"] = "done", **shown_once: Any
) -> Response[str]:
    """Send the browser on after a form. `note`, and secrets that are shown once, wait for it sealed, in a cookie."""
    cookies = wrote(visit)
    if note is not None:
        content = json.dumps({"text": note, "tone": tone, **shown_once}, ensure_ascii=False)
        sealed = visit.services.vault.seal(content, _note_context(visit))
        text = base64.urlsafe_b64encode(sealed).decode()
        cookies.append(_cookie(visit, NOTE_COOKIE, text, path="/console", max_age=NOTE_SECONDS))
    return Response("", status_code=303, headers={**HEADERS, "Location": path}, cookies=cookies)


def wrote(visit: Visit) -> list[Cookie]:
    """Return the cookie by which a browser that sent a form is shown the primary until a replica must have the change.

    Afterwards a replica that is still without it is too far behind to be read.
    """
    if visit.replica is None or visit.request.method in {"GET", "HEAD"}:
        return []
    seconds = visit.settings.read_lag_seconds + WROTE_SECONDS_MORE
    return [_cookie(visit, WROTE_COOKIE, "1", path="/console", max_age=seconds)]


def problem_of(visit: Visit, error: GatewayError) -> dict[str, str]:
    """Return which field of a form is wrong, and why, as the form shows it."""
    field = error.field if isinstance(error, InvalidParameter) else ""
    return {"field": field, "text": translated(visit, error.message)}


def signed_in(visit: Visit, begun: SignedIn, path: str) -> Response[str]:
    """Give the browser the token of a new session, which takes the place of whatever it had, and go on."""
    answer = redirect(visit, path)
    _keep_session(visit, answer, begun)
    # Whoever signs in begins with all channels.
    answer.cookies.append(_cookie(visit, MODE_COOKIE, "", path="/console", max_age=0))
    answer.cookies.append(_cookie(visit, pre_session_cookie(secure=visit.secure), "", max_age=0))
    return answer


def signed_in_anew(
    visit: Visit, begun: SignedIn | NotSignedIn, path: str, note: str, **shown_once: Any
) -> Response[str]:
    """Give the browser the token of a session that took the place of its own; who has none left signs in again."""
    if isinstance(begun, NotSignedIn):
        return signed_out(visit)
    visit.who = Present(begun.session, begun.operator)
    answer = redirect(visit, path, note, **shown_once)
    _keep_session(visit, answer, begun)
    return answer


def _keep_session(visit: Visit, answer: Response[str], begun: SignedIn) -> None:
    age = int(LIFETIME.total_seconds())
    answer.cookies.append(_cookie(visit, session_cookie(secure=visit.secure), begun.token, max_age=age))
    if begun.device is not None:
        age = int(DEVICE_LIFETIME.total_seconds())
        answer.cookies.append(_cookie(visit, device_cookie(secure=visit.secure), begun.device, max_age=age))


def signed_out(visit: Visit) -> Response[str]:
    """Take the token away again."""
    answer = redirect(visit, "/console/sign-in")
    answer.cookies.append(_cookie(visit, MODE_COOKIE, "", path="/console", max_age=0))
    answer.cookies.append(_cookie(visit, session_cookie(secure=visit.secure), "", max_age=0))
    return answer


def keep_preference(visit: Visit, path: str, name: str, value: str) -> Response[str]:
    """Keep a choice of language or theme for a year, and show the same page so."""
    answer = redirect(visit, path)
    answer.cookies.append(_cookie(visit, name, value, max_age=YEAR_SECONDS))
    return answer


def keep_mode(visit: Visit, path: str, mode: str) -> Response[str]:
    """Keep to which channels whatever this session is shown is restricted; "" is all. It ends with the session."""
    answer = redirect(visit, path)
    answer.cookies.append(_cookie(visit, MODE_COOKIE, mode, path="/console", max_age=None if mode else 0))
    return answer


def _cookie(visit: Visit, name: str, value: str, *, path: str = "/", max_age: int | None = None) -> Cookie:
    return Cookie(key=name, value=value, path=path, max_age=max_age, httponly=True, secure=visit.secure, samesite="lax")


def _note_context(visit: Visit) -> str:
    return f"console.note:{visit.who.session.id if visit.who else visit.pre_session}"


def _take_note(visit: Visit) -> tuple[dict[str, Any] | None, list[Cookie]]:
    text = visit.request.cookies.get(NOTE_COOKIE)
    if not text:
        return None, []
    gone = [_cookie(visit, NOTE_COOKIE, "", path="/console", max_age=0)]
    try:
        note: dict[str, Any] = json.loads(
            visit.services.vault.open(base64.urlsafe_b64decode(text), _note_context(visit))
        )
    except Exception:  # of another session, or changed: whatever it says is not shown
        return None, gone
    return note, gone
