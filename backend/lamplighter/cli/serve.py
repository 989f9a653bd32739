"""The commands `lamplighter` and `lamplighter serve`: the server, its workers, and the browser."""

from __future__ import annotations

import logging
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lamplighter.cli.common import SERVING, StoreAddress, common_options
from lamplighter.cli.energy import watts_option
from lamplighter.cli.terminal import log_to_terminal, print_line, print_qr_code
from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import folder_beside
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import ask_to_hold
from lamplighter.web.settings import ROLES, BrokerSettings, ClassSettings, ServerSettings, SettingsError

if TYPE_CHECKING:
    from lamplighter.serving.server_info import ClassJoin


def serve_app(
    runs_dir: Path | StoreAddress,
    *,
    new: bool,
    no_browser: bool,
    print_token: bool,
    host: str,
    port: int,
    hold: float,
    smooth_after: float | None,
    **class_options: Any,
) -> None:
    """Serve as plain `lamplighter` does: create a first run if there is none (or with `new`), start all workers, and
    open the browser."""
    classroom = _class_settings(**class_options)
    if isinstance(runs_dir, StoreAddress):
        if new:
            raise click.UsageError("--new starts a run, which needs a folder of runs on this machine")
        _serve_published(
            runs_dir,
            browser=not no_browser,
            print_token=print_token,
            host=host,
            port=port,
            classroom=classroom,
        )
        return
    settings = _settings(
        runs=runs_dir, host=host, port=port, hold=hold, smooth_after=smooth_after, classroom=classroom
    )
    run_store = RunStore(runs_dir)
    if new or not run_store.runs():
        recipe = Recipe()
        run = run_store.create(
            recipe, prepare=lambda folder: ask_to_hold(folder, "cli", settings.hold_of_new_runs)
        )
        print_line(f"a new run on Lamptown: {run.id}")
    _serve(settings, browser=not no_browser, print_token=print_token)


def serve_run(run: RunFolder, *, port: int, no_browser: bool) -> None:
    """Serve the folder of a run as `lamplighter serve` does, and open the browser on the run."""
    settings = _settings(runs=folder_beside(run), port=port)
    _serve(settings, browser=not no_browser, print_token=False, run_id=run.id)


@click.command("serve")
@common_options(*SERVING)
@click.option(
    "--behind",
    metavar="URL",
    help="The public address, if it is not this machine's loopback (in a container, behind a proxy or a tunnel): https://HOST:PORT, https://HOST/PATH if a proxy strips the path, or localhost:PORT. Reading then needs the presenter's token too.",
)
@click.option(
    "--no-workers", is_flag=True, help="Start no trainers, projectors or analysts; they run elsewhere."
)
@click.option(
    "--trainers",
    default=2,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Number of runs trained at the same time.",
)
@click.option(
    "--follow",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Show the runs that other machines write in fragments into this folder, as on a network file system; may be repeated.",
)
@click.option(
    "--lessons",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A folder of texts that replace or add parts of the course. Check it with: lamplighter lessons check DIR",
)
@click.option(
    "--relay",
    metavar="URL",
    help="Serve the page of a class whose server was started with --broker URL to more phones, and nothing else: tls://HOST:PORT, or nats://HOST:PORT.",
)
@watts_option
def serve_command(
    runs_dir: Path | StoreAddress,
    host: str,
    port: int,
    no_browser: bool,
    print_token: bool,
    smooth_after: float | None,
    hold: float,
    behind: str | None,
    no_workers: bool,
    trainers: int,
    follow: tuple[Path, ...],
    lessons: Path | None,
    relay: str | None,
    **class_options: Any,
) -> None:  # fmt: skip
    """Serve the runs of a folder without starting one."""
    if relay is not None:
        _serve_relay(relay, **class_options)
        return
    if lessons is not None:
        # These modules are slow to import.
        from lamplighter.lessons.check import list_problems
        from lamplighter.lessons.library import find_lessons, read_folder

        if problems := list_problems(lessons, read_folder(find_lessons()).parts):
            raise click.ClickException(
                f"{problems[0]} ({len(problems)} in all; list them with: lamplighter lessons check {lessons})"
            )
    shared: dict[str, Any] = {
        "host": host,
        "port": port,
        "behind": behind,
        "lessons": lessons,
        "classroom": _class_settings(**class_options),
    }
    if isinstance(runs_dir, StoreAddress):
        if follow:
            raise click.UsageError(
                "--follow keeps records of runs, which need a folder of runs on this machine"
            )
        _serve_published(runs_dir, browser=not no_browser, print_token=print_token, **shared)
        return
    settings = _settings(
        runs=runs_dir,
        roles=() if no_workers else ROLES,
        max_trainers=trainers,
        smooth_after=smooth_after,
        hold=hold,
        follow=follow,
        **shared,
    )
    _serve(settings, browser=not no_browser and settings.loopback, print_token=print_token)


