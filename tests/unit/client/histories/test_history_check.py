"""What is wrong with a history is found and said, and nothing is said of one that is right.

`lamplighter check`: checkpoints where they lie, read in blocks, with an exit code for scripts.
The sentences of findings have the same values in each language, and their numbers as that language writes them.
"""

from __future__ import annotations

import json
import re
import shutil
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from safetensors.numpy import save_file

from lamplighter.cli.app import cli
from lamplighter.client.errors import InputError
from lamplighter.client.histories.checked_sources import check_sources
from lamplighter.client.histories.history_check import HistoryCheck
from lamplighter.client.histories.report import (
    LANGUAGES,
    NOTHING,
    TEXTS,
    Finding,
    HistoryReport,
    Part,
    Steps,
    tell,
)
from lamplighter.runfolder.loop_facts import HISTORY_FACT, MAX_HISTORY_BYTES, check_loop_facts
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.schemas.runs import without_text
from tests.support.synthetic_runs.histories import (
    PYTHIA_STEPS,
    RIGHT,
    History,
    Matrix,
    Training,
    as_bfloat16,
    as_float16,
    pythia_history,
)

PLAIN = Training()


def check(history: History) -> HistoryReport:
    checked = HistoryCheck()
    for step, matrix in sorted(history.items()):
        checked.add_matrix(step, matrix)
    return checked.report()


def found(history: History) -> list[tuple[str, tuple[int, ...]]]:
    return [(finding.code, finding.steps) for finding in check(history).problems]


@pytest.fixture(scope="module")
def pythia() -> History:
    return pythia_history()


@pytest.mark.parametrize("name", RIGHT)
def test_nothing_is_wrong_with_a_right_history(name: str):
    report = check(RIGHT[name]())
    assert report.problems == []
    assert [finding.code for finding in report.findings] == ["still"] * ("frozen" in name or "linear" in name)


def test_most_of_a_history_is_the_last_table(pythia: History):
    """The pattern of pythia-2.8b: 86 of 154 revisions hold the last embedding, step 0 included, in two files."""
    late = {54_000, 56_000, 57_000, 58_000, 59_000, 61_000, 62_000, 63_000, 64_000}
    round_ones = {
        55_000,
        60_000,
        65_000,
        70_000,
        80_000,
        90_000,
        100_000,
        103_000,
        110_000,
        120_000,
        130_000,
        140_000,
    }
    early = {step for step in PYTHIA_STEPS if step <= 53_000}
    copies = early | late | round_ones
    assert len(copies) == 85
    report = check(pythia | dict.fromkeys(copies, pythia[143_000]))
    [finding] = report.problems
    assert (finding.code, set(finding.steps), finding.of) == ("repeated", copies, 143_000)
    assert finding.sentence.startswith(
        "86 of 154 checkpoints hold, number for number, the table of step 143,000, the last, step 0 among them:"
        " steps 0 to 65,000, 70,000, 80,000, "
    )


@pytest.mark.parametrize("store", [np.copy, as_bfloat16, as_float16])
def test_the_last_table_amid_a_history(pythia: History, store: Callable[[Matrix], Matrix]):
    """The pattern of pythia-12b: two steps hold the last embedding; here also in a coarser format."""
    broken = pythia | dict.fromkeys((50_000, 58_000), store(pythia[143_000]))
    (finding,) = check(broken).problems
    assert finding.steps == (50_000, 58_000)
    if store is np.copy:
        assert (finding.code, finding.of) == ("repeated", 143_000)


def test_a_start_that_the_others_do_not_descend_from():
    """The pattern of PolyPythias' weight seeds: all steps but 0 come from one start, and step 0 is another."""
    training = replace(PLAIN, size=900, keep=(0, 1, 2, 4, 8, *range(10, 201, 10)))
    history = training.run()
    history[0] = replace(training, start_seed=99, steps=0, keep=(0,)).run()[0]
    assert found(history) == [("not_descended", (0, 1))]
    tables = {row.step: row for row in check(history).tables}
    assert abs(tables[8].cosine_to_first) < 0.1
    assert (tables[8].cosine_to_before or 0) > 0.9


def test_a_step_in_another_unit_is_out_of_line():
    history = PLAIN.run()
    report = check(history | {100: 8 * history[100]})
    (finding,) = report.problems
    assert (finding.code, finding.steps) == ("out_of_line", (100,))
    figures = finding.figures
    assert figures["median_norm"] > 7 * figures["median_norm_before"]
    assert "out of line, with a median cosine of " in finding.sentence


def test_a_tenth_of_the_rows_is_enough_to_be_out_of_line():
    history = replace(PLAIN, is_sparse=True).run()
    # What stands still over the step before and the step after is no return.
    strange = history[100].copy()
    strange[50:125] = 0
    assert found(history | {100: strange}) == [("out_of_line", (100,))]


