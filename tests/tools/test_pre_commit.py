"""Before a commit the same is looked at as by `make lint`, by the programs that are there, without a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
HOOKS = [hook for repository in CONFIG["repos"] for hook in repository["hooks"]]


def test_nothing_is_fetched():
    assert [repository["repo"] for repository in CONFIG["repos"]] == ["local"]
    assert {hook["language"] for hook in HOOKS} == {"system"}
    assert all(hook["entry"].startswith(".venv/bin/") for hook in HOOKS)


def test_the_commands_are_those_of_make_lint():
    (steps,) = re.findall(r"^steps-lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    looked = re.findall(r"\$\(BIN\)/([^|;&$]+?)(?= &&|;| \|\|)", steps)
    assert [hook["entry"].removeprefix(".venv/bin/") for hook in HOOKS] == looked


@pytest.mark.slow
def test_every_file_passes(tmp_path):
    # The programs of the environment that runs this are taken, wherever it is.
    config = tmp_path / "config.yaml"
    text = (ROOT / ".pre-commit-config.yaml").read_text()
    config.write_text(text.replace(".venv/bin/", f"{Path(sys.executable).parent}/"))
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color", "never", "--config", str(config)],
        cwd=ROOT,
        env=os.environ | {"PRE_COMMIT_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.rsplit(".")[-1] for line in done.stdout.splitlines()] == ["Passed"] * len(HOOKS)


def test_what_is_wrong_is_refused(tmp_path):
    """A commit through the hook, in a small repository with the same configuration for the format."""
    (tmp_path / "bad.py").write_text("x  =  1\n")
    entry = f"{Path(sys.executable).parent}/ruff format --check"
    hook = next(hook for hook in HOOKS if hook["id"] == "format") | {"entry": entry}
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": [hook]}]}))
    run = [sys.executable, "-m", "pre_commit"]
    # Whoever has hooks of his own for every repository keeps them out of this one.
    environment = os.environ | {"PRE_COMMIT_HOME": str(tmp_path / "home"), "GIT_CONFIG_GLOBAL": os.devnull}
    for words in (["git", "init", "-q"], [*run, "install"], ["git", "add", "."]):
        subprocess.run(words, cwd=tmp_path, env=environment, check=True, capture_output=True)
    commit = ["git", "-c", "user.name=A", "-c", "user.email=a@example", "commit", "-m", "Bad"]
    done = subprocess.run(commit, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.search(r"^format .*Failed$", done.stderr, re.MULTILINE), done.stderr
    assert "bad.py" in done.stderr
