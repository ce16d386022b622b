"""Get a checkout ready to run: the one set-up step behind `make run` and `make test`.

Standard library only, and nothing newer than Python 3.7 in this file, so that an old `python3` can still
look for a newer one. Safe to repeat: each step leaves a stamp named after what it was made from.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
UV = BIN / "uv"
STAMPS = VENV / ".setup"
FRONTEND = ROOT / "frontend"
PACKAGES = ("orderhub", "rules", "routing", "tracking", "carbon")

OLDEST = (3, 11)
OLDEST_NODE = 20
# Newest first, of those the lock files were tried on; a newer default `python3` is the last resort.
CANDIDATES = ("python3.13", "python3.12", "python3.11", "python3", sys.executable)
VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"
# All of these, because a distribution may cut Python up: Debian's has ensurepip only with python3-venv.
USABLE = "import ssl, sqlite3, venv, ensurepip; " + VERSION


class Step(NamedTuple):
    """One part of the set-up: what it is called, whether it is needed, and how to do it."""

    title: str
    is_due: Callable[[], bool]
    carry_out: Callable[[], None]


class Failed(Exception):
    """The set-up cannot go on; the text tells the person what to do."""


def main() -> int:
    """Bring the checkout up to date; returns a process exit code."""
    parser = argparse.ArgumentParser(description="Get this checkout ready to run.")
    parser.add_argument("--dev", action="store_true", help="also install what tests and checks need")
    options = parser.parse_args()
    try:
        with only_one_at_a_time():
            carry_out(steps(dev=options.dev))
    except Failed as failure:
        print(f"\nSet-up stopped: {failure}", file=sys.stderr)
        return 1
    return 0


def steps(*, dev: bool) -> list[Step]:
    """List the steps in order; `dev` adds the packages that tests and checks need."""
    name = "dev" if dev else "run"
    locks = ["requirements.txt", "requirements-dev.txt"] if dev else ["requirements.txt"]
    return [
        Step("Python environment", venv_is_due, make_venv),
        Step(
            f"Python packages of {' and '.join(locks)}",
            lambda: remembered(name) != fingerprint(*locks),
            lambda: install(name, locks),
        ),
        Step("browser libraries (npm ci)", browser_libraries_are_due, install_browser_libraries),
        Step("translations", lambda: bool(stale_catalogs()), compile_catalogs),
    ]


def carry_out(plan: list[Step]) -> None:
    """Do the steps that are due, telling the time of each; says nothing when none is."""
    done = 0
    for number, step in enumerate(plan, start=1):
        if not step.is_due():
            continue
        began = time.monotonic()
        say(f"[{number}/{len(plan)}] {step.title} …")
        step.carry_out()
        say(f"      done in {time.monotonic() - began:.1f} s")
        done += 1
    if done:
        say("Set-up complete.")


@contextlib.contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """Hold a lock on the project folder, so that two commands started together do not build on each other."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


# --- the Python environment ---


def venv_is_due() -> bool:
    """Tell whether the environment is missing, unfinished, broken, or was made for another folder."""
    # Scripts inside carry their full path, so a moved or copied checkout needs an environment of its own.
    return remembered("venv") != str(VENV) or (version_of(str(PYTHON), probe=VERSION) or (0, 0)) < OLDEST


def make_venv() -> None:
    """Make `.venv` with the newest Python that fits."""
    interpreter = newest_python()
    if VENV.exists():
        shutil.rmtree(VENV)
    run([interpreter, "-m", "venv", str(VENV)], fault="Python could not make the virtual environment .venv")
    remember("venv", str(VENV))


def newest_python() -> str:
    """Return the command of the newest usable Python; raises Failed when there is none."""
    for command in CANDIDATES:
        if (version_of(command, probe=USABLE) or (0, 0)) >= OLDEST:
            return command
    raise Failed(
        f"it needs Python {OLDEST[0]}.{OLDEST[1]} or newer, with venv; "
        f"this machine's python3 is {sys.version_info[0]}.{sys.version_info[1]}.\n"
        "  Debian, Ubuntu: apt-get install python3 python3-venv\n"
        "  macOS:          brew install python@3.13"
    )


