"""`maedal audit`: what people did, who, when and why."""

from __future__ import annotations

from typing import Annotated

import typer

from maedal.cli.running import out, show, with_gateway
from maedal.cli.settings import read

app = typer.Typer(no_args_is_help=True, help="The audit log: acts of people, never changed and never removed.")

LIST_MAX = 1_000


@app.command("list")
def list_acts(
    merchant: Annotated[str, typer.Option(help="Identification code.")],
    limit: Annotated[int, typer.Option(min=1, max=LIST_MAX, help="At most so many, the newest.")] = 50,
) -> None:
    """List the acts of people in a merchant's matters, newest first."""
    from maedal.app import Gateway

    async def work(gateway: Gateway) -> None:
        audit_entries = await gateway.store.audit.entries(merchant, limit)
        if not audit_entries:
            out.print("nobody did anything yet that the audit log keeps")
        for audit_entry in audit_entries:
            show(
                f"{audit_entry.happened_at:%Y-%m-%d %H:%M:%S} UTC  {audit_entry.kind}",
                subject=audit_entry.subject,
                who=audit_entry.who,
                reason=audit_entry.reason,
                before=audit_entry.before,
                after=audit_entry.after,
            )

    with_gateway(read(), work)
