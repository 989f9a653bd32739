"""Options before and after a command: the same, wherever they stand, and never dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import lamplighter.serving.servers.server as server
from lamplighter.cli.app import cli
from lamplighter.runfolder.run_store import NoSuchRunError, RunStore
from lamplighter.web.settings import ServerSettings
from tests.support.runs import make_run
from tests.support.synthetic_runs.recorded import record

COMMANDS = (
    "train",
    "project",
    "analyse",
    "still",
    "runs",
    "runs trash",
    "runs remove",
    "export",
    "import",
    "sessions",
    "doctor",
)
SERVING = (["--host", "::1"], ["--port", "8741"], ["--no-browser"], ["--print-token"], ["--hold", "5"])


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[ServerSettings]:
    """Return the settings of every server that would have been started."""
    found: list[ServerSettings] = []

    def run_server(settings: ServerSettings, on_ready: Any) -> None:
        found.append(settings)

    monkeypatch.setattr(server, "run_server", run_server)
    return found


def typed(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.mark.parametrize("at", range(4))
def test_serve_takes_its_options_before_and_after(
    at: int, served: list[ServerSettings], tmp_path: Path
) -> None:
    options = ["--runs", tmp_path / "mine", "--port", 8741, "--host", "::1"]
    done = typed(*options[: 2 * at], "serve", *options[2 * at :])
    assert done.exit_code == 0, done.output
    (settings,) = served
    assert (settings.runs, settings.port, settings.host) == (tmp_path / "mine", 8741, "::1")


def test_flags_before_serve_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr("lamplighter.cli.serve._serve", lambda _, **how: seen.append(how))
    for words in (["--no-browser", "--print-token", "serve"], ["--no-browser", "serve", "--print-token"]):
        assert typed("--runs", tmp_path, *words).exit_code == 0
    assert typed("serve", "--runs", tmp_path).exit_code == 0
    assert seen == [{"browser": False, "print_token": True}] * 2 + [{"browser": True, "print_token": False}]


def test_missing_values_have_defaults(served: list[ServerSettings]) -> None:
    assert typed("serve").exit_code == 0
    assert (served[0].runs, served[0].host, served[0].port) == (Path("runs"), "127.0.0.1", 8600)
    assert served[0].hold == 30


@pytest.mark.parametrize(
    "words",
    [
        ["--port", "1", "serve", "--port", "2"],
        ["--port", "1", "--port", "2", "serve"],
        ["serve", "--port", "1", "--port", "2"],
        ["--port", "1", "--port", "2"],
    ],
)
def test_twice_and_not_the_same_is_refused(words: list[str], served: list[ServerSettings]) -> None:
    done = typed(*words)
    assert done.exit_code == 2
    assert "--port is given twice, as 1 and as 2: give it once" in done.output
    assert not served


def test_twice_and_the_same_is_fine(served: list[ServerSettings], tmp_path: Path) -> None:
    done = typed(
        "--port", 7, "--runs", tmp_path, "serve", "--port", "7", "--runs", f"{tmp_path}/", "--port", 7
    )
    assert done.exit_code == 0, done.output
    assert (served[0].port, served[0].runs) == (7, tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", SERVING)
def test_refuses_inapplicable_options_before_and_after_the_command(
    command: str, option: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lamplighter.cli.train._train_with_progress", lambda *_, **__: "finished")
    first, *rest = command.split()
    for words, where in (([*option, first, *rest], first), ([first, *rest, *option], command)):
        done = typed("--runs", tmp_path, *words)
        assert done.exit_code == 2
        assert f"{option[0]} does not apply to cli {where}: it sets how to serve" in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["serve", "project", "runs"])
def test_new_is_for_no_command(command: str, served: list[ServerSettings], tmp_path: Path) -> None:
    for words in (["--new", command], [command, "--new"]):
        done = typed("--runs", tmp_path, *words)
        assert done.exit_code == 2
        assert f"--new does not apply to cli {command}: use it without a command" in done.output
    assert not served
    assert typed("--runs", tmp_path, "--new").exit_code == 0
    assert len(RunStore(tmp_path).runs()) == len(served) == 1


def test_every_command_finds_the_runs_on_either_side(tmp_path: Path) -> None:
    run = make_run(tmp_path / "mine")
    np.save(tmp_path / "e.npy", np.eye(4, dtype=np.float32))
    (tmp_path / "v.txt").write_text("a\nb\nc\nd\n")
    runs = ("--runs", tmp_path / "mine")
    for words in (
        [*runs, "runs"],
        ["runs", *runs],
        ["runs", *runs, "--json"],
        ["still", tmp_path / "e.npy", tmp_path / "v.txt", "--name", "after", *runs],
        [*runs, "still", tmp_path / "e.npy", tmp_path / "v.txt", "--name", "before"],
        ["export", "after", "--to", "npy", "--out", tmp_path / "1.npy", *runs],
        ["export", "before", "--to", "zip", "--out", tmp_path / "1.zip", *runs],
        ["import", tmp_path / "1.zip", *runs],
        ["runs", "trash", "after", *runs],
        ["runs", *runs, "trash", "before"],
        [*runs, "runs", *runs, "remove", "--trashed", "--yes", *runs],
    ):
        done = typed(*words)
        assert done.exit_code == 0, (words, done.output)
    assert run.id in {found.id for found in RunStore(tmp_path / "mine").runs()}
    for command in ("project", "analyse", "train --resume"):
        done = typed(*command.split(), "no-such-run", *runs)
        assert "there is no run 'no-such-run' in mine/" in str(done.exception), done.output
    done = typed(*runs, "runs", "--runs", tmp_path / "other", "trash", run.id)
    assert done.exit_code == 2
    assert "--runs is given twice" in done.output
    for words in (["trash", run.id], ["remove", run.id], ["remove", "--trashed", "--yes"]):
        done = typed("runs", *words, "--runs", tmp_path / "mistyped")
        assert (done.exit_code, "mistyped is not there" in done.output) == (1, True)
    assert not (tmp_path / "mistyped").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("serve", "--runs", "file:///published", "--follow", "."),
        ("train", "--watch", "--push", "https://lamps.example"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    words: tuple[str, ...], served: list[ServerSettings]
) -> None:
    done = typed(*words)
    assert done.exit_code == 2
    assert words[-2] in done.output
    assert not served


@pytest.mark.parametrize("ending", ["", "/"])
def test_a_run_is_named_by_its_path_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    run = record(tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    for name in (f"elsewhere/{run.id}{ending}", str(run.path)):
        out = tmp_path / "matrix.npy"
        said = CliRunner().invoke(cli, ["export", name, "--to", "npy", "--out", str(out)])
        assert said.exit_code == 0, said.output
        out.unlink()
    assert not (tmp_path / "runs").exists()


def test_an_unknown_run_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "no run").mkdir()
    for name in (str(tmp_path / "no run"), str(tmp_path / "gone"), "gone"):
        said = CliRunner().invoke(cli, ["--runs", str(tmp_path), "export", name, "--to", "npy"])
        assert isinstance(said.exception, NoSuchRunError)
