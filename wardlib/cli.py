"""The `ward` command: arguments and printing only."""

from __future__ import annotations

import datetime
import io
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from typer.core import TyperCommand

from wardlib.errors import DataError, Problem, RequestError, WardError, said, visible

if TYPE_CHECKING:
    from wardlib.data.descriptors import Ward
    from wardlib.runs.plans import Outcome

app = typer.Typer(
    help="Run, check and list the briefings of wards.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Lists(TyperCommand):
    """A command whose repeatable options take several values at once, `--language vi en`, and whose
    errors are said in the language that is asked for, the first of several."""

    # typer hands over a Context of its own, a narrower type than its base class declares.
    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        repeatable = {name for p in self.params if getattr(p, "multiple", False) for name in p.opts}
        spread: list[str] = []
        # The option whose values these may be, and whether it has none yet.
        option, first = "", False
        for word in args:
            if word.startswith("-"):
                option, first = (word if word in repeatable else ""), True
            elif option and not first:
                if _is_period(word):
                    option = ""
                else:
                    spread.append(option)
            else:
                first = False
            spread.append(word)
        return super().parse_args(ctx, spread)

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # as above
        try:
            return super().invoke(ctx)
        except WardError as error:
            from wardlib.language import CODES, get

            source = ctx.get_parameter_source("language")
            asked = ctx.params["language"] if source and source.name == "COMMANDLINE" else "en"
            code = asked[0] if isinstance(asked, list) else asked
            raise WardError(error.told(get(code if code in CODES else "en"))) from error


def _is_period(word: str) -> bool:
    from wardlib.periods import Period

    try:
        Period.span(word)
    except RequestError:
        return False
    return True


Wards = Annotated[
    list[str], typer.Option("--ward", help="Folder of data/; may be repeated; all: every ward.")
]
Folder = Annotated[str, typer.Argument(metavar="WARD", help="Folder of data/.")]
Reported = Annotated[
    str, typer.Argument(metavar="PERIOD", help="2020-09, 2020-Q3, 2020-H1, 2020-9M or 2020.")
]
Spoken = Annotated[
    str, typer.Option("--language", help="vi or en, in which to tell what is found.")
]


@app.command(cls=Lists)
def run(  # long by its options, each of them a line of the help
    periods: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PERIOD...",
            help="2020-09, 2020-Q3, 2020-H1, 2020-9M, 2020; 2020-01..2020-12 for all between",
            show_default=False,
        ),
    ] = None,
    ward: Annotated[
        list[str], typer.Option(help="Folders of data/; all: every ward that has figures.")
    ] = ["phuc-dong"],  # noqa: B006 - typer copies defaults
    language: Annotated[
        list[str],
        typer.Option(help="vi, en or both; faults of the data are told in the first named."),
    ] = ["vi"],  # noqa: B006
    notebook: Annotated[
        list[str], typer.Option(help="Such as 90-briefing. Default: all for such units.")
    ] = [],  # noqa: B006
    as_of: Annotated[
        str, typer.Option(help="See nothing reported after this day, e.g. 2020-09-13.")
    ] = "",
    workers: Annotated[
        int, typer.Option(min=1, help="Jobs at once. Default: one a processor.", show_default=False)
    ] = os.cpu_count() or 1,
    scheduler: Annotated[
        str, typer.Option(help="Run on the workers of a Dask cluster, e.g. tcp://10.0.0.5:8786.")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Run what is up to date too.")] = False,
    failed: Annotated[
        bool, typer.Option("--failed", help="Run the jobs again that failed in the last run.")
    ] = False,
    cell_seconds: Annotated[float, typer.Option(min=0.1, help="The most a cell may take.")] = 120,
    job_seconds: Annotated[float, typer.Option(min=0.1, help="The most a job may take.")] = 600,
) -> None:
    """Run the notebooks of each PERIOD and export them as HTML and PDF to output/.

    What is up to date is not run again. Example:
    ward run 2020-01..2020-12 2020-Q3 --ward phuc-dong --language vi en
    """
    from wardlib.runs import plans, runs

    if failed == bool(periods):
        raise RequestError(
            "name the periods to run, e.g. ward run 2020-9M; or --failed alone, for the jobs that "
            "failed in the last run."
        )
    jobs = (
        runs.failed()
        if failed
        else plans.plan(
            periods or [],
            wards=ward,
            languages=language,
            notebooks=notebook,
            as_of=as_of,
        )
    )
    outcomes = runs.run(
        jobs,
        workers=workers,
        scheduler=scheduler,
        force=force,
        empty=ward == [plans.ALL],
        cell_seconds=cell_seconds,
        job_seconds=job_seconds,
    )
    raise typer.Exit(_watched(outcomes, len(jobs)))


