"""Find, or provide, the programs that the tests drive: Chromium, PostgreSQL, a Korean font, Node.js, PHP, Java,
promtool, what a cluster of PostgreSQL servers consists of: Patroni, etcd, HAProxy, PgBouncer; and what stands around a
gateway on a server: systemd's checker, nginx, Caddy.

Each is looked for in the same order: what the environment names, what is installed, Debian's packages (as root
or with `sudo -n`), the tool's own download. When everything fails, one line says what to install.

    python tools/provide.py          prints what was found where; exit code 1 and one line if something is missing
    from tools import provide        provide.chromium(), provide.postgres_bin(), … in a test

Standard library only, because it also runs before anything is installed.
"""

import contextlib
import fcntl
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
HEADLESS_SHELL_NAMES = ("chromium-headless-shell", "chrome-headless-shell", "headless_shell")
CHROMIUM_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
PLAYWRIGHT_CHROMIUM = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*")
CONTAINER_PROGRAMS = ("podman", "runc", "mmdebstrap")
CLUSTER_PROGRAMS = ("patroni", "patronictl", "etcd", "haproxy")
SERVICES = ("patroni", "etcd", "haproxy", "pgbouncer", "nginx", "caddy")
"""What Debian's packages of these would start, now or with the machine."""
POLICY = Path("/usr/sbin/policy-rc.d")
"""Debian asks this program before a package starts a service; 101 forbids it."""
POSTGRES_PROGRAMS = ("initdb", "postgres", "pg_ctl")
POSTGRES_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)

LOOK_SECONDS_MAX = 30
INSTALL_SECONDS_MAX = 900


