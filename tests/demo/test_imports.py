"""The shop is a merchant's shop: it reaches the gateway only over HTTP."""

import ast
from pathlib import Path

import maedal.demo

HERE = Path(maedal.demo.__file__).parent


def imported(file: Path) -> list[str]:
    """Every module a file imports, relative ones written out."""
    inside = ["maedal", "demo", *file.relative_to(HERE).parent.parts]
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = inside[: len(inside) - node.level + 1] if node.level else []
            names.append(".".join([*above, *([node.module] if node.module else [])]))
    return names


def test_the_shop_imports_nothing_of_the_gateway_or_the_simulator():
    files = list(HERE.rglob("*.py"))
    foreign = [
        f"{file.name}: {name}"
        for file in files
        for name in imported(file)
        if name.split(".")[0] in {"maedal", "kakaopay_sandbox"} and not (name + ".").startswith("maedal.demo.")
    ]
    assert len(files) >= 5
    assert foreign == []


def test_the_shop_can_be_copied_under_another_name():
    absolute = [name for file in HERE.rglob("*.py") if "maedal.demo" in (name := file.read_text(encoding="utf-8"))]
    assert absolute == []