def _watched(outcomes: Generator[Outcome], total: int) -> int:
    """Show the outcomes as they come, then what failed and how many there are of each; the exit code."""
    from wardlib.runs import plans

    counts: Counter[str] = Counter()
    broken = []
    # Closed whatever happens, be it that nothing can be printed: the run's processes end with it.
    with _interruptible(), closing(outcomes), _progress(total) as show:
        for outcome in outcomes:
            counts[outcome.status] += 1
            if outcome.status == plans.FAILED:
                broken.append(outcome)
            show(outcome, counts)
    if broken:
        _table(broken)
    words = [f"{counts[plans.DONE]} done", f"{counts[plans.FAILED]} failed"]
    words += [f"{counts[name]} {name}" for name in (plans.CURRENT, plans.EMPTY) if counts[name]]
    typer.echo(", ".join(words))
    return 1 if broken else 0


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C and a polite kill end the run with a word and exit code 130; what is done stays."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(
            "\nstopped: what is done stays; the same command goes on with the rest", err=True
        )
        # From here on what fails, fails because of the end: CPython's pool may write to a pipe just closed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        raise typer.Exit(130) from None
    finally:
        signal.signal(signal.SIGTERM, before)


_SECONDS = 2.0  # between two lines where there is no terminal


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Outcome, Counter[str]], None]]:
    """Shows each outcome on a terminal, below a bar with counts and the time left; else those that failed,
    and of the others one every few seconds."""
    number = 0

    def line(outcome: Outcome) -> str:
        job = outcome.job
        text = f"[{number}/{total}] {job.ward} {job.period} {job.name}: "
        if outcome.status == "no figures":
            return f"{text}no figures, passed over"
        word = "FAILED" if outcome.error else outcome.status
        return f"{text}{word} in {outcome.seconds:.1f} s -> {outcome.file}"

    if sys.stdout is None or not sys.stdout.isatty():
        said = -_SECONDS

        def show(outcome: Outcome, _: Counter[str]) -> None:
            nonlocal number, said
            number += 1
            now = time.monotonic()
            if outcome.error or (outcome.status != "up to date" and now - said >= _SECONDS):
                _say(line(outcome))
                said = now

        yield show
        return
    bar = Progress(
        TextColumn("{task.completed}/{task.total}"),
        BarColumn(),
        TextColumn("{task.fields[counts]}"),
        TimeRemainingColumn(),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=total, counts="")

        def show_live(outcome: Outcome, counts: Counter[str]) -> None:
            nonlocal number
            number += 1
            if outcome.status != "up to date":
                bar.console.print(
                    visible(line(outcome)), markup=False, highlight=False, soft_wrap=True
                )
            told = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
            bar.update(task, completed=number, counts=told)

        yield show_live


def _say(line: str) -> None:
    """Print a line with words of data or names of files, which the terminal is not to obey."""
    typer.echo(visible(line))


def _table(broken: list[Outcome]) -> None:
    """What failed: job, cell, error and the file to look at."""
    table = Table("job", "cell", "error", "file", title="failed", title_justify="left")
    for outcome in broken:
        job = outcome.job
        table.add_row(
            *(
                visible(text, "\n")
                for text in (
                    f"{job.ward} {job.period} {job.name}",
                    outcome.cell,
                    outcome.error,
                    outcome.file,
                )
            )
        )
    console = Console(stderr=True, markup=False, highlight=False)
    if not console.is_terminal:
        console.width = 240  # a log has no edge to wrap at
    console.print(table)


