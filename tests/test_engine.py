"""The engine `ward` gives what the ordinary kernel gives: the same notebooks by both, output for output."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parents[1]
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}

# Small notebooks by name; a cell is its source. All run one after the other in one kernel, and go on
# after an error.
SAME = {
    "streams": ["print('a')\nprint('b', end='')"],
    "stderr after stdout": ["import sys\nprint('a')\nprint('b', file=sys.stderr)\nprint('c')"],
    "an explicit flush": [
        "print('a', flush=True)\nprint('b', file=sys.stderr, flush=True)\nprint('c')"
    ],
    "slow streams in order": [
        "import time\nprint('a')\ntime.sleep(.6)\nprint('b', file=sys.stderr)\ntime.sleep(.6)\nprint('c')"
    ],
    "a line after a while is whole": [
        "import sys, time\nprint('a', 1)\nprint('b', 1, file=sys.stderr)\ntime.sleep(.6)\nprint('a', 2)\nprint('b', 2, file=sys.stderr)"
    ],
    "a log of everything": [
        "import logging\nlogging.basicConfig(level=10, format='%(message)s')\nlogging.debug('now')",
        "1 + 1",
    ],
    "carriage returns": ["print('10 %\\r20 %\\r', end='')\nprint('done')"],
    "letters": ["print('Phường Phúc Xá, 13 tỷ đồng ₫ 😀')"],
    "a stream's properties": [
        "print(type(sys.stdout).__name__, sys.stdout.isatty(), sys.stdout.encoding, sys.stdout.name,"
        " sys.stdout.writable(), sys.stdout.closed, hasattr(sys.stdout, 'buffer'))",
        "sys.stdout.writelines(['x', 'y\\n'])\nsys.stdout.write('abc')",
    ],
    "redirected streams": [
        "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as kept:\n    print('in')\nkept.getvalue()"
    ],
    "results": ["1 + 1", "_ + 1", "None", "x = 3; x;", "'a'; 'b'"],
    "long results": ["list(range(2000))", "'x' * 5000"],
    "results and history": [
        "print(In[-2], Out[max(Out)])\n_i",
        "%history -l 2",
        "__name__, __doc__",
    ],
    "a display of its own": [
        "class Own:\n    def _repr_html_(self):\n        return '<b>x</b>'\n    def __repr__(self):\n        return 'Own()'\nOwn()",
        "class Bundle:\n    def _repr_mimebundle_(self, include=None, exclude=None):\n"
        "        return {'text/plain': 'b', 'image/svg+xml': '<svg/>'}, {'image/svg+xml': {'alt': 'no'}}\nBundle()",
        "class Fails:\n    def _repr_html_(self):\n        raise ValueError('no')\n    def __repr__(self):\n        return 'f'\nFails()",
        "class Worse:\n    def __repr__(self):\n        raise ValueError('no')\nWorse()",
    ],
    "displays": [
        "from IPython.display import *\ndisplay(1, 'a', HTML('<i>i</i>'))\nprint('after')\ndisplay(Markdown('*m*'), Latex('$x$'))",
        "print('before'); display({'text/plain': 'raw', 'application/json': {'a': (1, 2.5, None)}}, raw=True)\nprint('after')",
        "display('with', metadata={'text/plain': {'key': 1}})",
        "display(Image(data=b'\\x89PNG\\r\\n\\x1a\\n', format='png'), SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>'))",
        "display(JSON({'a': [1]}), Javascript('1'), Code('x = 1', language='python'), Pretty('p'))",
        "display()",
        "publish_display_data({'text/plain': 'x', 'image/png': b'abc'})",
    ],
    "updates": [
        "handle = display('first', display_id='own')\nprint('x')",
        "handle.update('second')\nupdate_display('third', display_id='own')\nprint('y')",
        "display('again', display_id='own')",
        "update_display('unknown', display_id='nobody')",
    ],
    "clear_output": [
        "print('a'); display('b'); clear_output(); print('c')",
        "print('a'); display('b'); clear_output(wait=True)",
        "print('a'); clear_output(wait=True); print('b'); clear_output(wait=True); display('c')",
        "for i in range(3):\n    clear_output(wait=True)\n    print(i)",
    ],
    "errors": [
        "def f(n):\n    return g(n)\ndef g(n):\n    return 1 / n\nf(0)",
        "f(0)",
        "raise ValueError('Phường\\nsecond line')",
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('k') from error",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    undefined",
        "print('before')\nraise SystemError('x')",
        "raise ExceptionGroup('g', [ValueError('a'), TypeError('b')])",
        "class Own(Exception):\n    def __str__(self):\n        return 'own text'\nraise Own",
        "assert 1 == 2, 'no'",
        "import json; json.loads('{')",
        "raise KeyboardInterrupt",
        "raise Exception('with a note')",
        "error = ValueError('n'); error.add_note('a note'); raise error",
        "import traceback\ntry:\n    1 / 0\nexcept Exception:\n    traceback.print_exc()",
    ],
    "syntax errors": ["x = = 1", "if True:\nprint(1)", "print('a'\n", "return 1", "x = 'abc"],
    "exits": ["import sys; sys.exit()", "sys.exit(3)", "raise SystemExit('text')", "%tb"],
    "warnings": [
        "import warnings\nwarnings.warn('w')",
        "warnings.warn('d', DeprecationWarning)\nwarnings.warn('p', PendingDeprecationWarning)",
        "for _ in range(2):\n    warnings.warn('once')",
        "invalid = '\\d'",
        "with warnings.catch_warnings():\n    warnings.simplefilter('error')\n    warnings.warn('as an error')",
    ],
    "logging": [
        "import logging\nlogging.warning('w'); logging.info('i')",
        "logging.getLogger('own').error('e')",
        "logging.basicConfig(level='INFO', force=True); logging.info('i')",
        "logging.root.handlers.clear(); logging.root.setLevel('WARNING')",
    ],
    "await": [
        "import asyncio\nawait asyncio.sleep(0, 'slept')",
        "async def late():\n    await asyncio.sleep(.01)\n    return 5\nawait late()",
        "(await asyncio.gather(late(), late()))",
        "async with asyncio.timeout(1):\n    print('within')",
        "[x async for x in __import__('types').AsyncIteratorType()] if False else await late()",
        "c = late(); asyncio.run(c)",
        "c.close()",
        "asyncio.get_event_loop().is_running(), asyncio.get_running_loop() is asyncio.get_event_loop()",
        "task = asyncio.create_task(late())",
        "await task",
        "async def fails():\n    raise ValueError('async')\nawait fails()",
        "await asyncio.to_thread(lambda: 'thread')",
        "process = await asyncio.create_subprocess_exec('echo', 'sub', stdout=asyncio.subprocess.PIPE)\n(await process.communicate())[0]",
    ],
    "contexts": [
        "import contextvars, decimal\nvar = contextvars.ContextVar('var')\nvar.set(1); decimal.getcontext().prec = 5",
        "var.get(), decimal.Decimal(1) / 3",
        "await asyncio.sleep(0); var.set(2); None",
        "var.get()",
    ],
    "magics": [
        "isinstance(get_ipython().run_line_magic('pwd', ''), str)",
        "%precision 3\n3.14159",
        "%precision\n3.14159",
        "%xmode",
        "%xmode Plain\n1/0",
        "%xmode Context",
        "%automagic",
        "%env NOBODY_HAS_IT=1\n",
        "import os; os.environ['NOBODY_HAS_IT']",
        "%unknown_magic",
        "%%unknown_cell_magic\nx",
        "%%capture kept\nprint('captured')\n1",
        "kept.stdout, [o.data for o in kept.outputs]",
        "%%writefile written.txt\ntext",
        "!cat written.txt",
        "%%python3 --out said\nprint('by another')",
        "said",
        "%alias_magic t time",
        "%config InlineBackend.close_figures",
        "%psource f",
        "f?",
        "%load written.txt",
        "%reload_ext nothing_such",
        "%store",
        "%bookmark -l",
        "%gui",
        "%pylab_is_no_magic",
        "from IPython import get_ipython as g; g() is get_ipython()",
        "%%html\n<b>html</b>",
        "%%javascript\n1",
        "%%latex\nx",
        "%%markdown\nx",
        "%%svg\n<svg xmlns='http://www.w3.org/2000/svg'/>",
        "%logstate",
        "%macro m 1",
        "%pdef f",
        "%sx echo sx",
        "%%sx\necho a\necho b",
        "None",
        "%autoawait",
        "%debug",
        "breakpoint()",
    ],
    "times": ["%time sum(range(10))", "%%time\nx = 1\nprint('timed')", "%timeit -n 1 -r 1 pass"],
    "commands": [
        "!echo out; echo err >&2",
        "lines = !echo a; echo b\nlines",
        "!exit 3\nprint(_exit_code)",
        "name = 'Xá'\n!echo $name {1 + 1}",
        "%%bash\necho out\necho err >&2",
        "%%bash\nexit 3",
        "%%bash --out got\necho kept",
        "got",
        "%%sh\ncat",
    ],
    "file descriptors": [
        "import os, subprocess, time\nprint('first')\nos.system('echo by a shell')\ntime.sleep(.3)\nprint('last')",
        "subprocess.run(['sh', '-c', 'echo out; sleep .3; echo err >&2'])\ntime.sleep(.2)",
        "os.write(1, b'written\\n'); time.sleep(.2)",
        "os.write(2, b'as well\\n'); time.sleep(.2)",
        "import ctypes\nlibc = ctypes.CDLL(None); libc.puts(b'by C'); libc.fflush(None); time.sleep(.2)",
        "os.write(1, 'Phường\\n'.encode() + b'\\xff\\n'); time.sleep(.2)",
        "subprocess.run('echo kept', shell=True, capture_output=True, text=True).stdout",
        "subprocess.run('cat', shell=True, capture_output=True).stdout",
        "print('x', file=sys.__stdout__, flush=True); time.sleep(.2)",
        "os.write(1, b'x' * 200_000 + b'\\n'); time.sleep(.5)",
    ],
    "input": [
        "input('name? ')",
        "import getpass; getpass.getpass()",
        "sys.stdin.read()",
        "sys.stdin.readline()",
        "os.read(0, 1)",
    ],
    "processes": [
        "pid = os.fork()\nif not pid:\n    os.write(1, b'child\\n')\n    os._exit(0)\nos.waitpid(pid, 0)[1]; time.sleep(.2)",
        "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(1) as pool:\n    print(pool.map(str, [1, 2]))",
        "import concurrent.futures\nwith concurrent.futures.ThreadPoolExecutor(2) as pool:\n    print(list(pool.map(str, [1, 2])))",
    ],
    "threads": [
        "import threading\nt = threading.Thread(target=print, args=('in a thread',)); t.start(); t.join()",
        "def later():\n    time.sleep(.3)\n    print('late')\nt = threading.Thread(target=later); t.start()",
        "t.join()\nprint('joined')",
        "t = threading.Thread(target=lambda: display('of a thread')); t.start(); t.join()",
        "threading.current_thread() is threading.main_thread()",
    ],
    "names": [
        "__name__, sys.modules['__main__'].__dict__ is globals(), __builtins__ is __import__('builtins')",
        "class Mine:\n    pass\nimport pickle\ntype(pickle.loads(pickle.dumps(Mine()))) is Mine, Mine.__module__, Mine",
        "import dataclasses\n@dataclasses.dataclass\nclass Data:\n    x: int\nData(1)",
        "import inspect; print(inspect.getsource(f))",
        "from __future__ import annotations",
        "def annotated(x: undefined_type): pass\nannotated.__annotations__",
        "'__file__' in globals(), '__session__' in globals(), sys.argv[0].endswith('ipykernel_launcher.py')",
        "sorted(n for n in dir(__import__('builtins')) if 'ipy' in n.lower() or n == 'display')",
        "del x\nx",
        "open",
        "open(0)",
        "exit, quit",
        "import mine",
    ],
    "the shell": [
        "ip = get_ipython(); ip.set_next_input('next'); ip.execution_count",
        "ip.run_cell('print(1)\\n2').result",
        "ip.ex('y = 5'); ip.ev('y')",
        "hook = lambda: print('hooked')\nip.events.register('post_execute', hook)",
        "print('x')",
        "ip.events.unregister('post_execute', hook)",
        "def own(self, etype, value, tb, tb_offset=None):\n    print('handled', value)\nip.set_custom_exc((KeyError,), own)",
        "{}['k']",
        "ip.set_custom_exc((), None)",
        "import ast\nip.input_transformers_post.append(lambda lines: [l.replace('VALUE', '7') for l in lines])",
        "VALUE",
        "ip.input_transformers_post.clear()",
        "ip.ast_node_interactivity = 'all'",
        "1\n2",
        "ip.ast_node_interactivity = 'last_expr'",
        "ip.display_formatter.formatters['text/html'].for_type(int, lambda n: f'<b>{n}</b>'); None",
        "5",
        "ip.display_formatter.formatters['text/html'].pop(int); None",
        "sys.displayhook",
        "ip.system('echo by system')",
        "ip.kernel.get_parent()['header']['msg_type'], ip.user_ns is globals()",
        "ip.colors",
    ],
    "tables": [
        "import pandas as pd\npd.DataFrame({'số': [1, 2], 'b': ['x', None]})",
        "pd.Series([1.5, None], name='s')",
        "pd.DataFrame({'a': [1]}).style.set_uuid('u')",
        "print(pd.DataFrame({'a': range(100)}))",
        "import numpy as np; np.arange(5) / 0",
    ],
    "figures": [
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])",
        "plt.plot([1, 2]); plt.show(); print('after'); plt.bar(['a'], [1]); plt.title('Thu ngân sách')",
        "fig, ax = plt.subplots(figsize=(2, 1)); ax.plot([1]); plt.close(fig)",
        "fig, ax = plt.subplots(figsize=(2, 1)); fig",
        "fig",
        "plt.get_fignums(), plt.get_backend(), plt.isinteractive(), plt.rcParams['figure.figsize']",
        "for _ in range(2):\n    plt.figure(figsize=(1, 1))",
        "print('x')\nplt.figure(figsize=(1, 1))\n1 / 0",
        "plt.figure(figsize=(1, 1), facecolor='none'); plt.plot([1])",
        "%config InlineBackend.figure_formats = ['svg']\nplt.rcParams['svg.hashsalt'] = 'x'\nplt.figure(figsize=(1, 1)).savefig('f.svg', metadata={'Date': None})\nplt.close()",
        "%matplotlib inline\n%config InlineBackend.figure_formats = ['png']\nplt.figure(figsize=(1, 1));",
        "%matplotlib agg\nplt.figure(figsize=(1, 1));plt.show()",
        "plt.close('all')\n%matplotlib inline\nplt.figure(figsize=(1, 1));",
        "display(plt.figure(figsize=(1, 1)), metadata={'image/png': {'alt': 'Hình'}}); plt.close()",
        "ax = plt.figure(figsize=(1, 1)).add_subplot(); ax",
        "import seaborn as sns\nsns.set_theme(); sns.lineplot(x=[1, 2], y=[3, 4])",
        "sns.displot([1, 2, 3])",
        "plt.rcdefaults(); plt.plot([1]); plt.text(0, 1, '\\u0b95')",
        "%config InlineBackend.close_figures = False\nplt.figure(figsize=(1, 1));",
        "len(plt.get_fignums())",
        "plt.close('all')\n%config InlineBackend.close_figures = True",
    ],
    "folders": ["os.chdir('/'); os.getcwd()", "os.getcwd()", "%cd -q -", "'' in sys.path"],
    "signals": [
        "import signal\nsignal.getsignal(signal.SIGINT)",
        "os.kill(os.getpid(), signal.SIGINT); time.sleep(1)",
    ],
}


# What differs, why, and what the engine gives: the text of all outputs, in order.
DIFFERENT = {
    "text that was flushed on its own is one output all the same: the kernel cuts by the clock": (
        ["print('a', flush=True)\nprint('b')"],
        ["a\nb\n"],
    ),
    "what a task of an earlier cell prints is shown with the cell that runs: nbclient loses the kernel's": (
        [
            "import asyncio\nasync def late():\n    await asyncio.sleep(.1)\n    print('late')\ntask = asyncio.create_task(late())",
            "await task\nprint('here')",
        ],
        ["late\nhere\n"],
    ),
    "a program that is given sys.stdout is read as well: the kernel's goes to its terminal": (
        [
            "import subprocess, sys; print(subprocess.run(['echo', 'x'], stdout=sys.stdout).returncode)"
        ],
        ["x\n0\n"],
    ),
    "what is written to a descriptor stands where it was written, and none is late": (
        ["import os\nprint('a')\nos.system('echo b')\nprint('c')\nos.system('echo d >&2');"],
        ["a\nb\nc\n", "d\n"],
    ),
    "half a surrogate is a question mark: the kernel loses the whole text, and says so on its own stderr": (
        ["print('\\ud800x')"],
        ["?x\n"],
    ),
    "a display of a fork is nowhere: the kernel asks its parent by a socket; prints come": (
        [
            "import os\nfrom IPython.display import display\nif not (pid := os.fork()):\n"
            "    print('printed', flush=True); display('shown'); os._exit(0)\nos.waitpid(pid, 0);"
        ],
        ["printed\n"],
    ),
    "errors inside the stream name the engine's file, as the warning of a message that is no JSON does": (
        ["import sys\ntry:\n    sys.stdout.write(1)\nexcept TypeError as error:\n    print(error)"],
        ["write() argument must be str, not <class 'int'>\n"],
    ),
    "no profile: nothing of the user's IPython is read, %store keeps for the notebook only": (
        ["x = 1\n%store x\n%store", "get_ipython().profile_dir"],
        ["Stored 'x' (int)\nStored variables and their in-db values:\nx             -> 1\n"],
    ),
}

RUN = """
import json, sys
import nbformat
from papermill.engines import NBClientEngine
from wardlib.runs.engine import WardEngine
notebook = nbformat.read("in.ipynb", as_version=4)
notebook.metadata["papermill"] = {}
engine = {"ward": WardEngine, "kernel": NBClientEngine}[sys.argv[1]]
try:
    engine.execute_notebook(notebook, "python3", progress_bar=False, **json.loads(sys.argv[2]))