def _serve_relay(url: str, *, broker: str | None, insecure_broker: bool, **class_options: Any) -> None:
    from lamplighter.serving.servers.relay_server import run_relay

    if broker is not None:
        raise click.UsageError("--broker is for the server of the class; a relay has --relay only")
    class_options["classroom"] = True
    settings = _class_settings(**class_options, broker=None, insecure_broker=False)
    assert settings is not None

    def on_ready(addresses: list[Any]) -> None:
        print_line(f"a relay of the class: phones join at {addresses[0]}")
        print_line("Ctrl-C stops it.")

    log_to_terminal()
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        run_relay(settings, BrokerSettings(url, insecure_broker), on_ready)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _class_settings(
    *,
    classroom: bool,
    class_host: str,
    class_port: int,
    class_size: int,
    class_behind: str | None,
    trust_proxy: str | None,
    broker: str | None,
    insecure_broker: bool,
) -> ClassSettings | None:
    if not classroom:
        return None
    through = BrokerSettings(broker, insecure_broker) if broker else None
    return ClassSettings(class_host, class_port, class_behind, trust_proxy, class_size, through)


def _settings(**fields: Any) -> ServerSettings:
    settings = ServerSettings(**fields)
    try:
        settings.check()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    return settings


def _serve_published(address: StoreAddress, *, browser: bool, print_token: bool, **fields: Any) -> None:
    # Only this needs a store.
    from lamplighter.cli.published.serving import published_runs

    with published_runs(address) as folder:
        settings = _settings(runs=folder, roles=(), published=True, **fields)
        _serve(settings, browser=browser and settings.loopback, print_token=print_token)


def _serve(settings: ServerSettings, *, browser: bool, print_token: bool, run_id: str | None = None) -> None:
    """Serve until stopped; `run_id`: the run on which the page opens, by default the last."""
    # Other commands do not need it.
    from lamplighter.serving.servers.server import ServerInfo, run_server

    log_to_terminal()
    logging.getLogger("uvicorn").setLevel(logging.WARNING)

    def launch_url(ready: ServerInfo) -> str:
        return ready.launch_url if run_id is None else f"{ready.launch_url}&run={run_id}"

    def on_ready(ready: ServerInfo) -> None:
        if ready.port != ready.requested_port and ready.requested_port:
            print_line(f"port {ready.requested_port} is taken; using {ready.port}")
        print_line(f"Lamplighter is at {ready.url}")
        print_line(f"to present (once, within five minutes): {launch_url(ready)}")
        if print_token:
            print_line(f"presenter's token: {ready.token}")
        print_line(f"up to {ready.most_connections:,} connections at a time")
        if ready.class_join is not None:
            _print_class_join(ready.class_join)
        print_line("Ctrl-C stops it.")
        if browser:
            # In a thread, because on some systems the call blocks until the browser is up.
            threading.Thread(target=open_browser, args=(ready,), daemon=True).start()

    def open_browser(ready: ServerInfo) -> None:
        from lamplighter.web.access.launch_file import reads_our_files

        if settings.published:
            # Who only reads is offered nothing that would be refused.
            webbrowser.open(ready.url)
            return
        file = ready.write_launch_file(run_id) if reads_our_files() else None
        # Every user of the machine can read a command line, so the link is put there only as a last resort.
        webbrowser.open(file.as_uri() if file else launch_url(ready))

    try:
        run_server(settings, on_ready)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _print_class_join(join: ClassJoin) -> None:
    print_line("")
    print_line(f"The class (up to {join.most} viewers, who watch and change nothing) joins")
    print_line(f"  at {join.address}  with the code  {join.code}")
    if join.others:
        print_line(f"  if that does not open: {', '.join(join.others)}")
    print_line("  or with a phone's camera:")
    print_qr_code(join.link)
    if not join.encrypted:
        print_line("Without TLS, anyone on this network can read what the class is shown and join the class;")
        print_line("your own session never crosses it. docs/classroom.md explains how to add TLS.")
    print_line("If phones cannot reach it: lamplighter doctor")
    print_line("")
