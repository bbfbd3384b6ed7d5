"""Logs: structured, one line an event, and nothing secret or personal in them.

What is logged is named at the call: ids, states, codes. As a second line of defence, fields with telling names and
anything that looks like a token or a PG's secret are masked here.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from typing import Any, TextIO

import structlog

from maedal.settings import LogFormat

_SENSITIVE_NAMES = re.compile(
    r"secret|token|authorization|password|sid$|pg_key|card_number|buyer|customer_(name|tel|email|addr)", re.IGNORECASE
)
_LOOKS_SECRET = re.compile(
    r"\bS[0-9a-f]{19}\b"  # a KakaoPay SID
    r"|\b[0-9a-f]{40}\b"  # an access token
    r"|\b(?:DEV|PRD)[0-9A-Z]{20,}\b"  # a KakaoPay secret key
    r"|pg_token=[^&\s\"']+"
    r"|/checkout/[\w-]{20,}"
)
MASK = "***"


def mask(text: str) -> str:
    """Return `text` without anything that looks like a secret."""
    return _LOOKS_SECRET.sub(MASK, text)


def _mask_event(_: Any, __: str, event: Any) -> Any:
    for name, value in event.items():
        if _SENSITIVE_NAMES.search(name):
            event[name] = MASK
        elif isinstance(value, str):
            event[name] = mask(value)
    return event


def _speaks(error: BaseException) -> bool:
    """Return whether an exception's own words can be logged: those of a library may quote a row or a request."""
    return type(error).__module__.startswith("maedal.") or isinstance(
        error, OSError | TypeError | AttributeError | NameError | AssertionError
    )


def _exception(exc_info: Any) -> str:
    """Return a traceback whose frames are whole and whose foreign messages are left out, causes included."""
    lines: list[str] = []
    error: BaseException | None = exc_info[1]
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        words = str(error) if _speaks(error) else "(its words may quote data and are left out)"
        frames = "".join(traceback.format_tb(error.__traceback__))
        lines.append(f"{frames}{type(error).__module__}.{type(error).__qualname__}: {words}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nfrom:\n".join(lines)


def _format_exception(_: Any, __: str, event: Any) -> Any:
    raised = event.pop("exc_info", None)
    if isinstance(raised, BaseException):
        raised = (type(raised), raised, raised.__traceback__)
    elif raised is True:
        raised = sys.exc_info()
    if isinstance(raised, tuple) and raised[1] is not None:
        event["exception"] = _exception(raised)
    return event


def set_up(log_format: LogFormat, to: TextIO | None = None) -> None:
    """Send maedal's own and its libraries' log lines in one format to stderr, or to a file."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    shared.append(_format_exception)
    if log_format is LogFormat.JSON:
        last: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        # A file or a pipe keeps what a terminal would show as colours.
        colors = (to or sys.stderr).isatty() and "NO_COLOR" not in os.environ
        last = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[*shared, _mask_event, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(to or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _mask_event, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # Access lines would carry the tokens of the checkout's addresses.
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("aiohttp.access", "alembic", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)
