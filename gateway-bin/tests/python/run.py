"""run.py VENV [TEST...]: the client tests in a virtual environment of their own.

Makes VENV from requirements.txt unless it is there already, then runs the named tests, or all of them.
What the tests talk to is told by the environment: see support.py.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"


def interpreter(folder: pathlib.Path) -> pathlib.Path:
    """The Python of an environment that holds exactly the pinned packages."""
    python, stamp = folder / "bin" / "python", folder / "stamp"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Two runs at a time must not both build it.
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True)
            install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*install, "--require-hashes", "--requirement", REQUIREMENTS], check=True)
            stamp.write_text(wanted)
    return python


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    python = interpreter(pathlib.Path(sys.argv[1]).resolve())
    tests = sys.argv[2:] or sorted(path.stem for path in HERE.glob("test_*.py"))
    os.chdir(HERE)
    os.execv(python, [str(python), "-B", "-m", "unittest", "--verbose", *tests])


if __name__ == "__main__":
    main()
