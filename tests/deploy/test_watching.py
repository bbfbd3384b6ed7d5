"""What `deploy/` offers for watching a gateway: alerts that are tried one by one, and a dashboard that names real figures."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from maedal import metrics
from maedal.flows.check_invariants import InvariantWatch
from tools import provide

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "maedal.rules.yml"
TRIES = DEPLOY / "prometheus" / "maedal.rules.test.yml"
DASHBOARD = DEPLOY / "grafana" / "maedal.json"
ALERTS = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
PROMETHEUS_OWN = {"up"}
NAME = re.compile(r"\b(maedal_\w+|process_\w+|up)\b")


def promtool(*words: str, folder: Path = TRIES.parent) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [provide.promtool(), *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def panels() -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return shown


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel.get("targets", [])]


def test_the_rules_are_sound_and_every_try_of_them_comes_out_as_it_should() -> None:
    for words in (("check", "rules", RULES.name), ("test", "rules", TRIES.name)):
        ran = promtool(*words)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_alert_has_a_try_in_which_it_stays_quiet_and_one_in_which_it_fires() -> None:
    tried: dict[str, set[bool]] = {}
    for group in yaml.safe_load(TRIES.read_text())["tests"]:
        for one in group["alert_rule_test"]:
            tried.setdefault(one["alertname"], set()).add(bool(one["exp_alerts"]))
    assert tried == {alert["alert"]: {True, False} for alert in ALERTS}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
@pytest.mark.parametrize("expr", ["vector(0) > 1", "vector(1)"], ids=["never", "always"])
def test_an_alert_that_never_fires_or_always_does_not_pass_its_try(
    alert: dict[str, Any], expr: str, tmp_path: Path
) -> None:
    rule = {**alert, "expr": expr}
    (tmp_path / RULES.name).write_text(yaml.safe_dump({"groups": [{"name": "maedal", "rules": [rule]}]}))
    tries = yaml.safe_load(TRIES.read_text())
    tries["tests"] = [one for one in tries["tests"] if one["name"] == alert["alert"]]
    (tmp_path / TRIES.name).write_text(yaml.safe_dump(tries))
    assert promtool("test", "rules", TRIES.name, folder=tmp_path).returncode != 0


def test_every_alert_says_in_both_languages_what_happened_and_what_to_do() -> None:
    for alert in ALERTS:
        assert alert["labels"]["severity"] in {"critical", "warning"}
        texts = alert["annotations"]
        assert set(texts) == {"summary", "summary_ko", "description", "description_ko"}
        assert all(re.search(r"[가-힣]", texts[name]) for name in ("summary_ko", "description_ko"))


async def test_rules_and_dashboard_name_figures_that_a_gateway_gives(flows: Any) -> None:
    await InvariantWatch(flows.services).check()
    value = set(re.findall(r"^# TYPE (\w+) ", metrics.exposition().decode(), re.MULTILINE)) | PROMETHEUS_OWN
    named = {name for text in (*expressions(), *(alert["expr"] for alert in ALERTS)) for name in NAME.findall(text)}
    assert named - value == set()
    # And nothing that we measure is shown nowhere.
    ours = {name for name in value if name.startswith("maedal_") and not name.endswith("_created")}
    assert ours - named == {"maedal_invariant_violations_total"}


def test_every_panel_has_a_question_that_prometheus_understands(tmp_path: Path) -> None:
    asked = [expr.replace("$__rate_interval", "5m") for expr in expressions()]
    rules = [{"record": f"panel_{number}", "expr": expr} for number, expr in enumerate(asked)]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    ran = promtool("check", "rules", "panels.yml", folder=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_panels_are_told_apart_titled_in_korean_and_do_not_overlap() -> None:
    shown = panels()
    assert len({panel["id"] for panel in shown}) == len(shown)
    for panel in shown:
        if panel["type"] != "row":
            assert panel["targets"]
            assert re.search(r"[가-힣]", panel["title"]) or panel["title"] == "CPU"
            assert panel["datasource"]["uid"] == "${datasource}"
    places = [panel["gridPos"] for panel in shown]
    for one, other in itertools.combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)
        assert one["x"] + one["w"] <= 24