class Missing(Exception):
    """Something is not on this machine and could not be provided; the text is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Found:
    path: Path
    where: str


@dataclass(frozen=True, slots=True)
class Need:
    """One thing the tests use.

    `find` looks at the environment and at what is installed, and raises Missing for a name in the environment
    that leads nowhere: whoever set it wants to know, and not to be given something else.
    """

    title: str
    find: Callable[[], Found | None]
    packages: tuple[str, ...]
    advice: str
    download: tuple[str, ...] = ()
    unpack: tuple[str, ...] = ()
    """A Debian package, and the one program to take out of it: for packages that would also start a service."""
    starts_services: bool = False
    """Whether the packages would start services, which they are then kept from."""


# What the environment names, what is installed


def named(variable: str, environment: Mapping[str, str], holds: Callable[[Path], bool], what: str) -> Found | None:
    """The path that `variable` names; None when it is not set."""
    value = environment.get(variable, "").strip()
    if not value:
        return None
    path = Path(value).expanduser().absolute()
    if not holds(path):
        raise Missing(f"{variable}={value} is not {what}: correct it or unset it")
    return Found(path, f"named by {variable}")


def on_path(names: Iterable[str], runs: Callable[[Path], bool]) -> Found | None:
    """The first of `names` on PATH that really runs; a stub that only says how to install itself does not."""
    for name in names:
        where = shutil.which(name)
        if where is not None and runs(Path(where)):
            return Found(Path(where), "installed")
    return None


def newest_first(folders: Iterable[Path]) -> list[Path]:
    """Folders ordered by the version number in their path: 17 before 9.6, `postgresql@16` before `postgresql@15`."""

    def version(folder: Path) -> tuple[int, ...]:
        digits = "".join(letter if letter.isdigit() else " " for letter in str(folder))
        return tuple(int(number) for number in digits.split())

    return sorted(folders, key=version, reverse=True)


def has_postgres(folder: Path) -> bool:
    return all(os.access(folder / program, os.X_OK) for program in POSTGRES_PROGRAMS)


def is_executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def answers_its_version(program: Path) -> bool:
    if not is_executable(program):
        return False
    ran = _run([str(program), "--version"], seconds=LOOK_SECONDS_MAX)
    return ran is not None and ran.returncode == 0


def _globbed(patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        yield from Path("/").glob(pattern.removeprefix("/"))


def _playwright_folder(environment: Mapping[str, str]) -> Path:
    named_folder = environment.get("PLAYWRIGHT_BROWSERS_PATH", "")
    if named_folder not in {"", "0"}:
        return Path(named_folder)
    caches = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path.home() / caches / "ms-playwright"


def _find_chromium() -> Found | None:
    found = named("MAEDAL_CHROMIUM", os.environ, answers_its_version, "a browser that runs")
    found = found or on_path(CHROMIUM_NAMES, answers_its_version)
    if found is not None:
        return found
    for application in map(Path, CHROMIUM_APPLICATIONS):
        if is_executable(application):
            return Found(application, "installed")
    downloads = _playwright_folder(os.environ)
    browsers = [browser for pattern in PLAYWRIGHT_CHROMIUM for browser in downloads.glob(pattern)]
    for browser in newest_first(browsers):
        if answers_its_version(browser):
            return Found(browser, "downloaded by Playwright")
    return None


def _find_postgres() -> Found | None:
    what = f"a folder with {', '.join(POSTGRES_PROGRAMS)}"
    found = named("MAEDAL_POSTGRES_BIN", os.environ, has_postgres, what)
    if found is not None:
        return found
    for folder in newest_first(_globbed(POSTGRES_FOLDERS)):
        if has_postgres(folder):
            return Found(folder, "installed")
    initdb = shutil.which("initdb")
    if initdb is not None:
        folder = Path(initdb).resolve().parent
        if has_postgres(folder):
            return Found(folder, "installed")
    return None


def _find_korean_font() -> Found | None:
    if sys.platform == "darwin":
        return Found(Path("/System/Library/Fonts"), "comes with the system")
    listed = _run(["fc-list", ":lang=ko", "file"], seconds=LOOK_SECONDS_MAX)
    fonts = sorted(line.strip().rstrip(":") for line in listed.stdout.splitlines()) if listed else []
    return Found(Path(fonts[0]), "installed") if fonts else None


def _find_node() -> Found | None:
    if on_path(["npm"], answers_its_version) is None:
        return None
    return on_path(["node", "nodejs"], answers_its_version)


def _find_php() -> Found | None:
    """PHP for the command line that can also keep something in SQLite."""
    found = named("MAEDAL_PHP", os.environ, answers_its_version, "a PHP that runs")
    found = found or on_path(["php"], answers_its_version)
    if found is None:
        return None
    listed = _run([str(found.path), "-m"], seconds=LOOK_SECONDS_MAX)
    return found if listed is not None and "pdo_sqlite" in listed.stdout.split() else None


def _find_java() -> Found | None:
    """Java that compiles what it runs: a JDK."""
    found = named("MAEDAL_JAVA", os.environ, answers_its_version, "a Java that runs")
    if found is not None:
        return found
    compiler = on_path(["javac"], answers_its_version)
    return on_path(["java"], answers_its_version) if compiler is not None else None


def _find_promtool() -> Found | None:
    found = named("MAEDAL_PROMTOOL", os.environ, answers_its_version, "a promtool that runs")
    found = found or on_path(["promtool"], answers_its_version)
    if found is None and answers_its_version(_unpacked("promtool")):
        return Found(_unpacked("promtool"), "unpacked")
    return found


def _system_program(name: str) -> Path | None:
    """The program that the environment names in MAEDAL_<NAME>, or the system's, also in /usr/sbin."""
    found = named(f"MAEDAL_{name.upper()}", os.environ, is_executable, f"{name}, a program")
    if found is not None:
        return found.path
    where = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/bin")))
    return None if where is None else Path(where)


def _find_cluster() -> Found | None:
    programs = [_system_program(name) for name in CLUSTER_PROGRAMS]
    if None in programs or programs[0] is None:
        return None
    # Patroni without the library of etcd's old interface starts, and then finds no etcd.
    if programs[0] == Path("/usr/bin/patroni"):
        ran = _run(["/usr/bin/python3", "-c", "import etcd, patroni"], seconds=LOOK_SECONDS_MAX)
        if ran is None or ran.returncode != 0:
            return None
    return Found(programs[0], "installed")


def _find_system(name: str) -> Found | None:
    program = _system_program(name)
    return None if program is None else Found(program, "installed")


def _find_containers() -> Found | None:
    """What builds and runs an image, and what makes a small Debian to build it on."""
    programs = [_system_program(name) for name in CONTAINER_PROGRAMS]
    return None if None in programs or programs[0] is None else Found(programs[0], "installed")


