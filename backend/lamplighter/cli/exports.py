"""The commands `lamplighter export`, `lamplighter gallery` and `lamplighter import`."""

from __future__ import annotations

from pathlib import Path

import click

from lamplighter.cli.asking.lessons import prepare_lessons
from lamplighter.cli.common import PathOrAddress, StoreAddress, common_options
from lamplighter.cli.named_run import RUN_ID, confirm_imported, find_named_run
from lamplighter.cli.terminal import print_line, print_lines, show_progress
from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.export import FORMATS, export_run
from lamplighter.exports.output import ExportError
from lamplighter.model.training_demands import describe_demands
from lamplighter.runfolder.published.object_store import StoreError
from lamplighter.runfolder.run_store import RunStore


@click.command("export", epilog="\b\n" + "\n".join(f"{name:20} {how.about}" for name, how in FORMATS.items()))
@click.argument("run_id", metavar="RUN", type=RUN_ID)
@click.option("--to", "format", type=click.Choice(list(FORMATS)), required=True, help="Which format.")
@click.option(
    "--step",
    type=click.IntRange(0),
    help="The step, for formats that hold one.  [default: the last kept exactly]",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="The file to make.  [default: the run's id, here]"
)
@click.option(
    "--prepare-lessons",
    "prepare",
    is_flag=True,
    help="html: first ask the model all open questions of the course, so that the page has their numbers.",
)
@click.option(
    "--lessons",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="html: a folder of texts that replace or add parts of the course in the page.",
)
@click.option("--yes", is_flag=True, help="Do not ask before opening the model of an imported run.")
@common_options()
def export_command(
    runs_dir: Path,
    run_id: str,
    format: str,
    step: int | None,
    out: Path | None,
    prepare: bool,
    lessons: Path | None,
    yes: bool,
) -> None:
    """Export a run to another format, even while it trains."""
    if format != "html" and (prepare or lessons):
        raise click.UsageError(f"{format} holds no course: --prepare-lessons and --lessons need --to html")
    if prepare:
        # The page has gaps where a question was not answered; the reasons are printed.
        prepare_lessons(runs_dir, run_id, yes=yes, lessons=lessons)
    run = find_named_run(runs_dir, run_id)
    if format == "hf" and not yes:
        confirm_imported(run, "export its model")
    notes: list[str] = []
    with show_progress(format) as show:

        def on_progress(share: float, what: str) -> None:
            if what.startswith("left out: "):
                notes.append(what)
            show(share)

        try:
            output = export_run(run, format, step, out, on_progress, lessons)
        except ExportError as error:
            raise click.ClickException(str(error)) from error
    size = sum(p.stat().st_size for p in (output, *output.rglob("*")) if p.is_file())
    print_line(f"{output}: {size / 1e6:,.2f} MB")
    print_lines(notes)


@click.command("gallery")
@click.argument("run_ids", metavar="RUN...", type=RUN_ID, nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to make.")
@click.option(
    "--url",
    help="Its future address, such as https://example.org/city/, so that link previews have pictures.",
)
@common_options()
def gallery_command(runs_dir: Path, run_ids: tuple[str, ...], out: Path, url: str | None) -> None:
    """Make a static site of runs, with an index and a page for each, for any file host."""
    runs = [find_named_run(runs_dir, run_id) for run_id in run_ids]
    # Imported only here, because it imports the server's modules.
    from lamplighter.packing.page import write_gallery

    with show_progress("gallery") as show:
        try:
            output = write_gallery(runs, out, url, show)
        except ExportError as error:
            raise click.ClickException(str(error)) from error
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    print_line(f"{output}: {len(runs)} {'run' if len(runs) == 1 else 'runs'}, {size / 1e6:,.2f} MB")
    print_line(f"open {output / 'index.html'}, or upload the folder to a file host (docs/exports.md)")


@click.command("import")
@click.argument("source", metavar="ZIP|ADDRESS", type=PathOrAddress(path_type=Path, dir_okay=False))
@common_options()
def import_command(runs_dir: Path, source: Path | StoreAddress) -> None:
    """Import a run from a zip that `lamplighter export --to zip` wrote, or that `lamplighter publish` wrote to an address."""
    run_store = RunStore(runs_dir)
    run_store.clear_leftovers()
    with show_progress("import") as show:
        try:
            if isinstance(source, StoreAddress):
                # Only this needs a store.
                from lamplighter.cli.published.serving import import_published

                run, remarks = import_published(run_store, source, show)
            else:
                run, remarks = import_zip(run_store, source, show)
        except (ExportError, StoreError) as error:
            raise click.ClickException(str(error)) from error
    print_line(f"{run.id}: see it with: lamplighter --runs {runs_dir}")
    print_lines(remarks)
    if run.recipe.corpus.kind != "recorded":
        print_line(f"continuing it takes {describe_demands(run.recipe, len(run.vocabulary))}")
