"""The analyst's desk: JupyterLab as `make lab` starts it, for somebody who has just cloned the workbook,
driven by a headless Chromium."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parent.parent
SCREENSHOTS = ROOT / ".screenshots"  # not in git
SECONDS = 60  # for what a machine under load may take
LONG = 120  # for a whole notebook


class Desk:
    """A JupyterLab that runs, in one page of a browser."""

    def __init__(self, folder, address, page):
        self.folder, self.address, self.page = folder, address, page
        self.environment = environment(folder)
        self.asked, self.complaints = [], []
        page.set_default_timeout(SECONDS * 1000)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self._complain(str(error)))
        page.on("console", self._hear)

    def _hear(self, message):
        if message.type == "error" or "duplicated" in message.text:
            self._complain(message.text)

    def _complain(self, text):
        # JupyterLab says so of its own question to a kernel with widgets that is closed meanwhile, and of a
        # widget that such a kernel closes as it ends, when the page has let go of it already.
        known = (
            "create_subshell_request message before replies were done",
            "Comm not found for comm id",
        )
        if not any(words in text for words in known):
            self.complaints.append(text)

    @property
    def strangers(self):
        """The hosts other than this machine that the browser has asked for something."""
        hosts = {urlsplit(url).hostname for url in self.asked if url.startswith(("http", "ws"))}
        return hosts - {"127.0.0.1"}

    def start(self, file="start.vi.md"):
        """Open the page that `make lab` opens, or another file."""
        self.page.goto(f"{self.address}/lab/tree/{file}?token=t")
        self.page.wait_for_selector(".jp-MarkdownViewer table, .jp-NotebookPanel .jp-Cell")

    def do(self, script, value=None):
        """What JavaScript gives that sees JupyterLab's application as `app`; what never ends is an error."""
        return self.page.evaluate(
            f"""value => Promise.race([
                (async () => {{ const app = jupyterapp; {script} }})(),
                new Promise((_, no) => setTimeout(() => no(new Error("no end")), {1000 * LONG}))])""",
            value,
        )

    def picture(self, name):
        """Take a screenshot, for a person to look at."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def theme(self, name):
        """Light or Dark."""
        self.do(
            "await app.commands.execute('apputils:change-theme', {theme: value})",
            f"JupyterLab {name}",
        )
        self.page.wait_for_selector(
            f"body[data-jp-theme-name='JupyterLab {name}']", state="attached"
        )

    @contextmanager
    def notebook(self, name, copy="mine", *, keep=False):
        """A copy of a notebook of the workbook, opened; closed afterwards, and its kernel with it."""
        path = self.folder / "notebooks" / f"{copy}.ipynb"
        shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", path)
        opened = Notebook(self, path)
        opened.open()
        try:
            yield opened
        finally:
            opened.close()
            if not keep:
                path.unlink()


class Notebook:
    """A notebook that is open at the desk, in front."""

    def __init__(self, desk, path):
        self.desk, self.path, self.page = desk, path, desk.page

    def open(self):
        """Open it; its kernel has started then."""
        self.desk.do(
            """const opened = await app.commands.execute("docmanager:open", {path: value});
            await opened.context.ready; await opened.context.sessionContext.ready;
            await opened.context.sessionContext.session.kernel.info;""",
            self.path.name,
        )

    def close(self):
        """Close it as it was last saved, end its kernel."""
        self._do("await panel.context.sessionContext.shutdown(); panel.dispose();")

    def change(self, cell, old, new):
        """Write `new` for `old` in the source of the cell with this id."""
        self._do(
            """const cell = [...cells].find(cell => cell.id === value[0]).sharedModel;
            if (!cell.getSource().includes(value[1])) throw new Error(value);
            cell.setSource(cell.getSource().replace(value[1], value[2]));""",
            [cell, old, new],
        )

    def run_all(self, *, afresh=False):
        """Run all cells, by a new kernel where `afresh`; returns the errors that they show."""
        command = "notebook:restart-run-all" if afresh else "notebook:run-all-cells"
        self.desk.do("await app.commands.execute(value)", command)
        return self.errors()

    def run(self, *cells):
        """Run the cells with these ids, in this order; returns the errors that the notebook shows."""
        for cell in cells:
            self._do(
                """content.activeCellIndex = [...cells].findIndex(cell => cell.id === value);
                content.deselectAll();
                await app.commands.execute("notebook:run-cell");""",
                cell,
            )
        return self.errors()

    def clear(self, cell):
        """Take away what the cell with this id shows, and that it has run."""
        self._do(
            """const cell = [...cells].find(cell => cell.id === value);
            cell.clearExecution();""",
            cell,
        )

    def errors(self):
        """The names of the errors that its cells show."""
        return self._do(
            """return [...cells].filter(cell => cell.type === "code").flatMap(cell =>
                cell.sharedModel.getOutputs().filter(out => out.output_type === "error")
                    .map(out => `${cell.id}: ${out.ename}: ${out.evalue}`));"""
        )

    def outputs(self, cell):
        """The outputs of the cell with this id, as they stand in the notebook."""
        return self._do(
            "return [...cells].find(cell => cell.id === value).sharedModel.getOutputs()", cell
        )

    def headings(self):
        """The headings and notes of its Markdown cells that are to be seen, in their order, lists left out."""
        drawn = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-MarkdownCell .jp-RenderedMarkdown > "
        self.page.wait_for_function(
            "([drawn, count]) => document.querySelectorAll(drawn + ':first-child').length === count",
            arg=[
                drawn,
                self._do("return [...cells].filter(cell => cell.type === 'markdown').length"),
            ],
        )  # a busy machine draws the last ones late
        return self._seen(f"{drawn}:not(ul)")

    def contents(self):
        """The entries of the panel of contents that are to be seen, in their order."""
        self.desk.do("app.shell.activateById('table-of-contents')")
        self.page.wait_for_function(
            """() => {
                const first = document.querySelector("#table-of-contents .jp-tocItem-content");
                const title = document.querySelector(
                    ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-RenderedMarkdown h1");
                return first && title.textContent.startsWith(first.textContent);
            }"""  # it may still be that of the notebook that was open before
        )
        return self._seen("#table-of-contents .jp-tocItem-content")

    def _seen(self, selector):
        # By their boxes: what stands outside the window counts, what a style hides does not.
        return self.page.evaluate(
            """selector => [...document.querySelectorAll(selector)]
                .filter(one => one.checkVisibility({contentVisibilityAuto: false}))
                .map(one => one.textContent.replace(/[\\u200b\\u2060¶]/g, "").trim())""",
            selector,
        )

    def barriers(self, axe):
        """What axe-core finds in the outputs: its rules, each with the elements that break it."""
        self.page.evaluate(axe)
        return self.page.evaluate(
            """async () => (await axe.run(document.querySelectorAll(
                    ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output"))).violations
                .map(found => [found.id, ...found.nodes.slice(0, 3).map(node => node.html.slice(0, 150))])"""
        )

    def save(self):
        """Save it."""
        self.desk.do("await app.commands.execute('docmanager:save')")

    def button(self, words):
        """The bytes of the file that a button of the toolbar gives, or the words of the page that says why
        there is none."""
        return self._exported(
            lambda: self.page.click(
                f".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Toolbar >> text={words}"
            )
        )

    def menu(self, menu, *items):
        """The same of an item of a menu, or of a menu in it."""

        def click():
            self.page.click(f".lm-MenuBar-item >> text={menu}")
            for item in items:
                self.page.click(f".lm-Menu-item >> text={item}")

        return self._exported(click)

    def _exported(self, click):
        files, pages = [], []

        def download(file):
            files.append(file)

        def opened(page):
            pages.append(page)
            page.on("download", download)

        context = self.page.context
        context.on("page", opened)
        self.page.on("download", download)
        try:
            with context.expect_event("response", lambda got: "/nbconvert/" in got.url) as answer:
                click()
            # The browser may tell of a file or a page after the answer; while it is waited for, it can.
            end = time.monotonic() + SECONDS
            while not (files or (pages and not answer.value.ok)):
                assert time.monotonic() < end, "neither a file nor a page came"
                self.page.wait_for_timeout(10)
            if files:
                return Path(files[0].path()).read_bytes()
            return pages[0].locator(".error").inner_text()
        finally:
            context.remove_listener("page", opened)
            self.page.remove_listener("download", download)
            for page in pages:
                page.close()

    def _do(self, script, value=None):
        return self.desk.do(
            f"""const panel = app.shell.currentWidget, content = panel.content, cells = content.model.cells;
            {script}""",
            value,
        )


def recipe(language, folder):
    """The commands of `make lab` with this Python, as they stand in the Makefile."""
    ready = [f"--old-file={sys.prefix}/{name}.ready" for name in ("briefing", "test")]
    said = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", *ready, "lab", f"VENV={sys.prefix}",
         f"LANGUAGE={language}"],
        cwd=folder, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "rm " not in said, said  # it is to set up nothing
    return said.strip()


def cloned(folder):
    """A clone of the workbook in `folder`, which git takes for unchanged."""
    folder.mkdir()
    for name in ("Makefile", ".gitattributes", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    for name in ("data", "notebooks", ".jupyter"):
        shutil.copytree(
            ROOT / name, folder / name, symlinks=name != ".jupyter",
            ignore=shutil.ignore_patterns("__pycache__", ".accepted", "lab", ".ipynb_checkpoints"),
        )  # fmt: skip
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "c"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)


def environment(folder):
    """That of a user who has a home folder of their own and has set nothing."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "XDG", "IPYTHON", "WARDLIB_HOME", "MPL"))
    }
    return kept | {"HOME": str(folder.parent / "home")}


@contextmanager
def served(folder, language="vi"):
    """The address of a JupyterLab that `make lab` has started in `folder`, for a user with a new home
    folder, who has installed another kernel of the same name."""
    home = folder.parent / "home"
    other = home / ".local/share/jupyter/kernels/python3"
    other.mkdir(parents=True, exist_ok=True)
    spec = {"argv": ["false"], "display_name": "Python 3 (ipykernel)", "language": "python"}
    (other / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    command = (
        f"{recipe(language, folder)} --no-browser --port={urlsplit(address).port} --ServerApp.port_retries=0"
        " --IdentityProvider.token=t --LabApp.expose_app_in_browser=True"
    )
    with (folder.parent / f"server-{language}.log").open("w") as log:
        server = subprocess.Popen(
            ["bash", "-c", command], cwd=folder, env=environment(folder),
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            _wait(server, address, log.name)
            yield address
        finally:
            _end(server)


def _end(server):
    """End the server, which ends its kernels."""
    try:
        for turn in range(100):
            os.killpg(server.pid, 0 if turn else signal.SIGTERM)
            server.poll()
            time.sleep(0.1)
        os.killpg(server.pid, signal.SIGKILL)
    except ProcessLookupError:  # gone, all of them
        pass
    server.wait()


def _wait(server, address, log):
    for _ in range(SECONDS * 10):
        with suppress(OSError), urllib.request.urlopen(f"{address}/api", timeout=5):
            return
        assert server.poll() is None, Path(log).read_text()
        time.sleep(0.1)
    raise AssertionError(Path(log).read_text())


@pytest.fixture(scope="session")
def desk(chromium, tmp_path_factory):
    """A desk with Vietnamese menus in a clone of the workbook, for all tests of a process."""
    folder = tmp_path_factory.mktemp("desk") / "workbook"
    cloned(folder)
    with served(folder) as address:
        page = chromium.new_page(viewport={"width": 1280, "height": 900}, accept_downloads=True)
        made = Desk(folder, address, page)
        made.start()
        yield made
        page.close()
