"""What may import what: the house plan of docs/architecture.md, read from the code. A break names its line."""

from __future__ import annotations

import ast
import re
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
CONCEPTS = (
    "merchants",
    "billing_keys",
    "payments",
    "schedules",
    "plans",
    "webhooks",
    "reconciliation",
    "operators",
    "maintenance",
    "messages",
    "dunning",
    "log_chain",
)
STORAGE = SRC / "maedal" / "storage"
SUBJECTS = tuple(
    sorted(
        path.parent.name
        for path in STORAGE.glob("*/__init__.py")
        if path.parent.name != "engine"  # the databases, which know how to write and nothing of what
    )
)
# What the rest of maedal may know of storage: what may be written, what may be asked, and what goes wrong.
STORE_CONTRACTS = (
    "maedal.storage.store",
    "maedal.storage.errors",
    "maedal.storage.health",
    "maedal.storage.replica",
    "maedal.storage.snapshots",
    "maedal.storage.write",
    *(f"maedal.storage.{subject}.{part}" for subject in SUBJECTS for part in ("writes", "reads")),
)
CONTRACTS = ("maedal.pg.driver", *STORE_CONTRACTS)
LINES_MAX = 400
IN_ONE_PIECE = {
    # What shops load: one script without a build.
    "maedal/checkout/sdk/iamport.js",
}
WAYS_IN = ("rest", "checkout", "console", "worker", "cli", "transfer")

# Room → what of maedal it may import besides itself. Rooms that are not listed may not exist.
ALLOWED: dict[str, tuple[str, ...]] = {
    **{concept: ("maedal.errors", *(f"maedal.{c}" for c in CONCEPTS)) for concept in CONCEPTS},
    "flows": (
        "maedal.errors", "maedal.clock", "maedal.metrics", "maedal.web_address", *CONTRACTS,
        *(f"maedal.{c}" for c in CONCEPTS),
    ),
    "pg": (*(f"maedal.{c}" for c in CONCEPTS), "maedal.clock", "maedal.web_address"),
    "storage": ("maedal.private_files", *(f"maedal.{c}" for c in CONCEPTS)),
    "vault": ("maedal.private_files",),
    "backup": ("maedal.private_files", "maedal.storage.migrate", "maedal.storage.open"),
    "outbound": ("maedal.flows.services", "maedal.messages"),
    "server": ("maedal.http11_only",),
    "rest": (
        "maedal.errors", "maedal.percent_encoding", "maedal.korean_messages", "maedal.flows", "maedal.settings", "maedal.metrics", *CONTRACTS,
        *(f"maedal.{c}" for c in CONCEPTS),
    ),
    # The checkout reads the same fields and shows the same words as the REST API.
    "checkout": ("maedal.errors", "maedal.flows", "maedal.rest", "maedal.vault", "maedal.web_address", *CONTRACTS,
                 *(f"maedal.{c}" for c in CONCEPTS)),
    # What a role may do and what a channel may be are not decided here: pages show what flows and queries give.
    "console": ("maedal.errors", "maedal.percent_encoding", "maedal.korean_messages", "maedal.flows", "maedal.settings", *CONTRACTS, *(f"maedal.{c}" for c in CONCEPTS)),
    # It says what the code does: errors, codes, states and routes.
    "manual": ("maedal.errors", "maedal.checkout.errors", "maedal.flows.outcome_writes", "maedal.pg", "maedal.rest", *(f"maedal.{c}" for c in CONCEPTS)),
    # A file's entries are the REST API's objects, read and written.
    "transfer": ("maedal.errors", "maedal.flows", "maedal.rest.wire", *CONTRACTS, *(f"maedal.{c}" for c in CONCEPTS)),
    "worker": ("maedal.flows", "maedal.payments.moves", *CONTRACTS),
    "cli": (
        "maedal.app", "maedal.backup", "maedal.control.callers", "maedal.errors", "maedal.flows", "maedal.clock", "maedal.logs", "maedal.metrics", "maedal.transfer", "maedal.private_files", "maedal.server", "maedal.settings", "maedal.storage.migrate",
        "maedal.storage.open", "maedal.testing", "maedal.vault", "maedal.worker", *CONTRACTS, *(f"maedal.{c}" for c in CONCEPTS),
    ),
    # What scripts may do to a `maedal dev`: calls of flows, as the console's pages are.
    "control": ("maedal.errors", "maedal.flows", *CONTRACTS, *(f"maedal.{c}" for c in CONCEPTS)),
    # Written against public interfaces only, as a shop's own tests are.
    "testing": (),
    "demo": (),
}  # fmt: skip
STANDALONE = {
    "__init__", "__main__", "app", "clock", "code_digest", "errors", "http11_only", "korean_messages", "logs", "metrics",
    "percent_encoding", "private_files", "settings", "web_address",
}  # fmt: skip


