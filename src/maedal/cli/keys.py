"""`maedal keys`: the file of keys that seals secrets."""

from __future__ import annotations

import typer

from maedal.cli.running import give_up, out
from maedal.cli.settings import read

app = typer.Typer(no_args_is_help=True, help="The key file: without it nothing in the database can be read again.")


@app.command("create")
def create() -> None:
    """Make the file that MAEDAL_KEY_FILE names, readable by its owner alone. Never overwrites one."""
    from rich.markup import escape

    from maedal.vault import create_key_file

    path = read().key_file
    try:
        create_key_file(path)
    except FileExistsError:
        give_up(f"{path} is there already; a new key file could not read what the old one sealed")
    except OSError as error:
        give_up(f"cannot write {path} ({error.strerror})")
    out.print(f"made {escape(str(path))}; keep a copy apart from the database's backups")


@app.callback()
def _group() -> None:
    # With a single command Typer would swallow its name; more are to come.
    """Hold the commands."""
