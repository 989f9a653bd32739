"""Checkpoints of the Hub and of folders on the web, as runs and as reports; and what a kill or a busy server does."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import lamplighter
from lamplighter.cli.app import cli
from lamplighter.cli.checkpoints import fetching
from lamplighter.cli.checkpoints.remote.ranged_client import RangedClient
from tests.support.hub_server import Hub, cut_after, fine, status
from tests.support.synthetic_runs.histories import as_bfloat16

SOURCE = "hf://org/tiny@step*"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds that the client would have waited."""
    waited: list[float] = []

    monkeypatch.setattr(RangedClient, "_wait", lambda _, seconds: waited.append(seconds))
    return waited


def invoke(folder: Path, *arguments: object) -> Result:
    places = ("--cache", folder / "cache")
    return CliRunner().invoke(cli, ["--runs", str(folder / "runs"), *map(str, (*arguments, *places))])


def read_run(folder: Path, name: str) -> Any:
    return lamplighter.open(folder / "runs" / name)


def test_revisions_become_a_series(hub: Hub, history: dict[int, np.ndarray], tmp_path: Path):
    done = invoke(tmp_path, "series", SOURCE, "--no-maps", "--yes")
    assert done.exit_code == 0, done.output
    run = read_run(tmp_path, "org-tiny")
    assert [run.step_number(at) for at in range(12)] == sorted(history)
    for at, step in enumerate(sorted(history)):
        assert run.snapshot(at).tobytes() == as_bfloat16(history[step]).tobytes()
    assert run.tokens[:2] == ("w0", "w1")
    assert f"from {hub.endpoint}/org/tiny (licence: apache-2.0)" in run.status.message
    assert "12 checkpoints, 0.0 MB" in done.stdout
    assert "checked 12 checkpoints: nothing found" in done.stdout
    # Of 1.6 MB a model, the beginning and the table of 1,920 bytes were read.
    assert hub.sent < 12 * 80_000
    # The token is for the host that was named, and for no other.
    assert {(host == hub.endpoint[7:], token) for host, token in hub.tokens} == {
        (True, "Bearer hf_secret"),
        (False, None),
    }


def test_the_hub_is_read_without_its_library(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert invoke(tmp_path, "still", "hf://org/tiny@step64", "--yes").exit_code == 0
    assert "Bearer hf_secret" in {token for _, token in hub.tokens}


def test_one_revision_becomes_a_still_map(hub: Hub, history: dict[int, np.ndarray], tmp_path: Path):
    assert invoke(tmp_path, "still", "hf://org/tiny@step64", "--yes").exit_code == 0
    run = read_run(tmp_path, "org-tiny-step64")
    assert run.snapshot(0).tobytes() == as_bfloat16(history[64]).tobytes()
    done = invoke(tmp_path, "still", "hf://org/tiny", "--yes", "--tensor", "embed_out", "--name", "out")
    assert done.exit_code == 0, done.output
    assert read_run(tmp_path, "out").snapshot(0).tobytes() == as_bfloat16(-history[200]).tobytes()
    assert "several revisions" in invoke(tmp_path, "still", SOURCE, "--yes").output


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        (("--every", 5), [0, 16, 150, 200]),
        (("--log", 4), [0, 4, 16, 200]),
        (("--only", "8,100,0"), [0, 8, 100]),
    ],
)
def test_some_checkpoints_are_chosen(hub: Hub, tmp_path: Path, options: tuple[object, ...], steps: list[int]):
    done = invoke(tmp_path, "check", SOURCE, "--yes", "--json", *options)
    assert json.loads(done.stdout)["steps"] == steps
    assert {
        path.partition("/resolve/")[2].partition("/")[0] for _, path, _ in hub.requests if "resolve" in path
    } == {hub.commit(f"step{step}") for step in steps}


def test_a_choice_must_make_sense(hub: Hub, tmp_path: Path):
    for arguments, what in (
        ((SOURCE, "--every", 2, "--log", 3), "give one of them"),
        ((tmp_path, "--every", 2), "a folder without checkpoints"),
        ((SOURCE, "--steps", "1,2"), "--steps is for files"),
        ((SOURCE, "--only", "7"), "no checkpoint of step 7"),
        ((SOURCE, tmp_path), "stands alone"),
        (("hf://org/tiny@nothing*",), "no revision fits"),
        (("hf://org/../tiny",), "write hf://owner/name"),
        (("http://example.org/",), "must begin with https"),
    ):
        done = invoke(tmp_path, "check", *arguments, "--yes")
        assert done.exit_code
        assert what in f"{done.output}{done.exception}"


