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
    "carriage returns": ["print('10 %\\r20 %\\r', end='')\nprint('done')"],
    "letters": ["print('Phường Phúc Xá, 13 tỷ đồng ₫ 😀')"],
    "a stream's properties": [
        "print(type(sys.stdout).__name__, sys.stdout.isatty(), sys.stdout.encoding, sys.stdout.name,"
        " sys.stdout.writable(), sys.stdout.closed, hasattr(sys.stdout, 'buffer'))",
        "sys.stdout.write(1)",
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
        "display({'text/plain': 'raw', 'application/json': {1: float('nan')}}, raw=True)",
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
        "def again():\n    again()\nagain()",
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
        "await asyncio.wait_for(asyncio.sleep(1), .01)",
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
        "%pwd\n%lsmagic?" if False else "isinstance(get_ipython().run_line_magic('pwd', ''), str)",
        "%precision 3\n3.14159",
        "%precision\n3.14159",
        "%who_ls str" if False else "%xmode",
        "%xmode Plain\n1/0",
        "%xmode Context",
        "%timeit? " if False else "%automagic",
        "%automagic on" if False else "%env NOBODY_HAS_IT=1\n",
        "import os; os.environ['NOBODY_HAS_IT']",
        "%unknown_magic",
        "%%unknown_cell_magic\nx",
        "%%capture kept\nprint('captured')\n1",
        "kept.stdout, [o.data for o in kept.outputs]",
        "%%writefile written.txt\ntext",
        "%cat written.txt" if False else "!cat written.txt",
        "%run -i made.py" if False else "%%python3 --out said\nprint('by another')",
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
        "%matplotlib --list" if False else "%pylab_is_no_magic",
        "from IPython import get_ipython as g; g() is get_ipython()",
        "%%html\n<b>html</b>",
        "%%javascript\n1",
        "%%latex\nx",
        "%%markdown\nx",
        "%%svg\n<svg xmlns='http://www.w3.org/2000/svg'/>",
        "%logstate",
        "%rerun" if False else "%macro m 1",
        "%edit" if False else "%quickref" if False else "%page x" if False else "%pdef f",
        "%pip_is_nothing" if False else "%sx echo sx",
        "%%sx\necho a\necho b",
        "%prun -q 1" if False else "%dhist" if False else "None",
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
        "subprocess.run(['sh', '-c', 'echo out; echo err >&2'])\ntime.sleep(.3)",
        "os.write(1, b'written\\n'); os.write(2, b'as well\\n'); time.sleep(.3)",
        "import ctypes\nlibc = ctypes.CDLL(None); libc.puts(b'by C'); libc.fflush(None); time.sleep(.3)",
        "os.write(1, 'Phường\\n'.encode() + b'\\xff\\n'); time.sleep(.3)",
        "subprocess.run('echo kept', shell=True, capture_output=True, text=True).stdout",
        "subprocess.run('cat', shell=True, capture_output=True).stdout",
        "print('x', file=sys.__stdout__, flush=True); time.sleep(.3)",
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
        "pid = os.fork()\nif not pid:\n    os.write(1, b'child\\n')\n    os._exit(0)\nos.waitpid(pid, 0)[1]; time.sleep(.3)",
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


def by_engine(folder, sources, options, engine):
    """Run a notebook of those cells by papermill in a process of its own; its cells, and what was said."""
    notebook = new_notebook(
        cells=[new_code_cell(source, metadata={"tags": []}) for source in sources],
        metadata={"kernelspec": KERNEL},
    )
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell{number}"
    folder.mkdir()
    nbformat.write(notebook, folder / "in.ipynb")
    code = (
        "import papermill\nfrom papermill.engines import papermill_engines\n"
        "from wardlib.runs.engine import WardEngine\npapermill_engines.register('ward', WardEngine)\n"
        f"papermill.execute_notebook('in.ipynb', 'out.ipynb', engine_name={engine!r}, progress_bar=False, **{options!r})"
    )
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    env |= {"PYTHONPATH": str(ROOT), "TERM": "xterm-color"}
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, env=env, text=True, errors="replace", stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def cells(folder, process):
    said = process.communicate(timeout=120)
    if not (folder / "out.ipynb").exists():
        raise AssertionError(said)
    found = nbformat.read(folder / "out.ipynb", as_version=4).cells
    return [cell for cell in found if cell.id.startswith("cell")], said  # papermill marks failures
