"""Text of a run on a terminal: nothing in it acts there, whichever command prints it."""

from __future__ import annotations

import ast
import json
import logging
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lamplighter.cli import terminal
from lamplighter.cli.app import main
from lamplighter.exports.export import export_run
from lamplighter.platform.printable import MAX_QUOTE, escape_unprintable, quote_foreign
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsWriter
from tests.support.synthetic_runs.recorded import record

COMMANDS = Path(terminal.__file__).parent
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[31m\u202ered\u2028\r\n\x9b1m\x7f"
SHOWN = r"\u001b]0;owned\u0007\u001b[2J\u001b[31m\u202ered\u2028\u000d\u000a\u009b1m\u007f"


def test_unprintable_characters_are_shown_as_codes() -> None:
    assert escape_unprintable(HOSTILE) == SHOWN
    assert escape_unprintable("naïve ☃ 🏮, a · b") == "naïve ☃ 🏮, a · b"
    assert escape_unprintable("\U000e0041") == r"\U000e0041"
    assert quote_foreign("a\n\tb") == "a b"
    assert len(quote_foreign("x" * 10**7)) == MAX_QUOTE + 1


def test_a_line_of_json_stays_one(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_line(json.dumps({"message": "\x7f\x1b"}))
    said = capsys.readouterr().out
    assert json.loads(said) == {"message": "\x7f\x1b"}
    assert "\x7f" not in said


def test_every_command_prints_through_one_module() -> None:
    found: list[str] = []
    for file in COMMANDS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and file.name != "terminal.py":
                called = ast.unparse(node.func)
                if called in ("print", "click.echo", "click.secho", "logging.basicConfig") or called.endswith(
                    ("stdout.write", "stderr.write")
                ):
                    found.append(f"{file.name}:{node.lineno}: {called}")
    assert found == []


def test_logs_on_a_terminal_are_printable_and_keep_the_lines_of_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger("lamplighter")
    monkeypatch.setattr(logging, "basicConfig", lambda *, level, handlers: logger.addHandler(*handlers))
    terminal.log_to_terminal()
    (handler,) = logger.handlers
    try:
        logger.warning("%s of %s failed for good: %s", "trainer", "a-run", HOSTILE)
        try:
            raise ValueError(HOSTILE)
        except ValueError:
            logger.exception("no good")
    finally:
        logger.removeHandler(handler)
    first, *rest = capsys.readouterr().err.splitlines()
    assert first == f"trainer of a-run failed for good: {SHOWN}"
    assert rest[0] == "no good"
    assert rest[1].startswith("Traceback")
    # Where the message of an exception ends a line, so does the traceback.
    assert all(line.isprintable() for line in rest)
    assert rest[-2].startswith(r"ValueError: \u001b]0;owned")


def test_worker_output_is_printable(capsys: pytest.CaptureFixture[str]) -> None:
    code = f"import sys; sys.stderr.write({HOSTILE!r} + chr(10) + 'no such run'); sys.exit(4)"
    assert terminal.run_worker_process([sys.executable, "-c", code]) == 4
    said = capsys.readouterr()
    assert said.out == ""
    # A line ends wherever the worker ended one; what lies between is shown.
    assert "\x1b" not in said.err
    assert "\u202e" not in said.err
    assert said.err.endswith("no such run\n")


def test_a_qr_code_is_light_on_dark_on_every_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_qr_code("http://192.168.1.7:8601/")
    lines = capsys.readouterr().out.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert set("".join(lines)) == set("█▀▄ ")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_is_told_the_colours_of_a_qr_code() -> None:
    said = run_command_on_a_terminal([sys.executable, "-c", _QR]).decode()
    assert all(line.startswith("\x1b[97m\x1b[40m") for line in said.split("\r\n") if line)


_QR = "from lamplighter.cli.terminal import print_qr_code; print_qr_code('http://192.168.1.7:8601/')"
_BAR = "from lamplighter.cli.terminal import print_line, show_progress\nwith show_progress('sums') as show: show(0.5, 'half'); print_line('told')"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize("code", [_QR, _BAR], ids=["QR code", "progress bar"])
@pytest.mark.parametrize("asked", ["", "1"], ids=["colours", "NO_COLOR"])
def test_no_color_is_honoured(code: str, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", asked)
    said = run_command_on_a_terminal([sys.executable, "-c", code])
    styles = b";".join(re.findall(rb"\x1b\[([0-9;]*)m", said)).split(b";")
    colours = {one for one in styles if one.isdigit() and 30 <= int(one) <= 107}
    assert bool(colours) is not bool(asked), said


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_bar_is_for_terminals_and_leaves_the_output_alone() -> None:
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", _BAR]
    beside = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=True)
    assert b"sums" in os.read(ours, 65_536)
    assert beside.stdout == b"told\n"
    os.close(ours)
    os.close(theirs)
    alone = subprocess.run(command, capture_output=True, check=True)
    assert (alone.stdout, alone.stderr) == (b"told\n", b"")


def test_a_qr_code_that_cannot_be_drawn_is_left_out() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _QR],
        env=os.environ | {"PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("again", [False, True], ids=["once", "again while it is deaf"])
def test_an_interrupted_worker_ends(monkeypatch: pytest.MonkeyPatch, again: bool) -> None:
    seen: list[subprocess.Popen[str]] = []

    class Watched(subprocess.Popen[str]):
        def __init__(self, *arguments: Any, **how: Any) -> None:
            super().__init__(*arguments, **how)
            seen.append(self)

        def wait(self, timeout: float | None = None) -> int:
            if again and timeout == terminal._KILL_AFTER:  # pyright: ignore[reportPrivateUsage]
                raise KeyboardInterrupt
            return super().wait(10 if timeout is None else timeout)

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Watched)
    monkeypatch.setattr(terminal, "print_line", interrupt)
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); " if again else ""
    code = f"import signal, sys; {deaf}print('hello', file=sys.stderr, flush=True); signal.pause()"
    with pytest.raises(KeyboardInterrupt):
        terminal.run_worker_process([sys.executable, "-c", code])
    assert seen[0].poll() == (-signal.SIGKILL if again else -signal.SIGTERM)