def version_of(command: str, *, probe: str) -> tuple[int, int] | None:
    """Return (major, minor) as printed by the probe, or None when that Python cannot run it."""
    try:
        answer = subprocess.run([command, "-c", probe], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    major, minor = answer.strip().split(".")
    return int(major), int(minor)


def install(name: str, locks: list[str]) -> None:
    """Install hashed lock files with uv, or with pip where uv is not to be had or fails."""
    if not (uv_install(locks) or pip_install(locks)):
        raise Failed("the Python packages could not be installed (see above)")
    remember(name, fingerprint(*locks))


def uv_install(locks: list[str]) -> bool:
    """Install with uv, fetching uv itself first; returns False when either fails."""
    has_uv = UV.is_file() or pip_install([".ci/uv.txt"])
    if has_uv and attempt([str(UV), "pip", "install", "-q", "--python", str(PYTHON), *hashed(locks)]):
        return True
    say("      uv did not do it; going on with pip, which is slower")
    return False


def pip_install(locks: list[str]) -> bool:
    """Install with pip; returns False when that fails."""
    return attempt([str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", *hashed(locks)])


def hashed(locks: list[str]) -> list[str]:
    """Return the options that name lock files, whose hashes must match."""
    return ["--require-hashes", *(word for lock in locks for word in ("-r", str(ROOT / lock)))]


# --- the browser libraries ---


def browser_libraries_are_due() -> bool:
    """Tell whether node_modules is missing, unfinished, or does not fit the lock."""
    return recall(browser_mark()) != browser_fingerprint()


def install_browser_libraries() -> None:
    """Run `npm ci`, with the machine's Node or else one that comes as a Python package."""
    if not has_node():
        say(f"      no Node.js {OLDEST_NODE} or newer with npm here: putting it into .venv")
        install("node", [".ci/node.txt"])
    command = ["npm", "ci", "--include=dev", "--no-progress", "--loglevel=error"]
    run(command, fault="the browser libraries could not be fetched (see above)", folder=FRONTEND)
    browser_mark().write_text(browser_fingerprint())


def has_node() -> bool:
    """Tell whether a new enough node, and npm, answer."""
    node = version_of_node()
    return node is not None and node >= OLDEST_NODE and attempt(["npm", "--version"], quiet=True)


def version_of_node() -> int | None:
    """Return the major version of node, or None when there is none."""
    command = ["node", "--print", "process.versions.node"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, env=surroundings(), check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return int(answer.stdout.split(".")[0])


def browser_mark() -> Path:
    """Return the file that tells which lock node_modules was made from; it goes when the folder goes."""
    return FRONTEND / "node_modules" / ".setup"


def browser_fingerprint() -> str:
    """Hash what decides the content of node_modules."""
    return fingerprint("frontend/package.json", "frontend/package-lock.json", "frontend/.npmrc")


# --- translations ---


def stale_catalogs() -> list[Path]:
    """List the .po files whose compiled .mo is missing or older."""
    catalogs = [path for name in PACKAGES for path in (ROOT / name).rglob("locale*/*/LC_MESSAGES/*.po")]
    return sorted(path for path in catalogs if not is_newer(path.with_suffix(".mo"), path))


def is_newer(made: Path, source: Path) -> bool:
    """Tell whether `made` exists and is not older than `source`."""
    return made.is_file() and made.stat().st_mtime_ns >= source.stat().st_mtime_ns


def compile_catalogs() -> None:
    """Compile every stale catalog with Babel, so that gettext need not be on the machine."""
    for source in stale_catalogs():
        fresh = source.with_suffix(".mo.new")
        language = source.parent.parent.name
        babel = [str(PYTHON), "-m", "babel.messages.frontend", "-q", "compile", "-l", language]
        fault = f"{source.relative_to(ROOT)} has a mistake (see above)"
        run([*babel, "-i", str(source), "-o", str(fresh)], fault=fault)
        # In one move: a server that starts meanwhile never reads half a catalog.
        fresh.replace(source.with_suffix(".mo"))


# --- small things ---


def run(command: list[str], *, fault: str, folder: Path = ROOT) -> None:
    """Run a command; raises Failed with `fault` when it does not succeed."""
    if not attempt(command, folder=folder):
        raise Failed(fault)


def attempt(command: list[str], *, folder: Path = ROOT, quiet: bool = False) -> bool:
    """Run a command and tell whether it succeeded; a missing command counts as a failure."""
    nothing = subprocess.DEVNULL
    output = nothing if quiet else None
    try:
        done = subprocess.run(
            command, cwd=folder, env=surroundings(), stdin=nothing, stdout=output, stderr=output, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def surroundings() -> dict[str, str]:
    """Return what child processes see: `.venv` leads on PATH, caches lie where they can be written."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    home = Path(os.environ.get("HOME", "/nonexistent"))
    for variable, usual in (("UV_CACHE_DIR", ".cache/uv"), ("npm_config_cache", ".npm")):
        if variable not in environment and not is_writable(home / usual):
            environment[variable] = str(VENV / ".cache" / usual.strip("."))
    return environment


def is_writable(folder: Path) -> bool:
    """Tell whether files can be made in the folder, making it if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def fingerprint(*names: str) -> str:
    """Hash files of the project, given by their paths from its root."""
    digest = hashlib.sha256()
    for name in names:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def remember(name: str, text: str) -> None:
    """Write a stamp: what a finished step was made from."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    (STAMPS / name).write_text(text)


def remembered(name: str) -> str | None:
    """Read a stamp, or None when that step never finished."""
    return recall(STAMPS / name)


def recall(path: Path) -> str | None:
    """Read a small text file, or None when it is not there."""
    return path.read_text() if path.is_file() else None


def say(text: str) -> None:
    """Print a line at once, also when the output goes to a file."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