# Folders of tests that no one room has.
ACROSS_ROOMS = {
    "bench", "browser", "deploy", "e2e", "manual", "node_client", "receivers", "sandbox", "sdk", "serving",
    "subscriptions", "support", "tools", "torture",
}  # fmt: skip


def imports(path: Path) -> list[tuple[int, str]]:
    """Return line and full name of every import in a file, relative ones resolved."""
    package = path.relative_to(SRC).with_suffix("").parts[:-1]
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            found += [(node.lineno, f"{module}.{alias.name}") for alias in node.names]
    return found


def rooms() -> list[tuple[str, Path]]:
    files = (SRC / "maedal").rglob("*.py")
    return [(p.relative_to(SRC / "maedal").parts[0].removesuffix(".py"), p) for p in files]


def is_under(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == p or name.startswith(p + ".") for p in prefixes)


def test_every_room_is_in_the_plan():
    assert {room for room, _ in rooms()} <= set(ALLOWED) | STANDALONE


def test_every_folder_of_tests_is_called_as_the_room_it_tests():
    folders = {path.parent.name for path in Path(__file__).parent.glob("*/__init__.py")}
    assert folders <= set(ALLOWED) | ACROSS_ROOMS


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_what_the_plan_allows(room):
    broken = [
        f"{path.relative_to(SRC)}:{line} imports {name}"
        for owner, path in rooms()
        if owner == room
        for line, name in imports(path)
        if name.startswith("maedal.") and not is_under(name, (f"maedal.{room}", *ALLOWED[room]))
    ]
    assert broken == []


@pytest.mark.parametrize("concept", CONCEPTS)
def test_a_concept_knows_the_standard_library_only(concept):
    broken = [
        f"{path.relative_to(SRC)}:{line} imports {name}"
        for owner, path in rooms()
        if owner == concept
        for line, name in imports(path)
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "maedal"}
    ]
    assert broken == []


def test_the_simulator_and_the_gateway_know_nothing_of_each_other():
    broken = [
        f"{path.relative_to(SRC)}:{line} imports {name}"
        for package, other in (("maedal", "kakaopay_sandbox"), ("kakaopay_sandbox", "maedal"))
        for path in (SRC / package).rglob("*.py")
        for line, name in imports(path)
        if is_under(name, (other,))
    ]
    assert broken == []


def test_what_a_store_is_asked_for_knows_no_database():
    allowed = (*STORE_CONTRACTS, *(f"maedal.{concept}" for concept in CONCEPTS))
    files = [
        path
        for path in STORAGE.rglob("*.py")
        if is_under(".".join(path.relative_to(SRC).with_suffix("").parts), STORE_CONTRACTS)
    ]
    broken = [
        f"{path.relative_to(SRC)}:{line} imports {name}"
        for path in files
        for line, name in imports(path)
        if name.partition(".")[0] not in sys.stdlib_module_names and not is_under(name, allowed)
    ]
    assert len(files) > len(SUBJECTS)
    assert broken == []


def test_the_databases_know_no_subject():
    broken = [
        f"{path.relative_to(SRC)}:{line} imports {name}"
        for path in (STORAGE / "engine").rglob("*.py")
        for line, name in imports(path)
        if is_under(name, tuple(f"maedal.storage.{subject}" for subject in SUBJECTS))
    ]
    assert broken == []


