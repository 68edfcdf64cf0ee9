"""Makes .venv with what a requirements file pins; does nothing when that is done already.

    python3 bin/set_up.py requirements.txt

Needs the standard library only, and reads on Python 3.6 too, so that an old Python gets a
sentence and not a syntax error.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
VENV = BASE_DIR / ".venv"
PYTHON = VENV / "bin" / "python"
RUNTIME = "requirements.txt"


def main() -> None:
    name = sys.argv[1]
    if sys.version_info < (3, 11):  # noqa: UP036 - the point of it
        version = sys.version.split()[0]
        stop(f"Python 3.11 or newer is needed; this is {version}. Try: make run PYTHON=python3.11")
    if is_installed(name):
        return
    if not is_installed(RUNTIME):
        make_environment()
    install(name)
    mark(name)
    if name != RUNTIME:  # the development requirements contain the others
        mark(RUNTIME)


def make_environment() -> None:
    """From nothing: what a broken-off installation left behind is not trusted."""
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        stop("Python's venv module is missing. On Debian or Ubuntu: apt install python3-venv")
    if VENV.is_symlink() or VENV.is_file():
        stop(f"{VENV} is not a folder; please move it away.")
    if VENV.exists():
        shutil.rmtree(VENV)
    venv.EnvBuilder(with_pip=True, symlinks=True).create(VENV)


def install(name: str) -> None:
    path = BASE_DIR / name
    count = path.read_text(encoding="utf-8").count("==")
    sys.stdout.write(
        f"Installing {count} packages into .venv (once, usually within a minute) ...\n"
    )
    sys.stdout.flush()
    pip = [PYTHON, "-m", "pip", "install", "-qq", "--no-input", "--disable-pip-version-check"]
    wheels = ["--only-binary", ":all:", "--require-hashes", "-r", path]
    if subprocess.call([str(word) for word in pip + wheels]) != 0:  # noqa: S603
        stop("The packages could not be installed; the reason stands above.")


def is_installed(name: str) -> bool:
    try:
        return marker(name).read_text() == digest(name) and PYTHON.exists()
    except OSError:
        return False


def mark(name: str) -> None:
    """Written last, so an environment with this mark is whole."""
    marker(name).write_text(digest(name))


def marker(name: str) -> Path:
    return VENV / f"installed-{name}"


def digest(name: str) -> str:
    """Of everything the environment depends on; an environment cannot be moved."""
    content = (BASE_DIR / name).read_bytes()
    return hashlib.sha256(content + sys.version.encode() + str(VENV).encode()).hexdigest()


def stop(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    raise SystemExit(1)


if __name__ == "__main__":
    main()