@app.command(cls=Lists)
def check(
    ward: Wards = [],  # noqa: B006 - typer copies defaults
    accept: Annotated[
        bool,
        typer.Option(
            "--accept", help="Record the files as they are now, if nothing else is wrong."
        ),
    ] = False,
    rewrite: Annotated[
        list[str],
        typer.Option(
            help="With --accept: tables of which accepted rows may be lost or changed, "
            "such as receipts or reference/tet."
        ),
    ] = [],  # noqa: B006 - typer copies defaults
    language: Spoken = "en",
) -> None:
    """Check every row of every table of the wards (default: all) and of the reference.

    A file that was accepted may only grow. Example: ward check --ward phuc-dong --accept --language vi
    """
    from wardlib.data import acceptance, checks, descriptors
    from wardlib.language import get
    from wardlib.runs.plans import ALL

    tongue = get(language)
    if rewrite and not accept:
        raise RequestError(
            said("--rewrite goes with --accept: ward check --accept --rewrite receipts")
        )
    names = list(dict.fromkeys(descriptors.names() if ward in ([], [ALL]) else ward))
    for name in names:
        descriptors.ask(name)
    today = datetime.date.today() if accept else None
    problems: set[Problem] = set()
    # One after the other, or a country's descriptors would lie in memory at once.
    each: Iterable[tuple[Ward | None, tuple[Problem, ...]]] = descriptors.each(names)
    if accept:  # before the checks: what they find sound is what is recorded, or nothing is
        each = list(each)
        proposal = acceptance.propose([described for described, _ in each if described])
        if not any(faults for _, faults in each):  # else the table may be one of such a ward
            proposal.ask(rewrite)
        problems |= set(proposal.losses(rewrite))
    counts = {}
    for described, faults in each:
        problems |= set(faults)
        if described:
            wards = tuple(dict.fromkeys(member.ward for member in described.wards))
            counts[described.id] = len(described.tables), wards
            problems |= set(checks.check(described, hashes=not accept, day=today))
    if problems:
        raise DataError(problems)
    for line in acceptance.record(proposal, today) if today else []:
        _say(tongue.say(line))
    for name, (count, wards) in counts.items():
        sound = said("{ward}: {count} tables, no problem", ward=name, count=count)
        if count == 1:
            sound = said("{ward}: 1 table, no problem", ward=name)
        if wards:
            sound = said(
                "{ward}: wards: {wards}, tables of its own: {count}, no problem",
                ward=name, wards=len(wards), count=count,
            )  # fmt: skip
            if not set(wards) <= set(names):
                _say(tongue.say(sound))
                sound = said("{ward}: its wards were not checked; ward check checks all", ward=name)
        _say(tongue.say(sound))


@app.command(cls=Lists)
def intake(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Excel, OpenDocument or CSV files.", show_default=False
        ),
    ],
    ward: Annotated[str, typer.Option(help="Folder of data/.")],
    reported_on: Annotated[
        str, typer.Option(help="Day on which the figures were reported, e.g. 2020-10-12.")
    ],
    apply: Annotated[
        bool, typer.Option("--apply", help="Write what is shown; else nothing is written.")
    ] = False,
    answer: Annotated[
        list[str], typer.Option(help="Answers to what was asked, e.g. unit=trieu.")
    ] = [],  # noqa: B006 - typer copies defaults
    layout: Annotated[
        str, typer.Option(help="A name for the files' layout, to be used again.")
    ] = "",
    status: Annotated[str, typer.Option(help="estimate or actual, whatever the heads say.")] = "",
    language: Annotated[str, typer.Option(help="vi or en.")] = "vi",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    page: Annotated[
        Path | None,
        typer.Option(help="Write the record to print and sign there: FILE.pdf or FILE.html."),
    ] = None,
) -> None:
    """Show what taking in office FILEs would do; with --apply, do it.

    Whatever cannot be taken surely is asked or refused, and nothing is written then. Example:
    ward intake thu-thang-9.xlsx --ward phuc-dong --reported-on 2020-10-12
    """
    from wardlib import language as languages
    from wardlib.data import descriptors, reading
    from wardlib.data.intake import examination, reports

    tongue = languages.get(language)
    if page and (page.suffix not in (".html", ".pdf") or not page.absolute().parent.is_dir()):
        raise RequestError(
            said("--page {page}: name a file .pdf or .html in a folder that is there.", page=page)
        )
    taken = examination.take_in(
        descriptors.ward(ward), files, reported_on, apply=apply, answers=answer, layout=layout, status=status,
        today=datetime.date.today(),
    )  # fmt: skip
    if as_json:
        typer.echo(visible(reports.as_json(taken, tongue, applied=apply), "\n"))
    else:
        for line in reports.lines(taken, tongue, applied=apply):
            _say(line)
    if page:
        from wardlib.pages import intake as record

        try:
            page.write_bytes(record.page(taken, tongue, page.suffix, applied=apply))
        except (OSError, WardError) as error:  # what was taken in is taken in all the same
            reason = (
                error.told(tongue)
                if isinstance(error, WardError)
                else reading.outside(str(error.strerror))
            )
            _say(
                tongue.say(
                    said("--page {page}: cannot be written: {reason}", page=page, reason=reason)
                )
            )
    raise typer.Exit(0 if taken.outcome == "accept" else 2)