def _unpacked(program: str) -> Path:
    """Where a program that was taken out of a package is kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "maedal" / program


# Debian's packages, a tool's own download


def debian_command(*, root: bool, apt_get: str | None, sudo: str | None) -> list[str] | None:
    """How apt-get is called here without ever asking a question; None when it cannot be."""
    if apt_get is None or not (root or sudo):
        return None
    call = [apt_get, "-q", "-o", "DPkg::Lock::Timeout=300"]
    if root:
        return ["env", "DEBIAN_FRONTEND=noninteractive", *call]
    return [str(sudo), "-n", "env", "DEBIAN_FRONTEND=noninteractive", *call]


@functools.cache
def _apt() -> tuple[str, ...] | None:
    """The apt-get call of this machine, its package lists refreshed once."""
    sudo = shutil.which("sudo")
    if sudo is not None and os.geteuid() != 0:
        allowed = _run([sudo, "-n", "true"], seconds=LOOK_SECONDS_MAX)
        sudo = sudo if allowed is not None and allowed.returncode == 0 else None
    command = debian_command(root=os.geteuid() == 0, apt_get=shutil.which("apt-get"), sudo=sudo)
    if command is None:
        return None
    _say("refreshing Debian's package lists")
    _run([*command, "update"], seconds=INSTALL_SECONDS_MAX)  # an old list may still do
    return tuple(command)


def _install_packages(packages: Sequence[str]) -> None:
    command = _apt()
    if command is None:
        return
    _say(f"installing Debian's {' '.join(packages)}")
    install = [*command, "install", "-y", "--no-install-recommends", *packages]
    _explain_failure(_run(install, seconds=INSTALL_SECONDS_MAX))


def _install_without_starting(packages: Sequence[str]) -> None:
    """Install packages of services, none of which is started, now or with the machine."""
    command = _apt()
    if command is None:
        return
    as_root = list(command[: command.index("env")])
    # Whoever has a policy of his own keeps it; containers have one that forbids everything.
    ours = not POLICY.exists()
    if ours:
        _run([*as_root, "sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' >{POLICY}; chmod 755 {POLICY}"], seconds=60)
    try:
        _install_packages(packages)
    finally:
        if ours:
            _run([*as_root, "rm", "-f", str(POLICY)], seconds=60)
    if Path("/run/systemd/system").exists():
        _run([*as_root, "systemctl", "disable", *SERVICES], seconds=60)


def _download(arguments: Sequence[str]) -> None:
    _say(f"running {' '.join(arguments)}")
    _explain_failure(_run([sys.executable, "-m", *arguments], seconds=INSTALL_SECONDS_MAX))


def _unpack(arguments: Sequence[str]) -> None:
    """Take one program out of a Debian package without installing it; nobody has to be root for that."""
    package, program = arguments
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return
    _apt()
    _say(f"taking {program} out of Debian's {package}")
    target = _unpacked(Path(program).name)
    with tempfile.TemporaryDirectory(prefix="maedal-provide-") as folder:
        ran = _run(["sh", "-c", f'cd "{folder}" && apt-get -q download {package}'], seconds=INSTALL_SECONDS_MAX)
        _explain_failure(ran)
        for archive in Path(folder).glob("*.deb"):
            _explain_failure(_run(["dpkg-deb", "-x", str(archive), folder], seconds=INSTALL_SECONDS_MAX))
        if (Path(folder) / program).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(Path(folder) / program, target)


def _explain_failure(ran: subprocess.CompletedProcess[str] | None) -> None:
    if ran is None:
        _say("  it could not be started or took too long")
    elif ran.returncode != 0:
        for line in [line for line in ran.stdout.splitlines() if line.strip()][-3:]:
            _say(f"  {line}")


def _run(command: Sequence[str], *, seconds: float) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _say(text: str) -> None:
    print(f"provide: {text}", file=sys.stderr, flush=True)


# The needs


CHROMIUM = Need(
    "Chromium",
    _find_chromium,
    ("chromium", "fonts-nanum"),
    "install Chromium (Debian: apt-get install chromium fonts-nanum) or set MAEDAL_CHROMIUM to a browser",
    download=("playwright", "install", "chromium"),
)
HEADLESS_SHELL = Need(
    "Headless shell",
    lambda: on_path(HEADLESS_SHELL_NAMES, answers_its_version),
    ("chromium-headless-shell",),
    "install Chromium's headless shell (Debian: apt-get install chromium-headless-shell)",
)
POSTGRES = Need(
    "PostgreSQL",
    _find_postgres,
    ("postgresql",),
    "install PostgreSQL (Debian: apt-get install postgresql) or set MAEDAL_POSTGRES_BIN to the folder of its programs",
)
KOREAN_FONT = Need(
    "Korean font",
    _find_korean_font,
    ("fonts-nanum", "fontconfig"),
    "install a Korean font that fc-list shows (Debian: apt-get install fonts-nanum fontconfig)",
)
NODE = Need(
    "Node.js, npm",
    _find_node,
    ("nodejs", "npm"),
    "install Node.js with npm (Debian: apt-get install nodejs npm)",
)
PHP = Need(
    "PHP",
    _find_php,
    ("php-cli", "php-sqlite3"),
    "install PHP with SQLite (Debian: apt-get install php-cli php-sqlite3) or set MAEDAL_PHP to the program",
)
JAVA = Need(
    "Java",
    _find_java,
    ("default-jdk-headless",),
    "install a JDK of 17 or newer (Debian: apt-get install default-jdk-headless) or set MAEDAL_JAVA to its java",
)

CLUSTER = Need(
    "Patroni, etcd",
    _find_cluster,
    ("patroni", "etcd-server", "haproxy", "python3-etcd"),
    "install Patroni, etcd and HAProxy (Debian: apt-get install patroni etcd-server haproxy python3-etcd)"
    " or set MAEDAL_PATRONI, MAEDAL_PATRONICTL, MAEDAL_ETCD and MAEDAL_HAPROXY to the programs",
    starts_services=True,
)
PGBOUNCER = Need(
    "PgBouncer",
    functools.partial(_find_system, "pgbouncer"),
    ("pgbouncer",),
    "install PgBouncer (Debian: apt-get install pgbouncer) or set MAEDAL_PGBOUNCER to the program",
    starts_services=True,
)
NGINX = Need(
    "nginx",
    functools.partial(_find_system, "nginx"),
    ("nginx-light",),
    "install nginx (Debian: apt-get install nginx-light) or set MAEDAL_NGINX to the program",
    starts_services=True,
)
CADDY = Need(
    "Caddy",
    functools.partial(_find_system, "caddy"),
    ("caddy",),
    "install Caddy (Debian: apt-get install caddy) or set MAEDAL_CADDY to the program",
    starts_services=True,
)
SYSTEMD = Need(
    "systemd-analyze",
    functools.partial(_find_system, "systemd-analyze"),
    ("systemd",),
    "install systemd's tools (Debian: apt-get install systemd): on a machine without them the units cannot be checked",
)

CONTAINERS = Need(
    "Podman, runc",
    _find_containers,
    CONTAINER_PROGRAMS,
    "install Podman with runc, and mmdebstrap (Debian: apt-get install podman runc mmdebstrap)",
)
PROMTOOL = Need(
    "promtool",
    _find_promtool,
    (),
    "install Prometheus (Debian: apt-get install prometheus) or set MAEDAL_PROMTOOL to its promtool",
    unpack=("prometheus", "usr/bin/promtool"),
)


def obtain(
    need: Need,
    install: Callable[[Sequence[str]], None] | None = None,
    download: Callable[[Sequence[str]], None] = _download,
    unpack: Callable[[Sequence[str]], None] = _unpack,
) -> Found:
    """What was found or, after trying the packages and then the download, provided. Raises Missing."""
    found = need.find()
    if found is not None:
        return found
    if install is None:
        install = _install_without_starting if need.starts_services else _install_packages
    with _one_at_a_time():
        for provide, argument in ((install, need.packages), (unpack, need.unpack), (download, need.download)):
            found = need.find()  # another process may have provided it meanwhile
            if found is None and argument:
                provide(argument)
                found = need.find()
            if found is not None:
                return Found(found.path, f"{found.where} just now") if found.where == "installed" else found
    raise Missing(f"{need.title} is missing: {need.advice}")


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Tests run in several processes; only one of them at a time installs."""
    lock = Path(tempfile.gettempdir()) / f"maedal-provide-{os.getuid()}.lock"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@functools.cache
