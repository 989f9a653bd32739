"""The difference between two runs in their folders, against what numpy computes from the matrices they were made of.

The first step whose records differ in a bit.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from lamplighter.differences import record, rows
from lamplighter.differences.difference import compare_folders
from lamplighter.differences.record import FirstDifference, find_first_difference
from lamplighter.geometry import difference
from lamplighter.geometry.purity import measure_order
from lamplighter.runfolder.errors import NoSnapshotError, NotComparableError
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.lines import SpokenLine, encode_lines
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import encode
from lamplighter.wire.pulse_frames import Pulse
from tests.support.folders import V, finished_run, make_run, pulse
from tests.support.synthetic_runs.compared_runs import WORDS, fork_of, recorded, trained_parent

N, D = len(WORDS), 8


def draw(seed: int, size: int = N, dim: int = D) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((size, dim)).astype(np.float32)


def test_a_fork_is_compared_with_its_parent_on_the_clock_of_the_parent(tmp_path: Path) -> None:
    parent = trained_parent(tmp_path, steps=30)
    fork = fork_of(parent, 12).train(5)
    fork.matrix[[3, 9]] += np.float32(0.5)
    fork.loss_of = dict.fromkeys(range(6, 14), 1.0).__getitem__
    fork.train(8)
    found = compare_folders(fork.run, parent.run, 13)
    told = found.to_answer(by="raw")
    assert (told.step, told.other_step, told.relation.offset, told.moved) == (13, 25, 12, None)
    assert (told.relation.first, told.relation.last, told.relation.shared) == (0, 13, 0)
    ours, theirs = fork.matrices[13], parent.matrices[25]
    np.testing.assert_allclose(found.rows.raw(), np.linalg.norm(ours - theirs, axis=1), rtol=1e-6)
    # A fork that did not write all of its rows is not equal in those that the parent moved.
    assert told.words.equal == (ours == theirs).all(axis=1).sum()
    assert {word.token_id for word in told.items} == set(np.flatnonzero((ours != theirs).any(axis=1)))
    assert told.first_difference is not None
    assert (told.first_difference.step, told.first_difference.compared) == (6, 6)
    assert (told.losses.batch.run, told.losses.batch.other) == (1.0, pytest.approx(2.5))
    assert told.losses.batch.difference == pytest.approx(1.5)
    # The losses are equal until the fork changes, and then are compared batch by batch.
    deviation = np.std([0.0] * 5 + [parent.loss_of(12 + step) - 1 for step in range(6, 14)], ddof=1)
    assert told.losses.batch.error == pytest.approx(deviation)
    assert told.losses.recent.error == pytest.approx(deviation / 13**0.5)
    # The other way round it is the same difference with another sign.
    back = compare_folders(parent.run, fork.run, 25).to_answer(by="raw")
    assert (back.relation.kind, back.step, back.other_step) == ("parent", 25, 13)
    assert back.losses.batch.difference == pytest.approx(-1.5)
    assert back.spread.raw == told.spread.raw
    assert back.first_difference is not None
    assert back.first_difference.step == 18
    for trainer in (fork, parent):
        trainer.crash()


def test_a_control_is_equal_in_every_bit(tmp_path: Path) -> None:
    parent = trained_parent(tmp_path, steps=30)
    control = fork_of(parent, 10).train(25)
    told = compare_folders(control.run, parent.run).to_answer()
    assert (told.asked, told.step, told.other_step, told.words.equal) == (None, 20, 30, V)
    assert told.items == []
    assert (told.spread.aligned, told.spread.kept_mean) == ([0] * 7, 10)
    assert told.first_difference is not None
    assert (told.first_difference.step, told.first_difference.compared, told.first_difference.whole) == (
        None,
        20,
        True,
    )
    # Where the parent has no step, the last that both have answers, and says why.
    beyond = compare_folders(control.run, parent.run, 24).to_answer()
    assert (beyond.step, beyond.exact, beyond.moved) == (20, False, "other_ends")
    assert compare_folders(control.run, parent.run, 90).to_answer().moved == "run_ends"
    before = compare_folders(parent.run, control.run, 4).to_answer()
    assert (before.step, before.other_step, before.moved) == (10, 0, "before_first")
    for trainer in (control, parent):
        trainer.crash()


def test_the_comparison_begins_where_both_have_steps(tmp_path: Path) -> None:
    """Of two forks of one run the earlier has steps that the later never did: these may differ."""
    parent = trained_parent(tmp_path, steps=20)
    early, late = fork_of(parent, 5).train(15), fork_of(parent, 12).train(8)
    told = json.loads(compare_folders(early.run, late.run).to_answer().model_dump_json(by_alias=True))
    assert (told["relation"]["kind"], told["relation"]["offset"], told["relation"]["shared"]) == (
        "siblings",
        -7,
        0,
    )
    assert told["first_difference"] == {"step": None, "compared": 8, "from": 8, "whole": True}
    for trainer in (early, late, parent):
        trainer.crash()


def test_two_texts_are_compared_by_their_words_after_a_rotation(tmp_path: Path) -> None:
    words, others = (*WORDS[:50], *("here",) * 1), (*reversed(WORDS[10:]), "there")
    counts, other_counts = list(range(51, 0, -1)), list(range(51))
    ours, theirs = draw(0, 51), draw(1, 51)
    one = recorded(tmp_path / "one", [draw(5, 51), ours], words, counts)
    other = recorded(tmp_path / "other", [draw(6, 51), theirs], others, other_counts)
    found = compare_folders(one, other, 1)
    told = found.to_answer(limit=100)
    shared = [(row, others.index(word)) for row, word in enumerate(words) if word in others]
    np.testing.assert_array_equal(found.rows.shared, shared)
    here, there = (
        matrix[list(ids)] for matrix, ids in zip((ours, theirs), zip(*shared, strict=True), strict=True)
    )
    rotation, _ = orthogonal_procrustes(there.astype(float), here.astype(float))
    aligned = np.linalg.norm(there @ rotation - here, axis=1)
    np.testing.assert_allclose(found.rows.aligned(), aligned, rtol=1e-4)
    assert [word.token for word in told.items] == [words[shared[row][0]] for row in np.argsort(-aligned)]
    assert told.spread.aligned == pytest.approx(np.quantile(aligned, told.spread.at), rel=1e-4)
    assert (told.words.shared, told.words.run, told.words.other) == (40, 51, 51)
    assert told.words.fitted_least == min(min(counts[a], other_counts[b]) for a, b in shared)
    assert (told.relation.kind, told.first_difference, told.order.run) == ("none", None, None)
    word = told.items[0]
    near = [set(map(int, np.argsort(-unit(m) @ unit(m)[row])[1:11])) for m in (here, there)
            for row in [[words[a] for a, _ in shared].index(word.token)]]  # fmt: skip
    names = [{words[shared[place][0]] for place in ids} for ids in near]
    assert word.gained is not None
    assert word.lost is not None
    assert {each.token for each in word.gained} == names[1] - names[0]
    assert {each.token for each in word.lost} == names[0] - names[1]
    assert word.kept == len(names[0] & names[1])
    # Rare words can be left out.
    assert {each.count for each in found.to_answer(limit=100, least_count=30).items} == set(range(30, 42))


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_nulls_say_what_time_and_chance_alone_do(tmp_path: Path) -> None:
    run = recorded(tmp_path / "one", [draw(0), draw(1), draw(2), draw(3)])
    other = recorded(tmp_path / "other", [draw(4), draw(5), draw(6), draw(7)])
    earlier, chance = compare_folders(run, other, 3).rows.nulls
    assert (earlier.kind, earlier.step, chance.kind, chance.step) == ("earlier", 1, "chance", None)
    assert earlier.raw == pytest.approx(np.median(np.linalg.norm(draw(3) - draw(1), axis=1)))
    assert chance.kept == pytest.approx(100 / (N - 1))
    # Nothing is earlier than the first step.
    assert [null.kind for null in compare_folders(run, other, 0).rows.nulls] == ["chance"]


def test_order_is_that_of_each_run_by_its_own_classes(tmp_path: Path) -> None:
    classes = {"a": list(range(30)), "b": list(range(30, 60))}
    ordered = draw(0) * np.float32(0.1)
    ordered[:30, 0] += 1
    ordered[30:, 1] += 1
    run = recorded(tmp_path / "one", [draw(1), ordered], classes=classes)
    other = recorded(tmp_path / "other", [draw(1), draw(2)])
    order = compare_folders(run, other).to_answer().order
    assert order.other is None
    assert order.run is not None
    expected = measure_order(ordered, run.vocabulary.class_of())
    assert order.run.information == pytest.approx(expected.information)
    assert order.run.purity == 1


def test_losses_and_lines_are_of_one_point_of_the_clock(tmp_path: Path) -> None:
    parent = trained_parent(tmp_path, steps=20)
    fork = fork_of(parent, 10).train(10)
    for trainer, steps in ((parent, (5, 12, 16)), (fork, (1, 2, 7))):
        for step in steps:
            trainer.writer.add_lines(step, encode_lines([SpokenLine((1,), (step,), (0.5,), False)]))
            trainer.writer.add_held_out_loss(step, step / 100)
    told = compare_folders(fork.run, parent.run, 9).to_answer()
    # The fork's steps 1, 2 and 7 are 11, 12 and 17 of the parent, which has 12 of these.
    assert told.said.run is not None
    assert told.said.other is not None
    assert (told.said.run.step, told.said.other.step) == (2, 12)
    assert told.said.run.lines[0].words == (2,)
    held_out = told.losses.held_out
    assert held_out is not None
    assert (held_out.step, held_out.other_step) == (2, 12)
    assert held_out.difference == pytest.approx(0.1)
    recent = told.losses.recent
    assert recent.run == pytest.approx(np.mean([5 - (10 + step) / 10 for step in range(1, 10)]))
    # As many of the parent, which has done more: a control differs in nothing.
    assert (recent.batches, recent.other, recent.difference) == (9, recent.run, 0)
    begun = compare_folders(fork.run, parent.run, 0).to_answer().losses
    assert (begun.recent.batches, begun.recent.other, begun.batch.run) == (0, None, None)
    assert begun.batch.other == pytest.approx(4)
    withheld = compare_folders(fork.run, parent.run).to_answer(with_text=False).said
    assert (withheld.run, withheld.other) == (None, None)
    for trainer in (fork, parent):
        trainer.crash()


def test_two_steps_of_any_runs(tmp_path: Path) -> None:
    run = finished_run(tmp_path, steps=35)
    told = compare_folders(run, run, 30, 10).to_answer()
    assert (told.relation.kind, told.step, told.other_step, told.relation.offset) == ("same", 30, 10, None)
    assert told.first_difference is None
    assert compare_folders(run, run).to_answer().words.equal == V
    sparse = finished_run(tmp_path, steps=35, rows=False)
    near = compare_folders(sparse, run, 27, 34).to_answer()
    assert (near.step, near.other_step, near.moved) == (20, 34, "not_kept")


def test_widths_may_differ_and_large_matrices_are_sampled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recorded(tmp_path / "one", [draw(0), draw(1)])
    wide = recorded(tmp_path / "other", [draw(2, dim=12), draw(3, dim=12)])
    monkeypatch.setattr(difference, "MAX_PRODUCTS", 20 * N * 12)
    shares: list[float] = []
    found = compare_folders(run, wide, on_progress=shares.append)
    told = found.to_answer(by="neighbours")
    assert (told.spread.raw, told.spread.aligned, told.words.equal) == (None, None, 0)
    assert (told.words.asked, len(told.items)) == (20, np.count_nonzero(found.rows.near.kept < 10))
    assert [null.kind for null in told.nulls] == ["earlier"]
    kept = found.rows.kept()
    assert np.isfinite(kept).sum() == 20
    assert shares == sorted(shares)
    assert found.to_answer().items == []
    assert json.loads(told.model_dump_json())["items"][0]["raw"] is None


def test_runs_that_have_nothing_in_common(tmp_path: Path) -> None:
    run = recorded(tmp_path / "one", [draw(0), draw(1)])
    stranger = recorded(tmp_path / "other", [draw(0, 5), draw(1, 5)], tuple("abcde"))
    with pytest.raises(NotComparableError, match="three words") as refused:
        compare_folders(run, stranger)
    assert refused.value.reason.code == "no_common_words"
    for unbegun in (make_run(RunStore(tmp_path)), make_run(RunStore(tmp_path), prepared=False)):
        with pytest.raises(NotComparableError, match="has not begun"):
            compare_folders(run, unbegun)
    with pytest.raises(NoSnapshotError):
        compare_folders(run, finished_run(tmp_path), -1, 0)


def test_rows_that_are_not_finite_are_told_as_unknown(tmp_path: Path) -> None:
    broken = draw(1)
    broken[7] = np.nan
    run, other = (
        recorded(tmp_path / name, [draw(0), m]) for name, m in (("one", draw(1)), ("other", broken))
    )
    found = compare_folders(run, other)
    assert np.isnan(found.rows.aligned()[7])
    told = json.loads(found.to_answer(by="neighbours").model_dump_json(by_alias=True))
    item = next(each for each in told["items"] if each["token_id"] == 7)
    assert item["aligned"] is None
    assert told["spread"]["aligned"][-1] < 1e-5
    assert rows.median(np.full(3, np.nan)) != rows.median(np.full(3, np.nan))


CLOCK = 100


def write(path: Path, pulses: list[Pulse]) -> Path:
    with StepsWriter(path) as writer:
        writer.start_attempt(0)
        for one in pulses:
            writer.commit(StepRecord(one.step, encode(one), b"digest"))
    return path


def compare(tmp_path: Path, *changed: Pulse, steps: int = 200, last: int = 200) -> FirstDifference:
    """Compare a fork at step 100 with its parent, whose steps are the same but for some."""
    changes = {one.step: one for one in changed}
    parent = write(tmp_path / "parent.sqlite", [pulse(1, CLOCK + step) for step in range(1, steps + 1)])
    own = [changes.get(step, pulse(1, step)) for step in range(1, steps + 1)]
    # Speed, time and rate are no effects.
    own = [replace(one, time=1.0, learning_rate=0.5, tokens_per_second=1.0, step_seconds=9.0) for one in own]
    fork = write(tmp_path / "fork.sqlite", own)
    with StepsReader(fork) as reader, StepsReader(parent) as other:
        return find_first_difference(reader, other, CLOCK, 1, last)


def test_equal_records_are_equal_to_the_end(tmp_path: Path) -> None:
    assert compare(tmp_path) == FirstDifference(None, 200, 1)


@pytest.mark.parametrize("step", [1, 64, 65, 150])
@pytest.mark.parametrize(
    "change",
    [
        {"loss": np.nextafter(np.float32(2.5), np.float32(3)).item()},
        {"gradient_norms": np.array([1, 1, np.nextafter(np.float32(1), np.float32(2))], dtype=np.float32)},
        {"moved_ids": np.array([1, 5, 8], dtype=np.uint32)},
        {"layer_norms": np.array([1.0, -0.0], dtype=np.float32)},
    ],
    ids=["loss", "gradient", "moved", "layers"],
)
def test_one_bit_is_found(tmp_path: Path, step: int, change: dict[str, object]) -> None:
    assert compare(tmp_path, replace(pulse(1, step), **change)) == FirstDifference(step, step, 1)  # pyright: ignore[reportArgumentType]


def test_how_a_step_was_observed_does_not_count(tmp_path: Path) -> None:
    assert compare(tmp_path, replace(pulse(1, 7), verified=True)).step is None


def test_it_stops_where_a_record_ends_or_becomes_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compare(tmp_path, steps=50, last=60) == FirstDifference(None, 50, 1, whole=False)
    monkeypatch.setattr(record, "MAX_BYTES", 1_000)
    (tmp_path / "again").mkdir()
    found = compare(tmp_path / "again")
    assert found.step is None
    assert (0 < found.compared < 200, found.whole) == (True, False)
