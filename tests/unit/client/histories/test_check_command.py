"""`lamplighter check`: checkpoints where they lie, read in blocks, with an exit code for scripts."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from safetensors.numpy import save_file

from lamplighter.cli.app import cli
from lamplighter.client.errors import InputError
from lamplighter.client.histories.checked_sources import check_sources
from lamplighter.runfolder.loop_facts import HISTORY_FACT, check_loop_facts
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.schemas.runs import without_text
from tests.support.synthetic_runs.histories import Training, as_bfloat16

HISTORY = Training(size=60, width=16).run()


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments], standalone_mode=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a trainer's folder, in bfloat16 where the steps are even multiples of 10."""
    for step, matrix in HISTORY.items():
        checkpoint = tmp_path / "out" / f"checkpoint-{step}"
        checkpoint.mkdir(parents=True)
        write_bfloat16(checkpoint / "model.safetensors", matrix)
    (tmp_path / "out/tokenizer.json").write_text(
        json.dumps({"model": {"vocab": {f"w{i}": i for i in range(60)}}})
    )
    return tmp_path / "out"


def write_bfloat16(path: Path, matrix: np.ndarray) -> None:
    header = json.dumps(
        {
            "model.embed_in.weight": {
                "dtype": "BF16",
                "shape": matrix.shape,
                "data_offsets": [0, 2 * matrix.size],
            }
        }
    ).encode()
    half = (as_bfloat16(matrix).view(np.uint32) >> 16).astype(np.uint16)
    path.write_bytes(len(header).to_bytes(8, "little") + header + half.tobytes())


def test_a_right_history_exits_with_0(folder: Path):
    done = invoke("check", folder)
    assert done.return_value == 0, done.output
    assert done.stdout == "checked 21 checkpoints: nothing found\n"


def test_a_broken_history_exits_with_1_and_says_so(folder: Path, tmp_path: Path):
    shutil.copy(folder / "checkpoint-200/model.safetensors", folder / "checkpoint-0")
    (folder / "checkpoint-50/model.safetensors").unlink()
    shutil.rmtree(folder / "checkpoint-120")
    (folder / "checkpoint-70/tokenizer.json").write_text(
        json.dumps({"model": {"vocab": {f"w{59 - i}": i for i in range(60)}}})
    )
    done = invoke("check", folder)
    assert done.return_value == 1
    assert done.stdout.splitlines() == [
        "checked 20 checkpoints: 3 problems, 1 note",
        "  problem: step 0 is, number for number, step 200, the last",
        "  problem: step 50 cannot be read: checkpoint-50: a folder without model.safetensors,"
        " model.safetensors.index.json, projector_config.pbtxt or tensors.tsv: name the file itself",
        "  problem: step 70 has its tokens in another order than step 0",
        "  note: the steps lie on a grid that lacks 1 of them: 120",
    ]
    told = json.loads(invoke("check", folder, "--json").stdout)
    assert [(one["code"], one["steps"]) for one in told["findings"]] == [
        ("repeated", [0]),
        ("unreadable", [50]),
        ("other_order", [70]),
        ("missing", [120]),
    ]
    assert told["problems"] == 3
    assert told["findings"][0]["of"] == 200
    assert [table["step"] for table in told["tables"]][:2] == [0, 10]
    assert told["tables"][0]["cosine_to_before"] is None


def test_the_formats_agree(tmp_path: Path):
    for step, matrix in HISTORY.items():
        np.save(tmp_path / f"step-{step}.npy", matrix)
    by_file = check_sources(tmp_path)
    save_file({"a": HISTORY[0], "wte": HISTORY[0]}, tmp_path / "step-0.safetensors")
    (tmp_path / "step-0.npy").unlink()
    by_list = check_sources([tmp_path / "step-0.safetensors", *sorted(tmp_path.glob("*.npy"))])
    assert by_file == check_sources(HISTORY) == by_list


def test_what_cannot_be_read_at_all_is_refused(tmp_path: Path):
    for step in (1, 2):
        (tmp_path / f"step-{step}.npy").write_bytes(b"nothing")
    assert invoke("check", tmp_path).exit_code == 1
    with pytest.raises(InputError, match=r"step-1\.npy"):
        check_sources(tmp_path)


def test_a_large_table_is_read_in_blocks(tmp_path: Path):
    table = np.random.default_rng(0).normal(size=(40_000, 128)).astype(np.float32)
    for step in (0, 1, 2):
        write_bfloat16(tmp_path / f"step-{step}.safetensors", table + step)
    del table
    check_sources(tmp_path)
    tracemalloc.start()
    check_sources(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A table is 10 MB, and 20 MB in float32.
    assert peak < 9_000_000


def test_a_series_is_checked_and_keeps_what_was_found(folder: Path, tmp_path: Path):
    shutil.copy(folder / "checkpoint-200/model.safetensors", folder / "checkpoint-0")
    done = invoke("--runs", tmp_path / "runs", "series", folder, "--name", "mine", "--no-maps")
    assert "checked 21 checkpoints: 1 problem, 0 notes" in done.output
    with StepsReader(RunStore(tmp_path / "runs").find("mine").steps_path) as reader:
        kept = check_loop_facts(reader.facts(), 100_000)[HISTORY_FACT]
    assert (kept["checkpoints"], kept["problems"]) == (21, 1)
    assert kept["findings"][0]["sentence"] == {
        "en": "Step 0 is, number for number, step 200, the last",
        "de": "Schritt 0 ist Zahl für Zahl Schritt 200, dem letzten",
    }
    told = RunCatalog(RunStore(tmp_path / "runs")).describe_fully(RunStore(tmp_path / "runs").find("mine"))
    assert told.history is not None
    assert (told.history.findings[0].code, told.history.findings[0].of) == ("repeated", 200)
    # A viewer who may not see the text may not see the name of a file either.
    assert without_text(told, "A run").history is None