def chromium() -> Path:
    """A Chromium or Chrome that runs."""
    return obtain(CHROMIUM).path


@functools.cache
def headless_shell() -> Path:
    """Chromium without what a browser puts around a page: it shows the same with half the work.

    Where there is none, or the environment names a browser, that is Chromium itself.
    """
    if os.environ.get("MAEDAL_CHROMIUM", "").strip():
        return chromium()
    try:
        return obtain(HEADLESS_SHELL).path
    except Missing:
        return chromium()


@functools.cache
def postgres_bin() -> Path:
    """The folder of `initdb`, `postgres` and `pg_ctl`."""
    return obtain(POSTGRES).path


@functools.cache
def node() -> Path:
    """Node.js, with npm beside it on PATH."""
    return obtain(NODE).path


@functools.cache
def php() -> Path:
    """PHP for the command line, with SQLite."""
    return obtain(PHP).path


@functools.cache
def java() -> Path:
    """A JDK's java, which runs a source file."""
    return obtain(JAVA).path


@functools.cache
def promtool() -> Path:
    """Prometheus' tool that checks and tests rules."""
    return obtain(PROMTOOL).path


@functools.cache
def cluster() -> Mapping[str, Path]:
    """Patroni, its control program, etcd and HAProxy, by their names."""
    obtain(CLUSTER)
    return {name: path for name in CLUSTER_PROGRAMS if (path := _system_program(name)) is not None}


