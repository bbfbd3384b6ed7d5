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
        acts = await gateway.store.audit.acts(merchant, limit)
        if not acts:
            out.print("nobody did anything yet that the audit log keeps")
        for act in acts:
            show(
                f"{act.happened_at:%Y-%m-%d %H:%M:%S} UTC  {act.kind}",
                subject=act.subject,
                who=act.who,
                reason=act.reason,
                before=act.before,
                after=act.after,
            )

    with_gateway(read(), work)