@app.command(cls=Lists)
def template(
    ward: Folder,
    period: Reported,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Default: mau-WARD-PERIOD.xlsx in the working folder.", show_default=False
        ),
    ] = None,
    language: Annotated[str, typer.Option(help="vi; en: heads in both languages.")] = "vi",
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
) -> None:
    """Write an .xlsx for the clerk to fill in, with what is known of PERIOD in it already.

    Filled in, it comes back through ward intake. It holds small counts of persons as they were reported:
    it is for whoever reported them. Example:
    ward template phuc-dong 2022-01
    """
    from wardlib import language as languages
    from wardlib.data import descriptors, reading
    from wardlib.data.intake import templates
    from wardlib.periods import Period

    asked = Period.parse(period)
    made = templates.template(descriptors.ward(ward), asked, languages.get(language))
    path = output or Path(f"mau-{ward}-{asked}.xlsx")
    try:
        with path.open("wb" if force else "xb") as file:
            file.write(made)
    except FileExistsError:
        raise RequestError(
            said(
                "{file} is there already. Give another name by --output, or --force to write over it.",
                file=path,
            )
        ) from None
    except OSError as error:
        raise RequestError(
            said("{file} cannot be written: {reason}.", file=path, reason=reading.reason(error))
        ) from None
    _say(str(path))


@app.command(cls=Lists)
def page(
    ward: Folder,
    period: Reported,
    language: Annotated[str, typer.Option(help="vi or en.")] = "vi",
    as_of: Annotated[
        str, typer.Option(help="See nothing reported after this day, e.g. 2020-09-13.")
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option(help="Default: output/WARD/PERIOD/page.LANGUAGE.html.", show_default=False),
    ] = None,
) -> None:
    """Write one HTML file to hand round: choose a line, open a month; no script, no request.

    What is chosen and open there is what is printed. Example:
    ward page phuc-dong 2020-9M
    """
    from wardlib.data import checks, descriptors, reading
    from wardlib.pages import handout, workbook
    from wardlib.runs import plans

    plans.plan([period], wards=[ward], languages=[language], notebooks=[], as_of=as_of)
    described = descriptors.ward(ward)
    if described.wards and described.table("receipts") is None:
        raise RequestError(
            said(
                "{ward} is a district, which has no page to hand round. Its briefings: ward run {period} --ward {ward}",
                ward=ward,
                period=period,
            )
        )
    if output and (output.is_dir() or not output.absolute().parent.is_dir()):
        raise RequestError(
            said("--output {file}: name a file in a folder that is there.", file=output)
        )
    if problems := checks.check(described):
        raise DataError(problems)
    made = handout.page(workbook.open_workbook(ward, period, language, as_of))
    folder = plans.Job("page", ward, period, language, as_of).folder
    path = output or folder.with_name(f"{folder.name}.html")
    try:
        if output is None:
            path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, made.encode())
    except OSError as error:
        raise RequestError(
            said("{file} cannot be written: {reason}.", file=path, reason=reading.reason(error))
        ) from None
    _say(str(output or plans.named(path)))


def _replace(path: Path, data: bytes) -> None:
    """Write a file that is whole as soon as it has its name."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@app.command("list", cls=Lists)
def list_(language: Spoken = "en") -> None:
    """List the wards with the months of their receipts, and the notebooks.

    Example: ward list
    """
    from wardlib.data import book, descriptors
    from wardlib.language import get
    from wardlib.runs import plans

    tongue = get(language)
    problems: set[Problem] = set()
    for described, faults in descriptors.each(descriptors.names()):
        problems |= set(faults)
        if described is None:
            continue
        try:
            receipts = book.load(described, "receipts")
        except DataError as error:
            problems |= set(error.problems)
            span: str = said("faulty")
        else:
            span = said("none")
            if receipts is not None and len(receipts):
                months = receipts.month
                span = said("{low} to {high}", low=months.min(), high=months.max())
        title = described.title
        if described.illustrative:
            title = said("{title} (illustrative)", title=title)
        line = said("{ward}: {title}; receipts {span}", ward=described.id, title=title, span=span)
        if described.wards:
            count = len({member.ward for member in described.wards})
            line = said(
                "{ward}: {title}; wards: {count}", ward=described.id, title=title, count=count
            )
        _say(tongue.say(line))
    for name in plans.notebooks():
        _say(tongue.say(said("notebook {name}", name=name)))
    if problems:
        raise DataError(problems)


def main() -> None:
    """Run the command; an error of ours is a message and exit code 2, never a traceback."""
    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a letter gets its number
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except WardError as error:
        typer.echo(f"ward: {error}", err=True)
        sys.exit(2)
