"""Keep views: sets of filters under a name, and the columns that somebody wants to see."""

from __future__ import annotations

from typing import Protocol

from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.audit_entry import NO_REASON, AuditAction, AuditEntry
from maedal.operators.operator import Operator
from maedal.operators.role import Permission, may
from maedal.payments.errors import InvalidParameter
from maedal.storage.payment_lists.reads import HasPaymentLists, SavedView
from maedal.storage.payment_lists.writes import DropView, PutColumns, PutView
from maedal.storage.write import Writes

NAME_CHARS_MAX = 60
QUERY_CHARS_MAX = 2000
VIEWS_MAX = 50


class SavedViewsStore(HasPaymentLists, Writes, Protocol): ...


async def save_view(
    services: ServicesWith[SavedViewsStore],
    merchant_id: str,
    operator: Operator,
    name: str,
    query: str,
    *,
    shared: bool,
) -> SavedView:
    """Keep a view; one's own of the same name is replaced. Raises InvalidParameter for a bad name, or too many."""
    name = name.strip()
    if not name or len(name) > NAME_CHARS_MAX or not name.isprintable():
        raise InvalidParameter("name", f"a view's name is 1 to {NAME_CHARS_MAX} printable characters")
    if len(query) > QUERY_CHARS_MAX:
        raise InvalidParameter("name", "there is too much in these filters to keep them")
    own = [
        v for v in await services.store.payment_lists.views(merchant_id, operator.id) if v.operator_id == operator.id
    ]
    before = next((v for v in own if v.name == name), None)
    if before is None and len(own) >= VIEWS_MAX:
        raise InvalidParameter("name", f"one keeps at most {VIEWS_MAX} views; delete one first")
    now = services.clock.now()
    view = SavedView(services.ids.row(now), merchant_id, operator.id, operator.name, name, query, shared, now)
    await services.store.write(PutView(view, _audit_entry(services, AuditAction.SAVE_VIEW, view, operator, before)))
    return view


async def drop_view(
    services: ServicesWith[SavedViewsStore], merchant_id: str, operator: Operator, view_id: str
) -> bool:
    """Forget a view of one's own, or a shared one if one manages operators; return whether there was one."""
    for view in await services.store.payment_lists.views(merchant_id, operator.id):
        if view.id == view_id and may_drop(view, operator):
            return await services.store.write(
                DropView(view, _audit_entry(services, AuditAction.DELETE_VIEW, view, operator, view))
            )
    return False


def may_drop(view: SavedView, operator: Operator) -> bool:
    """Return whether an operator may forget a view."""
    return view.operator_id == operator.id or may(operator.role, Permission.MANAGE_OPERATORS)


async def choose_columns(services: ServicesWith[SavedViewsStore], operator: Operator, columns: str) -> None:
    """Keep which columns an operator sees from now on, where nothing else is asked for."""
    await services.store.write(PutColumns(operator.id, columns))


def _audit_entry(
    services: ServicesWithoutStore, kind: AuditAction, view: SavedView, operator: Operator, before: SavedView | None
) -> AuditEntry:
    # What a view looks for may be somebody's name, so the log says that it changed, not what it is.
    now = services.clock.now()
    after = "" if kind is AuditAction.DELETE_VIEW else _fact(view)
    return AuditEntry(services.ids.row(now), view.merchant_id, kind, view.name, operator.name, NO_REASON,
               "" if before is None else _fact(before), after, now)  # fmt: skip


def _fact(view: SavedView) -> str:
    return f"of={view.operator_name}; shared={'yes' if view.shared else 'no'}"