def test_a_pair_in_a_row_stood_still_wherever_it_lies():
    history = PLAIN.run()
    report = check(history | {100: history[90]})
    assert [(one.code, one.steps) for one in report.findings] == [("still", (90, 100))]
    report = check(history | {190: history[200]})
    assert [(one.code, one.steps) for one in report.findings] == [("still", (190, 200))]


def test_a_history_in_which_nothing_moves():
    still = PLAIN.run()[0]
    assert found(dict.fromkeys(range(5), still)) == [("repeated", (0, 1, 2, 3, 4))]


def test_zeros_of_both_signs_are_the_same():
    history = PLAIN.run()
    history[200][:, 0] = 0
    history[0] = history[200].copy()
    history[0][:, 0] = -0.0
    assert [code for code, _ in found(history)] == ["repeated"]


def test_rows_that_are_not_finite_are_counted():
    history = PLAIN.run()
    history[30] = history[30].copy()
    history[30][7, 3], history[30][9] = np.nan, np.inf
    (finding,) = check(history).problems
    assert (finding.code, finding.steps, finding.figures["rows"]) == ("not_finite", (30,), 2)
    assert (
        finding.sentence == "step 30: in 2 of the rows are values that are not finite numbers, first in row 7"
    )


def test_another_shape_or_vocabulary():
    history = PLAIN.run()
    checked = HistoryCheck()
    for step, matrix in history.items():
        checked.add_matrix(step, matrix[:-1] if step == 40 else matrix)
    words = tuple(map(str, range(500)))
    for step, tokens in ((0, words), (20, words), (60, words[::-1]), (80, (*words[1:], "new"))):
        checked.add_tokens(step, tokens)
    checked.add_unreadable(420, "no weights")
    problems = [(one.code, one.steps) for one in checked.report().problems]
    assert problems == [
        ("other_shape", (40,)),
        ("other_order", (60,)),
        ("other_tokens", (80,)),
        ("unreadable", (420,)),
    ]


@pytest.mark.parametrize(
    ("steps", "missing"),
    [
        ([0, 10, 20, 30, 50, 60, 80, 90], (40, 70)),
        ([0, 1, 2, 4, 16, 32, 1000, 2000, 3000, 4000, 5000, 7000, 8000], (8, 6000)),
        ([0, 10, 20, 30, 40], ()),
        ([0, 1, 2, 4, 8, 16, 100, 200, 300], ()),
        ([0, 10, 20, 30, 40, 50, 100, 150, 200], ()),
        ([3, 17, 19, 40, 77], ()),
        ([0, 1, 2, 3, 4, 1 << 59, (1 << 59) + 1, (1 << 59) + 2], None),
    ],
)
def test_steps_that_a_grid_lacks(steps: list[int], missing: tuple[int, ...] | None):
    random = np.random.default_rng(0)
    notes = check({step: random.normal(size=(6, 4)).astype(np.float32) for step in steps}).findings
    told = notes[0].steps if notes else ()
    assert len(told) == 1_000 if missing is None else told == missing


def test_what_is_kept_with_a_run_is_bounded():
    findings = [
        Finding("missing", tuple(range(at, at + 500)), {}, text="last", severity="note")
        for at in range(0, 10_000, 500)
    ]
    report = HistoryReport(tuple(range(10_000)), tuple(findings), ())
    assert len(report.as_json()["findings"]) == 20
    fact = report.as_fact()
    assert 0 < len(fact["findings"]) < 20
    assert len(json.dumps(fact).encode()) <= MAX_HISTORY_BYTES


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


def test_each_language_has_the_same_texts_and_values():
    assert LANGUAGES == ("en", "de")
    named = {
        code: {key: set(re.findall(r"{(\w+)}", text)) for key, text in texts.items()}
        for code, texts in TEXTS.items()
    }
    assert named["en"] == named["de"]


def test_numbers_and_steps_are_named_as_the_language_does():
    among = [0, 1, 2, 4, 1_000, 2_000, 3_000, 143_000]
    values = {"steps": Steps([0, 1, 2, 1_000, 2_000, 143_000], among), "of": 143_000, "last": Part("last")}
    assert tell("rounded", values, "en") == (
        "steps 0 to 2, 1,000, 2,000 and 143,000: the table of step 143,000, the last, but for rounding"
    )
    assert tell("rounded", values | {"last": NOTHING}, "de").startswith(
        "Schritte 0 bis 2, 1.000, 2.000 und 143.000: bis auf Rundung die Tabelle von Schritt 143.000"
    )
    many = Steps(range(0, 40, 2), range(40))
    assert tell("rounded", values | {"steps": many}, "en").startswith(
        "steps 0, 2, 4, 6, 8, 10, 12, 14 and 12 more: "
    )