except Exception as error:
    print(f"{type(error).__name__}: {error}".partition("\\n")[0])
nbformat.write(notebook, "out.ipynb")
"""


def write(folder, sources):
    folder.mkdir(parents=True, exist_ok=True)
    cells = [new_code_cell(source) for source in sources]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), folder / "in.ipynb")


def start(folder, sources, engine="ward", code=RUN, **options):
    """Run a notebook of those cells in a Python of its own, which is given."""
    write(folder, sources)
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return subprocess.Popen(
        [sys.executable, "-c", code, engine, json.dumps(options)],
        cwd=folder, env=env | {"PYTHONPATH": str(ROOT)}, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def end(folder, process, read=True):
    """The cells that were run, and what the Python printed."""
    said, failed = process.communicate(timeout=120)
    assert process.returncode == 0, failed
    return nbformat.read(folder / "out.ipynb", as_version=4).cells if read else [], said


def run(folder, sources, **options):
    return end(folder, start(folder, sources, **options))


def joined(outputs):
    """The outputs with text that joins on as one."""
    made = []
    for output in json.loads(json.dumps(outputs)):
        last = made[-1] if made else {}
        if (
            output["output_type"] == "stream" == last.get("output_type")
            and output["name"] == last["name"]
        ):
            last["text"] += output["text"]
        else:
            made.append(output)
    return made


def same(cell):
    """What must be the same of a cell: all but addresses, process ids and times."""
    text = json.dumps([cell.execution_count, joined(cell.outputs)], ensure_ascii=False)
    for pattern, stand_in in (
        (r"0x[0-9a-f]{6,}", "0x"),
        (r"ipykernel_\d+/", "ipykernel/"),
        (r"[\d.]+(e[+-]\d+)? \S?s\b", "T"),
    ):
        text = re.sub(pattern, stand_in, text)
    return text


def texts(cells):
    return [
        o.get("text", o.get("evalue", o.get("data", {}).get("text/plain")))
        for c in cells
        for o in c.outputs
    ]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The cells of SAME, by name, as run by the kernel and by the engine."""
    folder = tmp_path_factory.mktemp("both")
    sources = [source for own in SAME.values() for source in own]
    processes = {
        engine: start(folder / engine, sources, engine, allow_errors=True)
        for engine in ("kernel", "ward")
    }
    found = [end(folder / engine, process)[0] for engine, process in processes.items()]
    pairs = iter(zip(*found, strict=True))
    return {name: [next(pairs) for _ in own] for name, own in SAME.items()}


