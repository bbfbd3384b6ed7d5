"""Addresses of pages that other subjects lead to, where an id may hold any sign."""

from __future__ import annotations

from urllib.parse import urlencode

from maedal.schedules.schedule import Schedule


def schedule_path(code: str, merchant_uid: str) -> str:
    """Return the address of a scheduled charge's page."""
    return f"/console/merchants/{code}/schedules/one?{urlencode({'uid': merchant_uid})}"


def customer_path(code: str, customer_uid: str) -> str:
    """Return the address of a customer's page."""
    return f"/console/merchants/{code}/customers/one?{urlencode({'uid': customer_uid})}"


def schedule_path_of(code: str, found: Schedule) -> str:
    return schedule_path(code, found.order.merchant_uid)
