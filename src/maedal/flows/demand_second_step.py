"""Demand a second step of roles: before anything else they do, whoever has such a role sets one up."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from maedal.flows.operator_entry import operator_entry
from maedal.flows.services import ServicesWith
from maedal.flows.sign_in import has_own_rights, sealed_rights
from maedal.operators.actor import Actor
from maedal.operators.operator_audit_entry import OperatorAuditAction
from maedal.operators.role import Role
from maedal.payments.errors import InvalidParameter
from maedal.storage.errors import Conflict
from maedal.storage.operators.reads import HasOperators
from maedal.storage.operators.writes import DemandSecondStep
from maedal.storage.write import Writes


class DemandSecondStepStore(HasOperators, Writes, Protocol): ...


async def demand_second_step(services: ServicesWith[DemandSecondStepStore], roles: frozenset[Role], by: Actor) -> None:
    """Demand a second step of everybody in these roles, before anything else they do; of other roles, no more.

    Raises InvalidParameter unless an owner asks.
    """
    if by.role not in {None, Role.OWNER}:
        raise InvalidParameter("role", "an owner alone demands the second step of a role")
    for last in (False, False, True):
        before = await services.store.operators.second_step_roles()
        entry = operator_entry(
            services,
            OperatorAuditAction.DEMAND_SECOND_STEP,
            by.name,
            by.name,
            f"roles={','.join(sorted(before))}",
            f"roles={','.join(sorted(roles))}",
        )
        changed = [
            (operator, sealed_rights(services, replace(operator, second_step_required=operator.role in roles)))
            for operator in await services.store.operators.all()
            if operator.second_step_required != (operator.role in roles) and has_own_rights(services, operator)
        ]
        try:
            await services.store.write(DemandSecondStep(roles, entry, tuple(changed)))
        except Conflict as error:
            # Somebody changed one of them, or was signing in, at this very moment.
            if last:
                raise InvalidParameter("role", str(error)) from error
        else:
            return