@pytest.mark.parametrize("name", SAME)
def test_the_outputs_are_those_of_the_kernel(both, name):
    """Outputs, their order, metadata, traceback text and the execution count are the same."""
    for kernel, ward in both[name]:
        assert same(ward) == same(kernel), ward.source


def test_the_differences_are_those_that_are_listed(tmp_path):
    """Where the engine differs on purpose it gives what the table says."""
    sources = [source for own, _ in DIFFERENT.values() for source in own]
    found = iter(run(tmp_path, sources, allow_errors=True)[0])
    for why, (own, expected) in DIFFERENT.items():
        assert texts([next(found) for _ in own]) == expected, why


# Notebooks by themselves: their cells, and options of the engine.
_BUSY = """print('before')
try:
    while True:
        try:
            {}
        except Exception:
            pass
finally:
    print('last')"""
ALONE = {
    "error": (["print(1)", "1 / 0", "print(2)"], {}),
    "exit": (["print(1)", "exit", "print(2)"], {}),
    "busy": ([_BUSY.format("1 / 0"), "print('after')"], {"execution_timeout": 1}),
    "asleep": (
        [_BUSY.format("__import__('time').sleep(9)"), "print('after')"],
        {"execution_timeout": 1},
    ),
    "awaiting": ([_BUSY.format("await __import__('asyncio').sleep(9)")], {"execution_timeout": 1}),
    "idle": (
        ["print('before')\nawait __import__('asyncio').Event().wait()"],
        {"execution_timeout": 1},
    ),
    "interrupted": (
        ["__import__('time').sleep(9)", "print('after')"],
        {"execution_timeout": 2, "interrupt_on_timeout": True, "allow_errors": True},
    ),
    "lines": (
        [
            "for i in range(100_000):\n    print(i)\nprint('x', file=__import__('sys').stderr)\n'the result'"
        ],
        {},
    ),
    "text": (["print('Xá' * 1_000_000)\nprint('more')", "print(1)"], {}),
    "by a program": (["import os\nos.system('yes | head -n 100000');"], {}),
    "displays": (
        [
            "from IPython.display import display\nfor i in range(70):\n    display({'text/plain': 'x' * 1_000_000}, raw=True)"
        ],
        {},
    ),
    "cleared": (
        [
            "from IPython.display import clear_output\nfor i in range(12_000):\n    print(i)\n    clear_output(wait=True)\nprint('the last')"
        ],
        {},
    ),
    "long error": (["raise ValueError('x' * 5_000_000)"], {"allow_errors": True}),
    "without end": (["while True:\n    print('x' * 10_000, flush=True)"], {"execution_timeout": 2}),
    "names": (["shared = 'x' in globals()\nx = 1\nshared, In[1][:6]"], {}),
    "no names": (["shared = 'x' in globals()\nx = 1\nshared, In[1][:6]"], {}),
    "figure": (["import matplotlib.pyplot as plt; plt.plot([1]);"], {}),
}
FORKS = """
import os, sys, threading
before = sorted(os.listdir("/proc/self/fd"))
from wardlib.runs import engine
import matplotlib.pyplot
engine.prepare()
assert sorted(os.listdir("/proc/self/fd")) == before
assert threading.active_count() == 1
options = json.loads(sys.argv[2])
for number, name in enumerate(options):
    if number >= 4:
        assert os.wait()[1] == 0
    if not os.fork():
        os.chdir(name)
        os.dup2(os.open("said", os.O_CREAT | os.O_WRONLY), 1)
        sys.argv[2] = json.dumps(options[name])
        run()
        print("peak", *[line for line in open("/proc/self/status") if line.startswith("VmHWM")])
        sys.stdout.flush()
        os._exit(0)
for _ in range(4):
    assert os.wait()[1] == 0
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What came of each notebook of ALONE: the cells, and what its process printed. All are forks of one
    process that has prepared the engine, with a home of its own."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "home").mkdir()
    for name, (sources, _) in ALONE.items():
        write(folder / name, sources)
    code = (
        f"import os; os.environ['HOME'] = os.environ['IPYTHONDIR'] = {str(folder / 'home')!r}\n"
        "import json\ndef run():" + RUN.replace("\n", "\n    ") + FORKS
    )
    end(
        folder,
        start(folder, [], code=code, **{name: options for name, (_, options) in ALONE.items()}),
        False,
    )
    return {
        name: (
            nbformat.read(folder / name / "out.ipynb", as_version=4).cells,
            (folder / name / "said").read_text(),
        )
        for name in ALONE
    } | {"home": {path.name for path in (folder / "home").iterdir()}}


def test_a_run_stops_at_the_first_error_and_no_later(alone):
    """As papermill's: what raises ends it; `exit` ends the kernel."""
    cells, said = alone["error"]
    assert texts(cells) == ["1\n", "division by zero"]
    assert cells[1].metadata.papermill["exception"] and said.startswith("peak")
    cells, said = alone["exit"]
    assert texts(cells) == ["1\n"] and said.startswith("DeadKernelError: Kernel died\n")


