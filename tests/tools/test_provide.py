from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tools.provide import Found, Missing, Need

from tools import provide

BROWSER = Found(Path("/usr/bin/chromium"), "installed")


class Machine:
    """Finds the browser only after a given step has been taken, and keeps the steps."""

    def __init__(self, *, has_it_after: str | None) -> None:
        self.steps = ["start"]
        self.has_it_after = has_it_after
        self.need = Need("Chromium", self.find, ("chromium",), "install Chromium", download=("playwright",))

    def find(self) -> Found | None:
        return BROWSER if self.has_it_after in self.steps else None

    def install(self, packages: Sequence[str]) -> None:
        self.steps.append("packages")

    def download(self, arguments: Sequence[str]) -> None:
        self.steps.append("download")

    def obtain(self) -> Found:
        return provide.obtain(self.need, install=self.install, download=self.download)


def executable(path: Path, text: str = "#!/bin/sh\nexit 0\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_what_is_installed_is_taken_as_it_is() -> None:
    machine = Machine(has_it_after="start")
    assert machine.obtain() == BROWSER
    assert machine.steps == ["start"]


def test_debians_packages_come_before_a_download() -> None:
    machine = Machine(has_it_after="packages")
    assert machine.obtain().path == BROWSER.path
    assert machine.steps == ["start", "packages"]


def test_a_program_is_taken_out_of_a_package_before_anything_is_downloaded() -> None:
    machine = Machine(has_it_after="unpacked")
    machine.need = replace(machine.need, packages=(), unpack=("prometheus", "usr/bin/promtool"))
    found = provide.obtain(
        machine.need,
        install=machine.install,
        download=machine.download,
        unpack=lambda _: machine.steps.append("unpacked"),
    )
    assert found.path == BROWSER.path
    assert machine.steps == ["start", "unpacked"]


def test_the_tools_own_download_comes_last() -> None:
    machine = Machine(has_it_after="download")
    assert machine.obtain().path == BROWSER.path
    assert machine.steps == ["start", "packages", "download"]


def test_when_all_fail_one_line_says_what_to_install() -> None:
    machine = Machine(has_it_after=None)
    with pytest.raises(Missing) as missing:
        machine.obtain()
    assert str(missing.value) == "Chromium is missing: install Chromium"
    assert machine.steps == ["start", "packages", "download"]


@pytest.mark.parametrize(
    "need",
    [
        provide.CHROMIUM,
        provide.POSTGRES,
        provide.CLUSTER,
        provide.PGBOUNCER,
        provide.KOREAN_FONT,
        provide.NODE,
        provide.CONTAINERS,
    ],
)
def test_every_need_says_on_one_line_what_to_install(need: Need) -> None:
    assert "\n" not in need.advice
    assert "apt-get install" in need.advice
    assert need.packages


def test_an_unset_variable_names_nothing() -> None:
    assert provide.named("MAEDAL_CHROMIUM", {}, lambda _: True, "a browser") is None
    assert provide.named("MAEDAL_CHROMIUM", {"MAEDAL_CHROMIUM": " "}, lambda _: True, "a browser") is None


def test_a_variable_names_the_path(tmp_path: Path) -> None:
    found = provide.named("MAEDAL_CHROMIUM", {"MAEDAL_CHROMIUM": str(tmp_path)}, lambda _: True, "a browser")
    assert found == Found(tmp_path, "named by MAEDAL_CHROMIUM")


def test_a_variable_that_leads_nowhere_is_an_error_and_not_passed_over() -> None:
    with pytest.raises(Missing, match="MAEDAL_CHROMIUM=/nowhere is not a browser"):
        provide.named("MAEDAL_CHROMIUM", {"MAEDAL_CHROMIUM": "/nowhere"}, lambda _: False, "a browser")


def test_a_program_on_the_path_that_does_not_run_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(tmp_path / "chromium", "#!/bin/sh\necho 'please install the snap'; exit 1\n")
    works = executable(tmp_path / "google-chrome")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = provide.on_path(["chromium", "chromium-browser", "google-chrome"], provide.answers_its_version)
    assert found == Found(works, "installed")


def test_the_newest_postgresql_comes_first_by_number_and_not_by_letter() -> None:
    folders = [Path(f"/usr/lib/postgresql/{version}/bin") for version in ("9.6", "17", "15", "16")]
    newest = [folder.parent.name for folder in provide.newest_first(folders)]
    assert newest == ["17", "16", "15", "9.6"]


def test_a_postgresql_folder_has_all_three_programs(tmp_path: Path) -> None:
    for program in ("initdb", "postgres"):
        executable(tmp_path / program)
    assert not provide.has_postgres(tmp_path)
    executable(tmp_path / "pg_ctl")
    assert provide.has_postgres(tmp_path)


def test_a_named_postgresql_folder_without_programs_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEDAL_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(Missing, match="a folder with initdb, postgres, pg_ctl"):
        provide.obtain(provide.POSTGRES)


def test_root_calls_apt_get_as_it_is() -> None:
    command = provide.debian_command(root=True, apt_get="/usr/bin/apt-get", sudo=None)
    assert command is not None
    assert command[:3] == ["env", "DEBIAN_FRONTEND=noninteractive", "/usr/bin/apt-get"]


def test_others_need_a_sudo_that_asks_nothing() -> None:
    command = provide.debian_command(root=False, apt_get="/usr/bin/apt-get", sudo="/usr/bin/sudo")
    assert command is not None
    assert command[:2] == ["/usr/bin/sudo", "-n"]
    assert provide.debian_command(root=False, apt_get="/usr/bin/apt-get", sudo=None) is None


def test_without_apt_get_there_is_no_debian() -> None:
    assert provide.debian_command(root=True, apt_get=None, sudo=None) is None


def test_the_table_names_a_ready_server_and_ends_with_the_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def obtain(need: Need) -> Found:
        if need is provide.NODE:
            raise Missing("Node.js is missing: install it")
        return BROWSER

    monkeypatch.setattr(provide, "obtain", obtain)
    monkeypatch.setenv("MAEDAL_TEST_DATABASE_URL", "postgresql://somewhere/maedal")
    assert provide.main() == 1
    lines = capsys.readouterr().out.splitlines()
    assert "PostgreSQL     a ready server, named by MAEDAL_TEST_DATABASE_URL" in lines
    assert lines[-1] == "Node.js is missing: install it"


def test_a_program_in_usr_sbin_is_found_though_it_is_not_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert provide._system_program("sh") == Path("/usr/bin/sh")


def test_a_named_part_of_the_cluster_that_does_not_exist_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAEDAL_ETCD", "/nowhere")
    with pytest.raises(Missing, match="MAEDAL_ETCD=/nowhere is not etcd, a program"):
        provide.obtain(provide.CLUSTER)


def test_only_debian_is_asked_for_a_small_debian(tmp_path: Path) -> None:
    release = tmp_path / "os-release"
    release.write_text('NAME="Some other"\nID=other\nVERSION_CODENAME=bookworm\n')
    with pytest.raises(Missing, match="on Debian alone"):
        provide.debian_making(tmp_path / "debian.tar", release)
    release.write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    command = provide.debian_making(tmp_path / "debian.tar", release)
    assert command[:3] == ["mmdebstrap", "--variant=minbase", "--format=tar"]
    assert {"bookworm", str(tmp_path / "debian.tar")} <= set(command)


def test_a_package_of_services_is_installed_without_starting_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = tmp_path / "policy-rc.d"
    seen = tmp_path / "seen"
    apt = executable(tmp_path / "apt-get", f"#!/bin/sh\n{policy}; echo $? >{seen}\n")
    monkeypatch.setattr(provide, "POLICY", policy)
    monkeypatch.setattr(provide, "_apt", lambda: ("env", "A=b", str(apt)))
    provide._install_without_starting(["etcd-server"])
    assert seen.read_text() == "101\n"
    assert not policy.exists()