def test_subjects_of_the_store_import_one_another_without_a_circle():
    known = {
        subject: {
            other
            for path in (STORAGE / subject).rglob("*.py")
            for _, name in imports(path)
            for other in SUBJECTS
            if other != subject and is_under(name, (f"maedal.storage.{other}",))
        }
        for subject in SUBJECTS
    }
    try:
        TopologicalSorter(known).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_no_file_is_too_long_to_be_read_at_once():
    long = {
        str(path.relative_to(SRC)): count
        for path in sorted(SRC.rglob("*"))
        if path.suffix in {".py", ".html", ".css", ".js", ".sql"}
        and not path.name.endswith(".min.js")
        and str(path.relative_to(SRC)) not in IN_ONE_PIECE
        and (count := len(path.read_text().splitlines())) > LINES_MAX
    }
    assert long == {}


def test_sql_lives_in_storage_only():
    words = ("SELECT ", "INSERT INTO", "DELETE FROM", "UPDATE ")
    broken = [
        f"{path.relative_to(SRC)}:{node.lineno}"
        for room, path in rooms()
        if room not in {"storage", "demo"}
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.lstrip().startswith(words)
    ]
    assert broken == []


def test_tables_for_spreadsheets_are_written_in_one_place():
    # There what a spreadsheet would carry out as a formula is made text.
    writers = {
        str(path.relative_to(SRC))
        for _, path in rooms()
        for _, name in imports(path)
        if name.partition(".")[0] in {"csv", "xlsxwriter"}
    }
    assert writers == {"maedal/console/frame/spreadsheets.py"}


def test_no_exception_that_is_kept_is_raised():
    # Raised again and again, one exception keeps every frame that it ever met.
    broken = [
        f"{path.relative_to(SRC)}:{node.lineno}"
        for _, path in rooms()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Name | ast.Attribute)
        and (node.exc.id if isinstance(node.exc, ast.Name) else node.exc.attr).isupper()
    ]
    assert broken == []


def test_only_the_clock_asks_what_time_it_is():
    banned = {("datetime", "now"), ("datetime", "utcnow"), ("time", "time"), ("date", "today")}
    broken = [
        f"{path.relative_to(SRC)}:{node.lineno}"
        for room, path in rooms()
        if room not in {"clock", "demo"}
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr) in banned
    ]
    assert broken == []


def test_only_the_wire_turns_moments_into_epoch_seconds():
    # Ids sort by time and a token is derived from its second; neither goes out as a time. A signature's header and a figure do.
    allowed = {
        "maedal/rest/wire.py",
        "maedal/control/router.py",
        "maedal/payments/ids.py",
        "maedal/flows/issue_token.py",
        "maedal/flows/sign_webhook.py",
        "maedal/flows/send_messages.py",
        "maedal/metrics.py",
    }
    broken = [
        f"{path.relative_to(SRC)}:{node.lineno}"
        for room, path in rooms()
        if str(path.relative_to(SRC)) not in allowed and room not in {"demo", "testing"}
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"timestamp", "fromtimestamp", "utcfromtimestamp"}
    ]
    assert broken == []


CONSOLE = SRC / "maedal" / "console"
TEMPLATE_NAMED = re.compile(r'"([a-z_]+)/([a-z_]+\.html)"')


def console_files(*endings: str) -> list[tuple[str, Path]]:
    """Return the files below the console's folders, each with the subject that it belongs to."""
    found = [(path.relative_to(CONSOLE).parts[0], path) for path in sorted(CONSOLE.glob("*/**/*"))]
    return [(subject, path) for subject, path in found if path.name.endswith(endings)]


def test_subjects_of_the_console_import_the_frame_and_never_each_other():
    broken = [
        f"{path.relative_to(SRC)}:{line} imports {name}"
        for subject, path in console_files(".py")
        for line, name in imports(path)
        if is_under(name, ("maedal.console",))
        and not is_under(name, ("maedal.console.frame", f"maedal.console.{subject}"))
    ]
    assert broken == []


def test_subjects_of_the_console_use_templates_of_their_own_and_of_the_frame():
    broken = [
        f"{path.relative_to(SRC)} names {folder}/{name}"
        for subject, path in console_files(".py", ".html")
        for folder, name in TEMPLATE_NAMED.findall(path.read_text())
        if folder not in {"frame", subject}
    ]
    assert broken == []


def test_every_template_of_the_console_is_used_and_every_used_one_is_there():
    named = {
        "/".join(one) for _, path in console_files(".py", ".html") for one in TEMPLATE_NAMED.findall(path.read_text())
    }
    assert named == {str(path.relative_to(CONSOLE)) for _, path in console_files(".html")}