@pytest.mark.parametrize("name", ["busy", "asleep", "awaiting", "idle"])
def test_a_cell_ends_with_its_time(alone, name):
    """Whatever it does, CellTimeoutError; the cell shows where it was, and no cell comes after."""
    cells, said = alone[name]
    assert said.startswith(
        "CellTimeoutError: A cell timed out while it was being executed, after 1 seconds.\n"
    )
    assert "".join(texts(cells)) == ("before\n" if name == "idle" else "before\nlast\n")
    assert cells[0].outputs[-1].ename == (
        "KeyboardInterrupt" if name in ("busy", "asleep") else "CancelledError"
    )


def test_an_interrupted_cell_is_an_error_where_that_was_asked(alone):
    """nbclient's interrupt_on_timeout: KeyboardInterrupt in the cell, and the next one runs."""
    cells, said = alone["interrupted"]
    assert cells[0].outputs[0].ename == "KeyboardInterrupt" and said.startswith("peak")
    assert texts(cells[1:]) == ["after\n"]


def test_what_a_cell_shows_is_bounded(alone):
    """Lines, text and all outputs together; the cell goes on, and a line says what was cut."""
    [cell], _ = alone["lines"]
    lines = cell.outputs[0].text.splitlines()
    assert lines[:-1] == [str(number) for number in range(10_000)]
    assert (
        lines[-1]
        == "[Cut here, after 10,000 lines and 48,890 bytes; 100,001 lines and 588,892 bytes were written.]"
    )
    assert texts([cell])[1:] == ["'the result'"]
    cells, _ = alone["text"]
    assert (
        len(cells[0].outputs[0].text.encode()) < 1_000_200
        and "Xá" * 9 + "X\n[Cut here" in cells[0].outputs[0].text
    )
    assert texts(cells[1:]) == ["1\n"]
    [cell], _ = alone["by a program"]
    assert cell.outputs[0].text.count("\n") == 10_001
    [cell], _ = alone["displays"]
    assert len(cell.outputs) == 50 and cell.outputs[-1].text.startswith("[21 outputs are left out")
    assert texts(alone["cleared"][0]) == ["the last\n"]
    assert len(json.dumps(alone["long error"][0][0].outputs)) < 3_000_000


