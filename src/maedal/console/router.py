"""The console's routes, subject by subject, behind one admission check."""

from __future__ import annotations

from litestar import Router

from maedal.console import (
    alerts,
    audit_log,
    billing_keys,
    channels,
    customers,
    dunning,
    figures,
    home,
    merchants,
    notes,
    open_items,
    operators,
    payments,
    plans,
    schedules,
    search,
    time_travel,
    webhooks,
)
from maedal.console.frame import error_pages, export_pages, exports, static_files, words
from maedal.console.frame.admission import admit, checked
from maedal.console.frame.visit import FORM_BYTES_MAX

SUBJECTS = (
    home,
    search,
    payments,
    customers,
    billing_keys,
    plans,
    schedules,
    figures,
    notes,
    open_items,
    webhooks,
    alerts,
    dunning,
    audit_log,
    channels,
    merchants,
    operators,
)

# A subject without terms of its own has no words, and one without lists nothing to be written out.
for _subject in SUBJECTS:
    words.add(getattr(_subject, "WORDS", {}))
    exports.add(getattr(_subject, "EXPORTS", {}))

router = Router(
    path="/console",
    guards=[admit],
    route_handlers=checked(
        [
            *static_files.HANDLERS,
            *(handler for subject in SUBJECTS for handler in subject.HANDLERS),
            *export_pages.HANDLERS,
            *error_pages.HANDLERS,
        ]
    ),
    exception_handlers=error_pages.EXCEPTION_HANDLERS,
    request_max_body_size=FORM_BYTES_MAX,
)
time_travel_router = Router(
    path="/console/dev",
    guards=[admit],
    route_handlers=checked(time_travel.HANDLERS),
    exception_handlers=error_pages.EXCEPTION_HANDLERS,
    request_max_body_size=FORM_BYTES_MAX,
)
"""Served by `maedal dev` alone."""
