"""The `ward` command: arguments and printing only."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from wardlib.errors import DataError, WardError

app = typer.Typer(
    help="Run, check and list the briefings of wards.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Wards = Annotated[list[str], typer.Option("--ward", help="Folder of data/; may be repeated.")]


@app.command()
def run(
    periods: Annotated[
        list[str],
        typer.Argument(metavar="PERIOD...", help="2020-09, 2020-Q3, 2020-H1, 2020-9M, 2020"),
    ],
    ward: Wards = ["phuc-dong"],  # noqa: B006 - typer copies defaults
    language: Annotated[list[str], typer.Option(help="vi or en; may be repeated.")] = ["vi"],  # noqa: B006
    notebook: Annotated[
        list[str], typer.Option(help="Such as 90-briefing; may be repeated. Default: all.")
    ] = [],  # noqa: B006
    as_of: Annotated[
        str, typer.Option(help="See nothing reported after this day, e.g. 2020-09-13.")
    ] = "",
) -> None:
    """Run the notebooks of each PERIOD and export them as HTML and PDF to output/.

    Example: ward run 2020-Q3 2020-9M --ward phuc-dong --language vi --language en
    """
    from wardlib import catalogue, runs

    jobs = runs.plan(
        periods,
        wards=ward,
        languages=language,
        notebooks=notebook or runs.notebooks(),
        as_of=as_of,
    )
    failed = 0
    for number, outcome in enumerate(runs.run(jobs), 1):
        job = outcome.job
        failed += bool(outcome.error)
        typer.echo(
            f"[{number}/{len(jobs)}] {job.ward} {job.period} {job.name}: "
            f"{'FAILED' if outcome.error else 'done'} in {outcome.seconds:.1f} s"
            f" -> {outcome.file.relative_to(catalogue.home())}"
        )
        if outcome.error:
            typer.echo(f"    {outcome.error}", err=True)
    typer.echo(f"{len(jobs) - failed} done, {failed} failed")
    raise typer.Exit(1 if failed else 0)


@app.command()
def check(
    ward: Wards = [],  # noqa: B006 - typer copies defaults
    accept: Annotated[
        bool,
        typer.Option(
            "--accept", help="Record the files as they are now, if nothing else is wrong."
        ),
    ] = False,
) -> None:
    """Check every row of every table of the wards (default: all) and of the reference.

    Example: ward check --ward phuc-dong --accept
    """
    from wardlib import catalogue, intake

    problems = set()
    wards = [catalogue.ward(name) for name in ward or catalogue.names()]
    for described in wards:
        problems |= set(intake.check(described, hashes=not accept))
    if problems:
        raise DataError(problems)
    for described in wards:
        for file in catalogue.accept(described) if accept else []:
            typer.echo(f"accepted {file}")
        typer.echo(f"{described.id}: {len(described.tables)} tables, no problem")


@app.command("list")
def list_() -> None:
    """List the wards with the months of their receipts, and the notebooks.

    Example: ward list
    """
    from wardlib import catalogue, intake, runs

    for name in catalogue.names():
        described = catalogue.ward(name)
        mark = " (illustrative)" if described.illustrative else ""
        receipts = intake.load(described, "receipts")
        span = "none" if receipts is None else f"{receipts.month.min()} to {receipts.month.max()}"
        typer.echo(f"{name}: {described.title}{mark}; receipts {span}")
    for name in runs.notebooks():
        typer.echo(f"notebook {name}")


def main() -> None:
    """Run the command; an error of ours is a message and exit code 2, never a traceback."""
    try:
        app()
    except WardError as error:
        typer.echo(f"ward: {error}", err=True)
        sys.exit(2)
