"""How much of the store a flow may touch: what it names, the sum of what it uses, and never the whole."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.test_architecture import SRC, STORAGE, SUBJECTS, imports

FLOWS = SRC / "maedal" / "flows"
WIRING = FLOWS / "services.py"
"""Where the whole store is joined to the services that ways in hold."""
REPLICA = STORAGE / "replica.py"
"""What a page may read from in its place."""
PARTS = {
    **{
        subject: "Has" + subject.title().replace("_", "")
        for subject in SUBJECTS
        if (STORAGE / subject / "reads.py").exists()
    },
    "write": "Writes",
    "health": "HasHealth",
    "standing": "HasHealth",
    "snapshot": "HasSnapshots",
}


def store_of(module: str) -> str:
    """Return what the flow's part of the store is called: `CancelStore` of `cancel`."""
    return f"{module.title().replace('_', '')}Store"


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def declared(tree: ast.Module, module: str) -> list[str]:
    """Return what a flow says that it uses, in its order."""
    return [
        base.id
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == store_of(module)
        for base in node.bases
        if isinstance(base, ast.Name) and base.id != "Protocol"
    ]


@cache
def used(module: str) -> frozenset[str]:
    """Return what a flow and those that it calls ask of the store."""
    tree = tree_of(FLOWS / f"{module}.py")
    return frozenset(asked_here(tree)).union(*map(used, called_flows(tree)))


def asked_here(tree: ast.Module) -> set[str]:
    """Return the parts of the store that the text itself asks: `services.store.payments.find(…)`."""
    return {
        PARTS[node.attr]
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute)
        if (node.value.id if isinstance(node.value, ast.Name) else node.value.attr) in {"store", "_store"}
    }


def called_flows(tree: ast.Module) -> set[str]:
    """Return the other flows that the text calls something of that takes their part of the store."""
    modules = {path.stem for path in FLOWS.glob("*.py")}
    named = {
        (node.module.rpartition(".")[2], alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.startswith("maedal.flows.")
        for alias in node.names
    } | {
        (node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules
    }
    return {module for module, name in named if takes_its_store(module, name)}


@cache
def takes_its_store(module: str, name: str) -> bool:
    return any(
        store_of(module) in ast.unparse(node.args)
        for top in tree_of(FLOWS / f"{module}.py").body
        if getattr(top, "name", None) == name
        for node in ast.walk(top)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_the_whole_store_is_named_only_where_it_is_wired():
    broken = [
        f"{path.relative_to(SRC)}:{line} imports {name}"
        for path in (SRC / "maedal").rglob("*.py")
        if path not in {WIRING, REPLICA}
        for line, name in imports(path)
        if name.startswith("maedal.storage.store")
    ]
    assert broken == []


def test_no_flow_takes_services_with_the_whole_store():
    broken = [
        f"{path.relative_to(SRC)}:{line} imports {name}: take ServicesWith[{store_of(path.stem)}]"
        for path in FLOWS.glob("*.py")
        for line, name in imports(path)
        if name in {"maedal.flows.services.Services", "maedal.flows.services"}
    ]
    assert broken == []


@pytest.mark.parametrize("module", [path.stem for path in sorted(FLOWS.glob("*.py")) if path != WIRING])
def test_a_flow_names_what_it_uses_of_the_store_and_nothing_else(module):
    parts = sorted(used(module))
    line = f"class {store_of(module)}({', '.join([*parts, 'Protocol'])}): ..."
    assert declared(tree_of(FLOWS / f"{module}.py"), module) == parts, f"flows/{module}.py says: {line}"
