"""How commands are put together: a module is imported when one of its commands runs, and each knows `--data-dir`."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from maedal.cli import data_dir

RUN, SET_UP, LOOK, REPAIR = "Run", "Set up", "Look", "Repair"
"""The parts of `maedal --help`, in the order in which somebody comes to need them."""
_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Entry:
    """A command or a group of commands as `maedal --help` shows it, and where it stands."""

    name: str
    part: str
    help: str
    module: str
    member: str = "app"
    """A function, or a `Commands` with more of them."""


def _choose(value: Path | None) -> Path | None:
    data_dir.choose(value)
    return value


class Command(TyperCommand):
    """A command with `--data-dir`, unless it has an option of that name itself."""

    def get_params(self, ctx: Any) -> list[Any]:
        params = super().get_params(ctx)
        if any("--data-dir" in param.opts for param in params):
            return params
        return [*params[:-1], *_DATA_DIR.params, params[-1]]


def _takes_data_dir(
    _data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            callback=_choose,
            expose_value=False,
            help="Work on what `maedal dev` keeps in this folder, at its time; no other setting is needed.",
        ),
    ] = None,
) -> None: ...


class Commands(typer.Typer):
    """Commands of one concern; all of them know `--data-dir`."""

    def command(self, name: str | None = None, **more: Any) -> Callable[[_F], _F]:
        return super().command(name, **{"cls": Command} | more)


_only = typer.Typer(add_completion=False)
_only.command()(_takes_data_dir)
_DATA_DIR: Any = typer.main.get_command(_only)
"""A command with nothing but the option, which all others borrow."""


class LazyGroup(TyperGroup):
    """Shows its entries without importing them; whatever is run is imported then."""

    entries: Sequence[Entry] = ()

    @property
    def commands(self) -> MutableMapping[str, Any]:
        """Every command, imported."""
        return {entry.name: _loaded(entry) for entry in self.entries}

    @commands.setter
    def commands(self, _: object) -> None:
        """Take nothing: the entries are all there is."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the library's own signature
        return [entry.name for entry in self.entries]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = next((entry for entry in self.entries if entry.name == cmd_name), None)
        if entry is None:
            return None
        # With this flag the arguments that come after a command are being read or completed: it is meant itself.
        if ctx.meta.get(_RESOLVING):
            return _loaded(entry)
        return TyperCommand(entry.name, help=entry.help, rich_help_panel=entry.part, callback=None)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the library's own signature
        """Write the entries part by part, without rich: to import it costs more than everything else of `--help`."""
        longest = max(len(entry.name) for entry in self.entries)
        for part in dict.fromkeys(entry.part for entry in self.entries):
            with formatter.section(part):
                formatter.write_dl(
                    [(entry.name.ljust(longest), entry.help) for entry in self.entries if entry.part == part]
                )

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        ctx.meta[_RESOLVING] = True
        try:
            return super().resolve_command(ctx, args)
        finally:
            del ctx.meta[_RESOLVING]


_RESOLVING = "maedal.resolving"


def _loaded(entry: Entry) -> Any:
    member = getattr(import_module(entry.module), entry.member)
    if isinstance(member, typer.Typer):
        member.info.name = entry.name
        found: Any = typer.main.get_group(member)
    else:
        alone = Commands(add_completion=False)
        alone.command(entry.name)(member)
        found = typer.main.get_command(alone)
    found.name = entry.name
    found.rich_help_panel = entry.part
    return found