def test_the_price_is_said_before_anything_large_is_read(hub: Hub, tmp_path: Path):
    done = invoke(tmp_path, "check", SOURCE)
    assert done.exit_code == 1
    assert "12 checkpoints, 0.0 MB, from" in str(done.exception)
    assert "add --yes" in str(done.exception)
    read = {
        path.partition("/resolve/")[2].partition("/")[0] for _, path, _ in hub.requests if "resolve" in path
    }
    assert read == {hub.commit("step0")}


def test_on_a_terminal_one_is_asked(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetching, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    arguments = ["check", SOURCE, "--cache", str(tmp_path)]
    refused = CliRunner().invoke(cli, arguments, input="n\n")
    assert refused.exit_code == 1
    assert (
        f"12 checkpoints, 0.0 MB, from {hub.endpoint}/org/tiny (licence: apache-2.0); go on? [Y/n]"
        in refused.stderr
    )
    assert not list(tmp_path.glob("*/checkpoint-*"))
    assert CliRunner().invoke(cli, arguments, input="y\n", standalone_mode=False).return_value == 0


def test_the_second_time_nothing_is_read(hub: Hub, tmp_path: Path):
    assert invoke(tmp_path, "check", SOURCE, "--yes").exit_code == 0
    before = hub.sent
    done = invoke(tmp_path, "series", SOURCE, "--no-maps")
    assert done.exit_code == 0, done.output
    assert "12 checkpoints, all read before" in done.stdout
    # Again the list, the tokeniser and a header.
    assert hub.sent - before < 100_000


def test_an_unfinished_table_goes_on_where_it_was(hub: Hub, history: dict[int, np.ndarray], tmp_path: Path):
    hub.faults[f"{hub.commit('step8')}/model.safetensors"] = [
        fine,
        fine,
        fine,
        cut_after(700),
        *[status(503)] * 6,
    ]
    done = invoke(tmp_path, "check", SOURCE, "--yes")
    assert done.exit_code == 1
    assert "the same command goes on from there" in str(done.exception)
    whole = {path.parent.name for path in tmp_path.glob("cache/*/checkpoint-*/model.safetensors")}
    assert "checkpoint-8" not in whole
    hub.requests.clear()
    assert invoke(tmp_path, "check", SOURCE, "--yes").exit_code == 0
    first, *_, last = [part for part in hub.ranges_of(f"{hub.commit('step8')}/model.safetensors") if part]
    assert first == "bytes=0-65535"
    start, end = map(int, last.removeprefix("bytes=").split("-"))
    assert end - start + 1 == 60 * 16 * 2 - 700
    again = {path for _, path, _ in hub.requests if path.endswith("model.safetensors")}
    done_steps = {folder.removeprefix("checkpoint-") for folder in whole} - {"0"}
    assert not again & {
        f"/org/tiny/resolve/{hub.commit(f'step{step}')}/model.safetensors" for step in done_steps
    }
    invoke(tmp_path, "series", SOURCE, "--yes", "--no-maps")
    assert read_run(tmp_path, "org-tiny").snapshot(4).tobytes() == as_bfloat16(history[8]).tobytes()


def test_a_busy_server_is_asked_again(hub: Hub, tmp_path: Path, no_waiting: list[float]):
    hub.faults["/refs"] = [status(429, retry_after="7"), status(500)]
    hub.faults[f"{hub.commit('step2')}/model.safetensors"] = [status(502), fine, fine, cut_after(100), fine]
    hub.faults["tokenizer.json"] = [status(429, retry_after="1e9"), status(429, retry_after="soon")]
    assert invoke(tmp_path, "check", SOURCE, "--yes").exit_code == 0
    assert sorted(no_waiting) == [1, 1, 2, 2, 7, 120] or sorted(no_waiting) == [1, 1, 1, 2, 2, 7, 120]


def test_a_file_that_changes_meanwhile_is_read_from_its_start(
    hub: Hub, history: dict[int, np.ndarray], tmp_path: Path
):
    def change(handler: Any, data: bytes) -> bool:
        hub.revisions["step2"] |= {
            "model.safetensors": hub.revisions["step1"]["model.safetensors"][:-1] + b"x"
        }
        return False

    hub.faults[f"{hub.commit('step2')}/model.safetensors"] = [fine, fine, change]
    assert invoke(tmp_path, "series", SOURCE, "--yes", "--no-maps").exit_code == 0
    assert read_run(tmp_path, "org-tiny").snapshot(2).tobytes() == as_bfloat16(history[1]).tobytes()


def test_checkpoints_that_are_not_there_are_said(hub: Hub, tmp_path: Path):
    del hub.revisions["step32"]["model.safetensors"]
    del hub.revisions["step64"]["model.safetensors"]
    hub.revisions["step64"]["pytorch_model.bin"] = b"\x80"
    hub.revisions["step4"]["tokenizer.json"] = json.dumps(
        {"model": {"vocab": {f"w{54 - i}": i for i in range(55)}}}
    ).encode()
    done = invoke(tmp_path, "check", SOURCE, "--yes", "--json")
    assert done.exit_code == 0 or done.return_value == 1
    told = json.loads(done.stdout)
    assert [(one["code"], one["steps"]) for one in told["findings"]] == [
        ("other_order", [4]),
        ("unreadable", [32]),
        ("unreadable", [64]),
    ]
    sentences = [one["sentence"] for one in told["findings"]]
    assert "neither model.safetensors nor model.safetensors.index.json is there" in sentences[1]
    assert "a pickle" in sentences[2]
    assert "save_pretrained" in sentences[2]
    series = invoke(tmp_path, "series", SOURCE, "--yes", "--no-maps")
    assert series.exit_code == 0, series.output
    assert "problem: step 64 cannot be read" in series.stdout


def test_a_model_in_shards(hub: Hub, history: dict[int, np.ndarray], tmp_path: Path):
    files = hub.revisions["main"]
    files["model-00001-of-00002.safetensors"] = files.pop("model.safetensors")
    files["model.safetensors.index.json"] = json.dumps(
        {
            "weight_map": {
                "gpt_neox.embed_in.weight": "model-00001-of-00002.safetensors",
                "x": "model-00002-of-00002.safetensors",
            }
        }
    ).encode()
    assert invoke(tmp_path, "still", "hf://org/tiny", "--yes").exit_code == 0
    assert read_run(tmp_path, "org-tiny-main").snapshot(0).tobytes() == as_bfloat16(history[200]).tobytes()
    for shard in ("../../secret.safetensors", "/etc/passwd", 7, "x.bin"):
        files["model.safetensors.index.json"] = json.dumps({"weight_map": {"embed_in": shard}}).encode()
        done = invoke(tmp_path, "still", "hf://org/tiny", "--yes")
        assert "not a safetensors file of this model" in str(done.exception)


@pytest.mark.parametrize(("code", "what"), [(401, "hf auth login"), (403, "gated"), (404, "no such file")])
def test_a_gated_model_says_what_to_do(hub: Hub, tmp_path: Path, code: int, what: str):
    hub.faults["/refs"] = [status(code)]
    done = invoke(tmp_path, "check", SOURCE, "--yes")
    assert done.exit_code == 1
    assert what in str(done.exception)


def test_a_folder_on_the_web(hub: Hub, history: dict[int, np.ndarray], tmp_path: Path):
    folder = {
        f"run/step-{step}.safetensors": hub.revisions[f"step{step}"]["model.safetensors"]
        for step in (0, 8, 200)
    }
    folder["run/listing.txt"] = b"README\nstep-8.safetensors\r\nstep-0.safetensors\nstep-200.safetensors\n"
    folder["run/tokenizer.json"] = hub.revisions["main"]["tokenizer.json"]
    hub.revisions["web"] = folder
    url = f"{hub.storage}/resolve/web/run"
    done = invoke(tmp_path, "series", url, "--yes", "--no-maps")
    assert done.exit_code == 0, done.output
    run = read_run(tmp_path, "web-run")
    assert [run.step_number(at) for at in range(3)] == [0, 8, 200]
    assert run.snapshot(1).tobytes() == as_bfloat16(history[8]).tobytes()
    assert invoke(tmp_path, "still", f"{url}/step-8.safetensors", "--yes").exit_code == 0
    # A token of the Hub is not for other servers.
    assert {token for _, token in hub.tokens} == {None}
    folder["run/listing.txt"] = b"../step-8.safetensors\n"
    assert "outside the folder" in str(invoke(tmp_path, "series", url, "--yes").exception)
    del folder["run/listing.txt"]
    assert "needs a listing.txt" in str(invoke(tmp_path, "series", url, "--yes").exception)
