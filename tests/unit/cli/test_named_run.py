from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from lamplighter.cli.app import cli
from lamplighter.runfolder.run_store import NoSuchRunError
from tests.support.synthetic_runs.recorded import record


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