@pytest.fixture
def hostile_run(tmp_path: Path) -> RunFolder:
    """Return a run whose every text is hostile, in a folder of runs."""
    run = record(tmp_path / "runs", layouts=False)
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({"phase": f"running{HOSTILE}", "message": HOSTILE})
        writer.close(sealed=True)
    return run


def run_on_a_terminal(*words: object) -> bytes:
    """Run `lamplighter` on a terminal of its own. Return all that it wrote there."""
    return run_command_on_a_terminal([sys.executable, "-m", "lamplighter", *map(str, words)])


def run_command_on_a_terminal(command: list[str]) -> bytes:
    """Run a command on a terminal of its own. Return all that it wrote there."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    said = bytearray()
    try:
        while select.select([ours], [], [], 60)[0]:
            try:
                data = os.read(ours, 65_536)
            except OSError:  # Linux says so where others say that it has ended.
                break
            if not data:
                break
            said += data
    finally:
        process.wait(60)
        os.close(ours)
    return bytes(said)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_an_imported_run_cannot_act_on_a_terminal(hostile_run: RunFolder, tmp_path: Path) -> None:
    packed = export_run(hostile_run, "zip", out=tmp_path / "run.zip")
    said = run_on_a_terminal("--runs", tmp_path / "other", "import", packed)
    assert b"see it with" in said
    assert b"it was 'running\\x1b]0;owned" in said
    for sign in (b"\x1b]", b"\x1b[2J", b"\x1b[31m", b"\x07", "\u202e".encode(), b"\x9b1m"):
        assert sign not in said


def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Run a command in this process. Return all that it wrote."""
    monkeypatch.setattr(sys, "argv", ["lamplighter", *map(str, words)])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr()
    return said.out + said.err


def _hostile_recipe(run: RunFolder) -> None:
    recipe = json.loads((run.path / "recipe.json").read_text())
    (run.path / "recipe.json").write_text(json.dumps(recipe | {HOSTILE: 1}))


def _hostile_schema(run: RunFolder) -> None:
    import sqlite3

    connection = sqlite3.connect(run.steps_path)
    connection.executescript(
        "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET name='\x1b[2J\u202e', sql='CREATE TABLE rows(' WHERE name='rows';"
    )
    connection.close()


@pytest.mark.parametrize("harm", [lambda run: None, _hostile_recipe, _hostile_schema])
@pytest.mark.parametrize(
    "words",
    [
        ("runs",),
        ("runs", "--json"),
        ("train", "--resume", "RUN"),
        ("export", "RUN", "--to", "csv", "--out", "OUT"),
    ],
)
def test_a_strangers_folder_cannot_act_on_a_terminal_either(
    harm: Callable[[RunFolder], None],
    words: tuple[str, ...],
    hostile_run: RunFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    harm(hostile_run)
    monkeypatch.setattr("lamplighter.cli.train._train_with_progress", lambda *_, **__: "failed")
    named = {"RUN": hostile_run.id, "OUT": tmp_path / "out"}
    said = typed(monkeypatch, capsys, *(named.get(word, word) for word in words), "--runs", tmp_path / "runs")
    assert said.strip()
    assert all(line.isprintable() for line in said.split("\n"))


@pytest.mark.parametrize("answer", ["n\n", "y\n", ""])
def test_an_imported_run_says_what_it_takes_before_it_is_continued(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lamplighter.cli.app import cli

    went_on: list[str] = []

    def train(run: RunFolder, *_: object, **__: object) -> str:
        went_on.append(run.id)
        return "stopped"

    monkeypatch.setattr("lamplighter.cli.train._train_with_progress", train)
    made = record(tmp_path / "runs", layouts=False)
    packed = export_run(made, "zip", out=tmp_path / "run.zip")
    said = CliRunner().invoke(cli, ["--runs", str(tmp_path / "other"), "import", str(packed)])
    assert "its files are those that SHA256SUMS lists" in said.output
    demands = (
        "1 CPU thread and about 350 MB of memory: 1 layer of width 4, 348 parameters, batches of 128 tokens"
    )
    assert f"continuing it takes {demands}" in said.output
    run_id = said.stdout.split(":")[0]
    resume = ["--runs", str(tmp_path / "other"), "train", "--resume", run_id]
    done = CliRunner().invoke(cli, resume, input=answer)
    assert f"{run_id} was imported. To continue it takes {demands}. Continue it?" in done.output
    assert went_on == ([run_id] if answer == "y\n" else [])
    CliRunner().invoke(cli, [*resume, "--yes"])
    assert went_on[-1] == run_id
    # A run that was made here is its owner's wish.
    assert (
        "Continue it?"
        not in CliRunner()
        .invoke(cli, ["--runs", str(tmp_path / "runs"), "train", "--resume", made.id])
        .output
    )