def test_printing_without_end_takes_no_memory(alone):
    """A cell that prints for ever is ended by its time, at a few megabytes more than another."""
    peak = {name: int(alone[name][1].split()[-2]) for name in ("without end", "figure")}
    assert alone["without end"][1].startswith("CellTimeoutError")
    assert peak["without end"] < peak["figure"] + 30_000  # kB


def test_forks_share_nothing_and_need_no_home(alone):
    """Each fork of a prepared process has names of its own and figures; no file of IPython's is there."""
    for name in ("names", "no names"):
        assert texts(alone[name][0]) == ["(False, 'shared')"]
    assert "image/png" in alone["figure"][0][0].outputs[0].data
    assert alone["home"] <= {".cache", ".config"}  # matplotlib's


HOST = """
import asyncio, builtins, io, logging, os, signal, sys, threading, warnings
os.environ["IPYTHONDIR"] = os.getcwd()
import matplotlib; matplotlib.use("svg")
import matplotlib.pyplot as plt
from IPython.core.interactiveshell import InteractiveShell
from ipykernel.zmqshell import ZMQInteractiveShell
from matplotlib_inline.config import InlineBackend
from wardlib.runs import engine

def state():
    return {
        "sys": {n: getattr(sys, n, None) for n in ("stdout", "stderr", "stdin", "displayhook", "excepthook", "breakpointhook", "argv", "last_value")},
        "path": sys.path[:], "main": sys.modules["__main__"], "builtins": dict(vars(builtins)),
        "cwd": os.getcwd(), "env": dict(os.environ), "shell": InteractiveShell._instance,
        "zmq": ZMQInteractiveShell._instance, "inline": InlineBackend._instance,
        "signals": [signal.getsignal(s) for s in signal.valid_signals()],
        "fds": sorted(f for f in map(os.path.realpath, [f"/proc/self/fd/{f}" for f in os.listdir("/proc/self/fd")]) if not f.endswith(("fd", ".ttf"))),
        "threads": threading.enumerate(), "root": (logging.root.handlers[:], logging.root.level),
        "filters": warnings.filters[:], "rc": dict(matplotlib.rcParams), "backend": plt.get_backend(),
        "get_ipython": __import__("IPython").get_ipython(),
    }

logging.basicConfig(format="host %(message)s")
signal.signal(signal.SIGTERM, lambda *_: None)
if sys.argv[1] == "kernel":
    ZMQInteractiveShell.instance(); InlineBackend.instance()
plt.plot([1]); plt.savefig("before.png"); plt.close()
RUNNER
before = state()
main()
after = state()
for name in before:
    if sys.argv[1] == "loop" and name in ("fds", "threads"):
        continue  # papermill's own engine keeps some
    if before[name] != after[name]:
        print("CHANGED", name, before[name], after[name])
"""
ONCE = "def main():" + RUN.replace("\n", "\n    ")
UNRULY = [
    "import sys, os, signal, logging, builtins, warnings\nsys.stdout = sys.stderr = __import__('io').StringIO(); sys.argv = []; builtins.extra = 1",
    "os.environ['A'] = 'b'; os.chdir('/'); signal.signal(signal.SIGTERM, signal.SIG_IGN)\nlogging.basicConfig(level=1)",
    "sys.displayhook = sys.excepthook = print; warnings.simplefilter('ignore'); sys.path.clear()",
    "sys.modules['__main__'] = None",
    "import matplotlib.pyplot as plt; plt.rcParams['figure.dpi'] = 20; plt.plot([1])",
    "1 / 0",
]


