"""Set lifecircle up in this folder without a network, then run the example: called by 开始.bat and start.sh.

It makes the environment ``.venv``, installs from the folder ``wheels`` alone, copies the bundled example to
``demo``, audits it and draws its map. What is there already is not made again. It needs nothing but Python,
so its texts stand here in both languages.
"""

# ruff: noqa: INP001, T201, S603 - stands alone beside the wheels, prints, and starts what it installed

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERSION = (3, 11)  # the wheels are for this Python
ENVIRONMENT = HERE / ".venv"
BINARIES = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
END = ".exe" if os.name == "nt" else ""
# Nothing outside this folder decides what is installed or read.
ALONE = {
    **{
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("PYTHON", "PIP_", "VIRTUAL_ENV"))
    },
    "PYTHONUTF8": "1",
    "PYTHONNOUSERSITE": "1",
    "PIP_CONFIG_FILE": os.devnull,
}


def say(zh: str, en: str) -> None:
    """Print a text in both languages."""
    print(f"{zh}\n{en}", flush=True)


def run(*words: str | Path) -> int:
    """Run a program in this folder; returns its exit status."""
    return subprocess.run([*map(str, words)], cwd=HERE, env=ALONE, check=False).returncode


def install(what: str) -> int:
    """Install something from the folder ``wheels`` alone; returns the exit status of pip."""
    quiet = ("--quiet", "--disable-pip-version-check")
    return run(
        BINARIES / f"python{END}",
        "-m",
        "pip",
        "install",
        *quiet,
        "--no-index",
        "--find-links",
        "wheels",
        what,
    )


def set_up() -> bool:
    """Make the environment once; returns whether it is there."""
    done = ENVIRONMENT / "lifecircle-installed"
    if done.is_file():
        return True
    say("正在安装（不联网，约一分钟）……", "Installing, without a network (about a minute) ...")
    if run(sys.executable, "-m", "venv", "--clear", ENVIRONMENT) or install("lifecircle[siting,print]"):
        return False
    if install("lifecircle[fast]"):
        say("未装 numba：照样运行，只是慢一些。", "Without numba: everything runs, more slowly.")
    done.touch()
    return True


def main() -> int:
    """Set up, run the example, and say where to look; returns the exit status."""
    if sys.version_info[:2] != VERSION or sys.maxsize < 2**32:
        say(
            "需要 64 位的 Python 3.11。安装包请在能上网的电脑上下载，再拷到这里。",
            "This needs Python 3.11, 64 bit. Download its installer elsewhere and copy it here.",
        )
        return 2
    if not set_up():
        say("安装失败，原因见上。", "The installation failed; the reason stands above.")
        return 2
    program, study = BINARIES / f"lifecircle{END}", HERE / "demo"
    if not study.exists() and (status := run(program, "demo", "demo")):
        return status
    if status := run(program, "audit", "demo", "--quiet"):
        return status
    say(
        f"完成。请用浏览器打开 {study / 'maps' / 'haiyan.html'}；表格在 {study / 'results'}。",
        "Done. Open that map in a browser; the tables are in that folder.",
    )
    say(
        f"自己的县：{program} new 新目录 数据文件夹，然后 check、audit、atlas。",
        "Your own county: the same program with `new FOLDER DATA`, then check, audit, atlas.",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