@functools.cache
def pgbouncer() -> Path:
    return obtain(PGBOUNCER).path


@functools.cache
def nginx() -> Path:
    return obtain(NGINX).path


@functools.cache
def caddy() -> Path:
    return obtain(CADDY).path


@functools.cache
def systemd_analyze() -> Path:
    """What checks units without running them."""
    return obtain(SYSTEMD).path


@functools.cache
def podman() -> Path:
    """Podman, with runc and mmdebstrap beside it. Not among what `make test` asks for: it is of use to root alone."""
    return obtain(CONTAINERS).path


@functools.cache
def debian() -> Path:
    """A small Debian of this machine's release with its Python, as an archive: where no image can be downloaded."""
    podman()
    archive = _unpacked("debian-with-python.tar")
    with _one_at_a_time():
        if not archive.exists():
            _say("making a small Debian with Python, once")
            archive.parent.mkdir(parents=True, exist_ok=True)
            half = archive.with_name(f"half-{archive.name}")
            ran = _run(debian_making(half), seconds=INSTALL_SECONDS_MAX)
            if ran is None or ran.returncode != 0:
                _explain_failure(ran)
                raise Missing("mmdebstrap could not make a Debian and the lines above say why")
            half.rename(archive)
    return archive


def debian_making(archive: Path, machine: Path = Path("/etc/os-release")) -> list[str]:
    """The call of mmdebstrap: a Debian of this machine's release, from where this machine has its own packages."""
    facts = dict(line.split("=", 1) for line in machine.read_text().splitlines() if "=" in line)
    release = facts.get("VERSION_CODENAME", "")
    if facts.get("ID") != "debian" or not release:
        raise Missing("a small Debian with Python, to build an image on, is made on Debian alone")
    lists = [*sorted(Path("/etc/apt/sources.list.d").glob("debian*.sources")), Path("/etc/apt/sources.list")]
    sources = [str(file) for file in lists if file.exists() and file.read_text().strip()]
    packages = "python3,python3-venv,ca-certificates,tzdata"
    no_words = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "man", "locale")]
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--format=tar",
        f"--include={packages}",
        *no_words,
        release,
        str(archive),
        *sources,
    ]


def database_url() -> str | None:
    """A ready PostgreSQL server that the environment names in MAEDAL_TEST_DATABASE_URL."""
    return os.environ.get("MAEDAL_TEST_DATABASE_URL", "").strip() or None


def main() -> int:
    missing: list[str] = []
    for need in (CHROMIUM, KOREAN_FONT, POSTGRES, CLUSTER, PGBOUNCER, NGINX, CADDY, SYSTEMD, NODE, PHP, JAVA, PROMTOOL):
        if need is POSTGRES and database_url() is not None:
            print(f"{need.title:<14} a ready server, named by MAEDAL_TEST_DATABASE_URL")
            continue
        try:
            found = obtain(need)
        except Missing as error:
            missing.append(str(error))
            print(f"{need.title:<14} missing")
        else:
            print(f"{need.title:<14} {found.path}  ({found.where})")
    if not missing and headless_shell() == chromium():
        print(f"{HEADLESS_SHELL.title:<14} none: Chromium does its part, too")
    if missing:
        print("; ".join(missing), flush=True)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