@pytest.mark.parametrize("around", ["kernel", "loop"])
def test_the_process_is_afterwards_as_it_was(tmp_path, around):
    """Whatever the cells do, with a live shell, and within a running event loop as in JupyterLab."""
    runner = ONCE
    if around == "loop":
        runner += "\nonce = main\nasync def within(): once()\ndef main(): asyncio.run(within())\n"
    code = HOST.replace("RUNNER", runner)
    code = code.replace("}[sys.argv[1]]", '}["ward"]')
    cells, said = run(tmp_path, UNRULY, engine=around, code=code, allow_errors=True)
    assert said == ""
    assert around == "loop" or "image/png" in json.dumps(cells[4].outputs)


def test_hooks_and_logs_are_the_hosts(tmp_path):
    """nbclient's hooks run in the host's streams and folder; output goes to papermill's log and files."""
    code = """
import os, sys, logging, papermill
from papermill.engines import papermill_engines
from wardlib.runs.engine import WardEngine
papermill_engines.register("ward", WardEngine)
logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stdout)
seen = []
def hook(**about):
    seen.append((about["cell_index"], os.getcwd() == here))
    print("hook", about["cell_index"], flush=True)
here = os.getcwd()
with open("said", "w") as said:
    papermill.execute_notebook("in.ipynb", "out.ipynb", engine_name="ward", progress_bar=False, log_output=True,
        stdout_file=said, on_cell_start=hook, on_cell_executed=hook, parameters={"x": 5},
        timeout_func=lambda cell: 9.5, autosave_cell_every=0)
print(seen)
"""
    cells, said = run(
        tmp_path,
        ["import os; os.chdir('/')\nprint('shown')\nx", "os.write(1, b'raw\\n');"],
        code=code,
    )
    assert texts(cells) == ["shown\n", "5", "raw\n"]
    assert (tmp_path / "said").read_text() == "shown\nraw\n"
    lines = [
        line for line in said.splitlines() if line.startswith(("hook", "shown", "raw", "5", "["))
    ]
    assert lines == [
        "hook 0", "hook 0", "hook 1", "shown", "5", "hook 1", "hook 2", "raw", "hook 2",
        "[(0, True), (0, True), (1, True), (1, True), (2, True), (2, True)]",
    ]  # fmt: skip


def test_other_kernels_are_papermills(tmp_path, monkeypatch):
    """A kernelspec that is not this Python's ipykernel as it comes is left to papermill's engine."""
    from wardlib.runs.engine import _is_ours

    ours = ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    specs = {
        "ours": {"argv": ours},
        "frozen": {"argv": [sys.executable, "-Xfrozen_modules=off", *ours[1:]]},
        "other": {"argv": ["/usr/bin/python3", *ours[1:]]},
        "r": {"argv": ["R", "-e", "IRkernel::main()"]},
        "env": {"argv": ours, "env": {"A": "b"}},
        "more": {"argv": [*ours, "--debug"]},
        "far": {"argv": ours, "metadata": {"kernel_provisioner": {"provisioner_name": "far"}}},
    }
    for name, spec in specs.items():
        folder = tmp_path / "kernels" / name
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(
            json.dumps(spec | {"display_name": name, "language": "x"})
        )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert [name for name in specs if _is_ours(name)] == ["ours", "frozen"]
    assert _is_ours("python3") and not _is_ours("nothing")
