"""The SDK's JSDoc types, checked by TypeScript, and held against the types that shops install for the real service."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from maedal.checkout import sdk
from tools import provide

HERE = Path(__file__).parent
CORE = Path(sdk.__file__).parent / "iamport.js"
STRICT = {
    "allowJs": True, "checkJs": True, "strict": True, "noEmit": True, "noUnusedLocals": True, "noImplicitReturns": True,
    "target": "es2020", "module": "es2020", "moduleResolution": "bundler", "lib": ["es2020", "dom", "dom.iterable"],
    "types": [], "moduleDetection": "auto",
}  # fmt: skip


def run(*command: str, within: Path) -> None:
    done = subprocess.run(command, cwd=within, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with TypeScript and the typings in it, exactly as locked."""
    provide.node()  # With npm beside it on PATH; or it fails with one line that says what to install.
    folder = tmp_path_factory.mktemp("types")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / name, folder)
    run("npm", "ci", "--no-audit", "--no-fund", within=folder)
    return folder


def check(workshop: Path, *files: Path) -> None:
    config = {"compilerOptions": STRICT, "files": [str(file) for file in files]}
    (workshop / "tsconfig.json").write_text(json.dumps(config))
    run("node_modules/.bin/tsc", "--project", "tsconfig.json", within=workshop)


@pytest.mark.slow
def test_the_source_is_strictly_typed(workshop: Path) -> None:
    check(workshop, CORE)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["classic", "esm", "v2", "v2.esm"])
def test_what_is_made_of_it_is_strictly_typed(workshop: Path, kind: str) -> None:
    made = workshop / f"{kind}.js"
    made.write_text(sdk.source(kind), "utf-8")
    check(workshop, made)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["typings.ts", "page.ts"])
def test_typescript_pages_of_the_real_service_compile(workshop: Path, name: str) -> None:
    shutil.copy(HERE / "types" / name, workshop)
    check(workshop, CORE, workshop / name)


def test_the_lock_file_names_no_registry() -> None:
    assert "http" not in (HERE / "package-lock.json").read_text()
