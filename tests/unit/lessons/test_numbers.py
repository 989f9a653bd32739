"""The numbers of a run that the course names; and the course's own texts on any numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from lamplighter.claims.gathering import read_moment
from lamplighter.cli.app import cli
from lamplighter.lessons.check import list_problems, list_unknown_numbers
from lamplighter.lessons.library import find_lessons, list_languages, read_folder
from lamplighter.lessons.numbers import NumberValue, find_questions, missing_words, resolve_numbers
from lamplighter.lessons.part import MEASURES, Part
from lamplighter.lessons.part_parser import parse_part
from lamplighter.model.flops import list_operations
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.serving.schemas.lessons import describe_part
from lamplighter.wire.vocabulary import Relation, Vocabulary
from tests.support.evidences import find, gather, store_answer
from tests.support.folders import TOKENS, FakeTrainer, finished_run, make_run

ROOT = Path(__file__).parents[3]
ANIMALS = (1, 2, 3, 5)
WORD = TOKENS[ANIMALS[0]]
TEXT = f"""title: A part
minutes: 5
words: {WORD}

# look: A
examine: kind=what_if&sentence={WORD}&steps=2

{{purity_10nn@0}} {{purity_10nn@30|percent}} {{purity_10nn@500}} {{effective_rank@last}} {{word.kin.{WORD}@0|count}}
{{word.kin_chance.{WORD}@0}} {{word.nearest.{WORD}@last}} {{word.kin.missing@0}} {{run.rows|count}} {{run.width}}
{{answer.what_if.own.p.last}} {{answer.what_if.own.p.0}} {{answer.what_if.own.said}} {{answer.what_if.states.7.loss}}
"""
QUESTION = {"kind": "what_if", "step": 35, "sentence": WORD, "steps": 2}


def make_part() -> Part:
    return parse_part("01-a.md", 1, TEXT)


def what_if(step: int, *p: float) -> dict[str, Any]:
    """Return an answer in which the told word has some probabilities."""
    return {
        "kind": "what_if", "step": step, "attempt": 1, "sentence": [1], "told": 0, "learning_rate": 0.1, "text": "training",
        "states": [], "own": {"ids": [1], "p": p, "said": 3, "said_p": p}, "also_changed": [], "watched": 0,
        "candidates": {"before": [], "sentence": [], "town": None}, "parameters_moved": 1.0,
        "replayed": {"from": 0, "steps": step, "equal": True, "difference": 0.0},
    }  # fmt: skip


def resolve(run: RunFolder, part: Part | None = None) -> dict[str, NumberValue]:
    part, moment = part or make_part(), read_moment(run)
    return resolve_numbers(run, part, moment, find_questions(run, part, moment), LruCache())


def test_numbers_come_from_measures_words_and_answers(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    writer = MeasuresWriter(run.measures_path)
    writer.commit(1, 0, {"purity_10nn": 0.25})
    writer.commit(1, 35, {"effective_rank": 3.5})
    writer.close()
    numbers = resolve(run)
    assert numbers["purity_10nn@0"] == NumberValue(0.25, 0)
    assert numbers["purity_10nn@30"] == NumberValue(None, 30, "measure")
    assert numbers["purity_10nn@500"] == NumberValue(None, 500, "ended")
    assert numbers["effective_rank@last"] == NumberValue(3.5, 35)
    assert (numbers["run.rows"].value, numbers["run.width"].value) == (
        len(run.vocabulary),
        run.recipe.model.dim,
    )
    assert numbers["word.kin.missing@0"] == NumberValue(None, 0, "measure")
    assert numbers["answer.what_if.own.p.0"] == NumberValue(None, None, "answer")

    # The nearest words, computed here in the simplest way.
    with MatrixHistory(run) as history:
        rows = history.snapshot(0).vectors.astype(np.float64)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = units @ units[ANIMALS[0]]
    nearest = [int(row) for row in np.argsort(-cosines) if row != ANIMALS[0]][:10]
    assert numbers[f"word.kin.{WORD}@0"].value == len(set(nearest) & set(ANIMALS))
    assert numbers[f"word.kin_chance.{WORD}@0"].value == 10 * 3 / (len(rows) - 1)

    store_answer(run, QUESTION, what_if(35, 0.1, 0.2, 1e300))
    numbers = resolve(run)
    assert numbers["answer.what_if.own.p.0"] == NumberValue(0.1, 35)
    assert numbers["answer.what_if.own.said"] == NumberValue(3, 35)
    # A number that is too large is ignored, as is a missing one.
    for name in ("own.p.last", "states.7.loss"):
        assert numbers[f"answer.what_if.{name}"] == NumberValue(None, 35, "answer")


def test_an_answer_of_another_shape_has_no_numbers(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    store_answer(run, QUESTION, what_if(35, 0.5) | {"states": None})
    assert resolve(run)["answer.what_if.own.p.0"] == NumberValue(None, 35, "answer")


def test_an_answer_about_an_older_step_serves_only_during_training(tmp_path: Path) -> None:
    trainer = FakeTrainer(make_run(RunStore(tmp_path), steps=400)).begin().train(120)
    store_answer(trainer.run, {**QUESTION, "step": 50}, what_if(50, 0.5))
    assert resolve(trainer.run)["answer.what_if.own.p.0"] == NumberValue(0.5, 50)
    assert resolve(trainer.run)["purity_10nn@500"] == NumberValue(None, 500, "step")
    trainer.end()
    assert resolve(trainer.run)["answer.what_if.own.p.0"].waits_for == "answer"
    question = find_questions(trainer.run, make_part(), read_moment(trainer.run))["what_if"].question
    assert question.step == 120


def test_damaged_files_make_numbers_unknown(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    store_answer(run, QUESTION, {"own": {"p": [0.1]}})
    run.examinations_path.write_bytes(b"no database" * 1_000)
    run.measures_path.write_bytes(b"no database" * 1_000)
    assert {
        number.value for name, number in resolve(run).items() if name.startswith(("answer", "purity"))
    } == {None}


def test_the_halves_of_the_cost_match_the_panel(tmp_path: Path) -> None:
    run = finished_run(tmp_path, 120)
    part = parse_part(
        "01-a.md",
        1,
        "title: A\nminutes: 5\n\n# look: A\n\n{run.half_step} {run.first_half_bits} {run.second_half_bits}"
        " {run.second_half_share} {run.products} {run.products_apart} {run.layers} {run.update_share} {run.unread_loss}\n",
    )
    assert resolve(run, part)["run.second_half_share"].value is None
    writer = MeasuresWriter(run.measures_path)
    for step, bits in ((0, 0.5), (20, 4.5), (60, 6.0), (100, 6.25), (120, 6.5)):
        writer.commit(1, step, {"neighbour_information": bits})
    writer.close()
    numbers = {name: one.value for name, one in resolve(run, part).items()}
    # Without measured energy the cost is in operations, equal for every step, so half were spent at step 60.
    assert numbers["run.half_step"] == 60
    assert (numbers["run.first_half_bits"], numbers["run.second_half_bits"]) == (5.5, 0.5)
    assert numbers["run.second_half_share"] == pytest.approx(0.5 / 6)
    operations = list_operations(run.recipe.model, len(run.vocabulary), run.recipe.sequences)
    assert numbers["run.products"] == 3 * sum(one.is_product for one in operations)
    assert numbers["run.products_apart"] == 3 * sum(one.pairs for one in operations)
    assert numbers["run.layers"] == run.recipe.model.layers
    assert 0 < (numbers["run.update_share"] or 0) < 1
    assert numbers["run.unread_loss"] is None


def test_a_claims_figure_matches_the_board(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    part = parse_part(
        "01-a.md",
        1,
        "title: A\nminutes: 5\n\n# look: A\n\n{claim.4.numbers_in_the_embedding|count} {claim.4.share_of_all_parameters}\n"
        "{claim.4.no_such_figure} {claim.6.share_of_the_city} {claim.6.null} {run.weights|large} {run.guess_loss}\n",
    )
    numbers = resolve(run, part)
    rows, width = len(run.vocabulary), run.recipe.model.dim
    assert numbers["claim.4.numbers_in_the_embedding"].value == rows * width == numbers["run.weights"].value
    assert numbers["claim.4.no_such_figure"] == NumberValue(None, None, "measure")
    found = find(6, gather(run))
    assert found.null is not None
    assert numbers["claim.6.null"] == NumberValue(found.null.value, found.null.step)
    assert numbers["run.guess_loss"].value == pytest.approx(np.log(rows))
    [share] = (figure for figure in found.figures if figure.code == "share_of_the_city")
    assert numbers["claim.6.share_of_the_city"] == NumberValue(share.value, share.step)


def test_a_relation_has_its_simpler_baselines(tmp_path: Path) -> None:
    # The nearest of 5 is 16, and of 7 it is 13; of the others it is another word.
    pairs = ((1, 3), (5, 16), (6, 2), (7, 13))
    run = make_run(RunStore(tmp_path), steps=40, prepared=False)
    counts = np.arange(len(TOKENS), 0, -1, dtype=np.int64)
    relation = Relation("male female", pairs)
    run.write_corpus(
        np.zeros(500, dtype=np.uint32), Vocabulary(TOKENS, counts, {"all": ANIMALS}, (relation,)), "{}"
    )
    FakeTrainer(run).begin().train(40).end()
    writer = MeasuresWriter(run.measures_path)
    writer.commit(1, 30, {"purity_10nn": 0.25})
    writer.close()
    names = [
        f"{number}.{of}@last"
        for number in ("without_rule", "nearest_of_c")
        for of in ("male_female", "nobodys")
    ]
    text = " ".join(f"{{relation.{name}}}" for name in names)
    numbers = resolve(run, parse_part("01-a.md", 1, f"title: A\nminutes: 5\n\n# look: A\n\n{text}\n"))

    with MatrixHistory(run) as history:
        rows = history.snapshot(30).vectors.astype(np.float64)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    asked = [(*one, *other) for one in pairs for other in pairs if one != other]
    whole = [int((units @ (units[b] - units[a] + units[c])).argmax()) == d for a, b, c, d in asked]
    alone = [
        max((row for row in range(len(rows)) if row not in (a, b, c)), key=(units @ units[c]).__getitem__)
        == d
        for a, b, c, d in asked
    ]
    expected = {"without_rule": np.mean(whole), "nearest_of_c": np.mean(alone)}
    for number, share in expected.items():
        assert numbers[f"relation.{number}.male_female@last"] == NumberValue(float(share), 30)
        assert numbers[f"relation.{number}.nobodys@last"] == NumberValue(None, 30, "measure")


def test_questions_of_one_kind_differ_by_name_and_step(tmp_path: Path) -> None:
    trainer = FakeTrainer(make_run(RunStore(tmp_path), steps=400)).begin().train(120)
    asked = {"kind": "what_if", "sentence": WORD, "steps": 2}
    part = parse_part(
        "01-a.md",
        1,
        f"title: A\nminutes: 5\n\n# look: A\nview: ?at=110\nexamine: kind=what_if&sentence={WORD}&steps=2&step=100&as=early\n\n"
        f"{{answer.early.own.p.0}}\n# look: B\nexamine: kind=what_if&sentence={WORD}&steps=2\n\n{{answer.what_if.own.p.0}}\n",
    )
    store_answer(trainer.run, {**asked, "step": 50}, what_if(50, 0.5))
    assert resolve(trainer.run, part)["answer.early.own.p.0"].waits_for == "answer"
    assert resolve(trainer.run, part)["answer.what_if.own.p.0"].value == 0.5
    store_answer(trainer.run, {**asked, "step": 100}, what_if(100, 0.25))
    assert resolve(trainer.run, part)["answer.early.own.p.0"] == NumberValue(0.25, 100)
    trainer.end()
    assert resolve(trainer.run, part)["answer.early.own.p.0"].value == 0.25
    assert resolve(trainer.run, part)["answer.what_if.own.p.0"].waits_for == "answer"


def test_a_run_before_its_first_step_can_open_every_part(tmp_path: Path) -> None:
    trainer = FakeTrainer(make_run(RunStore(tmp_path), steps=400)).begin()
    moment = read_moment(trainer.run)
    assert moment.step == 0
    for part in read_folder(find_lessons()).parts.values():
        stages = {stage.examination.name: stage for stage in part.stages if stage.examination}
        for name, one in find_questions(trainer.run, part, moment).items():
            # A question that cannot be asked yet gives the step from which it can.
            assert one.question.last_step <= stages[name].reached


def test_the_check_of_a_run_lists_missing_numbers(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "runs")
    folder = tmp_path / "lessons"
    folder.mkdir()
    (folder / "01-a.md").write_text(TEXT.replace("@500", "@30"))
    (folder / "02-b.md").write_text(f"title: B\nminutes: 5\nwords: {WORD} unicorn\n\n# look: A\n\ntext\n")
    said = list_unknown_numbers(read_folder(folder).parts.values(), run)
    assert f"part 2: {run.id} does not know unicorn" in said
    assert any(line.startswith("part 1: answer.what_if.own.p.0 is unknown: its question") for line in said)
    assert not any("run.rows" in line for line in said)


def test_measure_names_match_the_analysts() -> None:
    files = ("analysis/measures.py", "model/held_out.py")
    source = "".join((ROOT / "backend/lamplighter" / file).read_text() for file in files)
    assert [name for name in MEASURES if f'"{name}"' not in source] == []


def test_the_apps_texts_are_valid() -> None:
    assert list_problems(find_lessons()) == []
    assert list(read_folder(find_lessons()).parts) == list(range(1, 14))


def test_the_stages_that_make_a_fork_wait_for_no_step_for_a_fork_begins_at_0() -> None:
    waits = {
        part.number: stage.reached
        for part in read_folder(find_lessons()).parts.values()
        for stage in part.stages
        if any(
            span.view == "?panel=difference"
            for block in stage.blocks
            for line in block.lines
            for span in line
        )
    }
    assert waits == {4: 0, 7: 0, 9: 0}


@pytest.mark.parametrize("value", [None, 0.0, -1.0, 1.0, 10.0, 1e9, 1e-12])
def test_the_texts_accept_any_number(value: float | None) -> None:
    folder = find_lessons()
    for part in (
        part for code in list_languages(folder) for part in read_folder(folder, code).parts.values()
    ):
        numbers = {
            name.text: NumberValue(value, 0, None if value is not None else "answer") for name in part.numbers
        }
        tree: dict[str, Any] = json.loads(
            describe_part(
                part, step=0, training=True, missing_words=[], questions={}, numbers=numbers
            ).model_dump_json()
        )
        assert {one["value"] for one in tree["numbers"].values()} == {value}
        spans = [
            span
            for stage in tree["stages"]
            for block in stage["blocks"]
            for line in block["lines"]
            for span in line
        ]
        assert {span["number"] for span in spans if span["number"]} <= set(tree["numbers"])
        assert 5 <= part.minutes <= 8


def test_the_command_lists_what_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "01-a.md").write_text(
        "title: A\nminutes: 5\nwords: dog unicorn\n\n# look: A\nview: ?word=dragon&at=0\n"
        "examine: kind=what_if&sentence=the griffin barked\n\n{word.kin.hydra@0}\n"
    )
    (tmp_path / "02-b.md").write_text("title: B\nminutes: 5\n\n# look: A\nview: ?panel=nothing\n\ntext\n")
    said = CliRunner().invoke(cli, ["lessons", "check", str(tmp_path)])
    assert said.exit_code == 1
    for word in ("unicorn", "dragon", "griffin", "hydra"):
        assert f"part 1: Lamptown has no word '{word}'" in said.output
    assert "02-b.md:5: panel cannot be 'nothing'" in said.output
    assert "dog" not in said.output
    refused = CliRunner().invoke(cli, ["serve", "--lessons", str(tmp_path)])
    assert (refused.exit_code, "lamplighter lessons check" in refused.output) == (1, True)
    (tmp_path / "02-b.md").unlink()
    (tmp_path / "01-a.md").write_text("title: A\naim: See.\nminutes: 5\n\n# look: A\n\ntext\n")
    assert CliRunner().invoke(cli, ["lessons", "check", str(tmp_path)]).exit_code == 0


def test_a_part_needs_its_words(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    part = parse_part("01-a.md", 1, TEXT.replace(f"words: {WORD}", f"words: {WORD} unicorn"))
    assert missing_words(part, run.vocabulary) == ["unicorn"]
