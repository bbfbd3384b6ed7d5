"""Roles, and the one table of who may do what in the console."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What an operator is in the house; it holds for every merchant that they see."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    MANAGER = "manager"
    READ_ONLY = "read_only"


class Permission(StrEnum):
    """What a page or a button of the console asks of the person who uses it."""

    ANYBODY = "anybody"  # also who has not signed in
    HALF_SIGNED_IN = "half_signed_in"  # the password was right, the second step is still to come
    OWN_ACCOUNT = "own_account"
    SEE_PAYMENTS = "see_payments"
    EXPORT_PAYMENTS = "export_payments"
    CANCEL_PAYMENTS = "cancel_payments"
    CHANGE_SCHEDULES = "change_schedules"
    END_KEYS = "end_keys"
    WRITE_NOTES = "write_notes"  # beside payments and customers, and give them tags
    SETTLE_BY_HAND = "settle_by_hand"  # say what became of a call, and close what differs from the PG's file
    RESEND_WEBHOOKS = "resend_webhooks"
    SEE_SETTINGS = "see_settings"
    CHANGE_SETTINGS = "change_settings"
    SEE_AUDIT_LOG = "see_audit_log"
    MANAGE_OPERATORS = "manage_operators"
    DEMAND_SECOND_STEP = "demand_second_step"  # of everybody in a role
    ADD_MERCHANTS = "add_merchants"


_EVERYBODY = frozenset(Role)

MAY: Mapping[Permission, frozenset[Role]] = {
    Permission.ANYBODY: _EVERYBODY,
    Permission.HALF_SIGNED_IN: frozenset(),
    Permission.OWN_ACCOUNT: _EVERYBODY,
    Permission.SEE_PAYMENTS: _EVERYBODY,
    Permission.EXPORT_PAYMENTS: frozenset({Role.OWNER, Role.ADMIN, Role.MANAGER}),
    Permission.CANCEL_PAYMENTS: frozenset({Role.OWNER, Role.ADMIN, Role.MANAGER}),
    Permission.CHANGE_SCHEDULES: frozenset({Role.OWNER, Role.ADMIN, Role.MANAGER}),
    Permission.END_KEYS: frozenset({Role.OWNER, Role.ADMIN, Role.MANAGER}),
    Permission.WRITE_NOTES: frozenset({Role.OWNER, Role.ADMIN, Role.DEVELOPER, Role.MANAGER}),
    Permission.SETTLE_BY_HAND: frozenset({Role.OWNER, Role.ADMIN, Role.MANAGER}),
    Permission.RESEND_WEBHOOKS: frozenset({Role.OWNER, Role.ADMIN, Role.DEVELOPER, Role.MANAGER}),
    Permission.SEE_SETTINGS: _EVERYBODY,
    Permission.CHANGE_SETTINGS: frozenset({Role.OWNER, Role.ADMIN, Role.DEVELOPER}),
    Permission.SEE_AUDIT_LOG: frozenset({Role.OWNER, Role.ADMIN}),
    Permission.MANAGE_OPERATORS: frozenset({Role.OWNER, Role.ADMIN}),
    Permission.DEMAND_SECOND_STEP: frozenset({Role.OWNER}),
    Permission.ADD_MERCHANTS: frozenset({Role.OWNER, Role.ADMIN}),
}
"""Who may do what. A permission that is not in here is nobody's."""


OF_THE_INSTALLATION = frozenset({Permission.MANAGE_OPERATORS, Permission.DEMAND_SECOND_STEP, Permission.ADD_MERCHANTS})
"""What is nobody's who is limited to some merchants, whatever their role."""


def may(role: Role, permission: Permission) -> bool:
    """Return whether a signed-in operator of this role may do it."""
    return role in MAY.get(permission, frozenset())


def may_give(giver: Role, role: Role) -> bool:
    """Return whether an operator may make, change or end one of `role`: an owner is the business of owners alone."""
    return may(giver, Permission.MANAGE_OPERATORS) and (role is not Role.OWNER or giver is Role.OWNER)
