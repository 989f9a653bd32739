"""The energy of training: read, committed, and continued by the next trainer.

The lines of a model in training: when it speaks, its prompts, and reproducibility.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from lamplighter.contract.recipe import ModelRecipe, Recipe
from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.archive.run_zip import write_zip
from lamplighter.exports.export import no_progress
from lamplighter.model.learner import Learner, build_learner
from lamplighter.platform.energy.energy_method import EnergyMethod, SpentEnergy
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.reading.spent_energy import read_run_energy, read_spent_at
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.energy import (
    METHOD_FACT,
    UsedMethod,
    decode_energy,
    decode_method,
    encode_energy,
    join_method,
)
from lamplighter.runfolder.tables.lines import SpokenLine
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.corpus_setup import prepare_corpus
from lamplighter.training.lines import LINE_WORDS, LineSpeaker, resolve_prompts
from lamplighter.training.worker import train
from tests.support.runs import make_run, small_recipe, small_text

STEPS = 60


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = make_run(tmp_path_factory.mktemp("runs"), steps=STEPS, cadence={"keyframe_every": 20})
    train(run)
    return run


def energies(run: RunFolder) -> dict[int, SpentEnergy]:
    with StepsReader(run.steps_path) as reader:
        return read_spent_at(reader, range(1_000))


def method_of(run: RunFolder) -> UsedMethod:
    with StepsReader(run.steps_path) as reader:
        found = decode_method(reader.facts()[METHOD_FACT])
    assert found is not None
    return found


def test_records_energy_with_every_keyframe_and_at_the_end(trained: RunFolder) -> None:
    found = energies(trained)
    assert {0, 20, 25, 40, 50, STEPS} <= set(found)
    assert found[0] == SpentEnergy()
    joules = [found[step].joules for step in sorted(found)]
    assert joules == sorted(joules)
    assert joules[-1] > 0
    assert found[STEPS].processor_seconds > 0
    assert all(spent.steps == step for step, spent in found.items())
    assert (method_of(trained).after, method_of(trained).mixed) == (0, False)


def test_the_next_trainer_continues_the_sum(
    trained: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(Path(shutil.copytree(trained.path, tmp_path / trained.id)))
    RequestsWriter(run.path, "test").add("continue", {"steps": 20})
    monkeypatch.setenv("LAMPLIGHTER_WATTS", "33")
    train(run)
    found = energies(run)
    assert found[STEPS + 20].joules > found[STEPS].joules >= energies(trained)[STEPS].joules
    used = method_of(run)
    if used.method.name == "processor":
        assert (used.method.watts, used.after, used.mixed) == (33.0, 0, True)


def test_counts_recomputed_steps_again(trained: RunFolder, tmp_path: Path) -> None:
    run = RunFolder(Path(shutil.copytree(trained.path, tmp_path / trained.id)))
    shutil.rmtree(run.checkpoints)
    RequestsWriter(run.path, "test").add("continue", {"steps": 20})
    train(run)
    assert energies(run)[STEPS + 20].steps == STEPS + STEPS + 20


def test_invalid_watts_end_the_run_with_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, steps=2)
    monkeypatch.setenv("LAMPLIGHTER_WATTS", "plenty")
    assert train(run) == "failed"
    with StepsReader(run.steps_path) as reader:
        assert "LAMPLIGHTER_WATTS" in reader.facts()["message"]


def test_imports_energy(trained: RunFolder, tmp_path: Path) -> None:
    packed = tmp_path / "run.zip"
    write_zip(trained, packed, no_progress)
    run, _ = import_zip(RunStore(tmp_path / "other"), packed, no_progress)
    assert energies(run) == energies(trained)
    assert method_of(run) == method_of(trained)


@pytest.mark.parametrize(
    "text",
    [
        None,
        5,
        "",
        "{}",
        "[1,2,3]",
        "[1,2,3,4,5]",
        "[1,2,3,4.5]",
        "[1,2,3,-4]",
        "[1,2,3,1e300]",
        "[1,2,-3,4]",
        '[1,2,"3",4]',
        "[1,2,true,4]",
        "[1,2,1e999,4]",
        "[" * 150,
    ],
)
def test_invalid_energy_is_unknown(text: object) -> None:
    assert decode_energy(text) is None


def test_writes_energy_compactly() -> None:
    assert encode_energy(SpentEnergy(1 / 3, 2.0, 1234567.891, 7)) == "[0.333333333,2.0,1234567.89,7]"


RAPL = UsedMethod(EnergyMethod("rapl"), 5).as_fact()[0]


@pytest.mark.parametrize(
    "fact",
    [
        5,
        [5],
        [{}],
        [{"name": "guess"}],
        [{**RAPL, "name": "guess"}],
        [{**RAPL, "watts": 5}],
        [{**RAPL, "name": "processor"}],
        [{**RAPL, "name": "processor", "watts": -1}],
        [{**RAPL, "without_card": "<b>"}],
        [{**RAPL, "mixed": 1}],
        [],
        [{**RAPL, "after": -1}],
        [{**RAPL, "obstacles": 5} | {"without_card": "no"}],
        [RAPL, {"name": "guess"}],
    ],
)
def test_an_unknown_method_is_unknown_energy(fact: object) -> None:
    assert decode_method(fact) is None


def test_a_run_of_an_unknown_method_is_continued_and_imported(trained: RunFolder, tmp_path: Path) -> None:
    shutil.copytree(trained.path, tmp_path / "runs" / "own")
    run = RunFolder(tmp_path / "runs" / "own")
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({METHOD_FACT: [{"name": "guess"}]})
    packed = tmp_path / "run.zip"
    write_zip(run, packed, no_progress)
    imported, _ = import_zip(RunStore(tmp_path / "other"), packed, no_progress)
    for one in (run, imported):
        with StepsReader(one.steps_path) as reader:
            assert read_run_energy(reader) is None
            assert read_spent_at(reader, range(STEPS)) == {}
        RequestsWriter(one.path, "tests").add("continue", {"steps": 10})
        train(one)
        with StepsReader(one.steps_path) as reader:
            energy = read_run_energy(reader)
            assert energy is not None
            # The sum begins with the trainer whose method is known.
            assert (energy.since, energy.step, energy.spent.steps) == (STEPS, STEPS + 10, 10)
            assert read_spent_at(reader, range(STEPS)) == {}


def test_reads_the_methods_that_earlier_trainers_listed() -> None:
    def old(after: int, **values: object) -> dict[str, object]:
        given: dict[str, object] = {"name": "rapl", "watts": None, "obstacles": {"nvml": "processor_only"}}
        return {**given, "after": after, **values}

    assert decode_method([old(0)]) == UsedMethod(EnergyMethod("rapl"), 0)
    assert decode_method([old(3, obstacles={"nvml": "denied"})]) == UsedMethod(
        EnergyMethod("rapl", None, without_card=True), 3
    )
    estimate = old(40, name="processor", watts=12.0, obstacles={"nvml": "absent", "rapl": "denied"})
    expected = UsedMethod(EnergyMethod("processor", 12.0, without_card=True), 3, mixed=True)
    assert decode_method([old(3), estimate]) == expected
    assert decode_method([old(3), estimate, old(60)]) == expected


def test_a_run_has_the_least_exact_of_its_methods() -> None:
    rapl, estimate = EnergyMethod("rapl", None, True), EnergyMethod("processor", 12.0)
    fact = join_method(join_method(None, rapl, 20), rapl, 50)
    assert decode_method(fact) == UsedMethod(rapl, 20, mixed=False)
    mixed = UsedMethod(EnergyMethod("processor", 12.0, True), 20, mixed=True)
    fact = join_method(fact, estimate, 70)
    assert decode_method(fact) == mixed
    assert decode_method(join_method(fact, rapl, 90)) == mixed
    for step in range(40):
        fact = join_method(fact, EnergyMethod("processor", 1.0 + step), step)
    assert len(fact) == 1


V = 20
RECIPE = Recipe(model=ModelRecipe(dim=8, heads=2, layers=1, context=6))
PROMPTS = [(1, 2), (3,), (4, 5, 6)]


@pytest.fixture(scope="module")
def learner() -> Learner:
    return build_learner(RECIPE, V, torch.device("cpu"))


def test_speaks_often_at_first_and_rarely_later(learner: Learner) -> None:
    speaker = LineSpeaker(RECIPE, PROMPTS[:1])
    spoken = [step for step in range(1_001) if speaker.speak(learner, step)]
    assert spoken == [0, 1, 2, 5, 10, 20, 50, 100, 250, 500, 750, 1_000]


@pytest.mark.parametrize(
    ("prompts", "expected"),
    [
        (PROMPTS, [((1, 2), False), ((3,), False), ((4, 5, 6), True), ((1, 2), True)]),
        (PROMPTS[:2], [((1, 2), False), ((3,), False), ((1, 2), True), ((3,), True)]),
        (PROMPTS[:1], [((1, 2), False), ((1, 2), True), ((1, 2), True)]),
        ([*PROMPTS, (7,)], [((1, 2), False), ((3,), False), ((4, 5, 6), True), ((7,), True)]),
        ([], []),
    ],
)
def test_every_prompt_is_continued(
    learner: Learner, prompts: list[tuple[int, ...]], expected: list[tuple[tuple[int, ...], bool]]
) -> None:
    lines = LineSpeaker(RECIPE, prompts).speak(learner, 0)
    assert [(line.prompt, line.sampled) for line in lines] == expected
    assert all(len(line.words) == len(line.probabilities) == LINE_WORDS for line in lines)


def said(learner: Learner, step: int, seed: int = 0) -> list[SpokenLine]:
    return LineSpeaker(RECIPE.model_copy(update={"seed": seed}), PROMPTS).speak(learner, step)


def test_lines_of_a_step_are_reproducible(learner: Learner) -> None:
    assert said(learner, 5) == said(learner, 5)
    later, other_seed = said(learner, 10), said(learner, 5, seed=1)
    for changed in (later, other_seed):
        # The model is the same; only the random numbers differ.
        assert changed[:2] == said(learner, 5)[:2]
        assert changed[2].words != said(learner, 5)[2].words
    sampled_alike = LineSpeaker(RECIPE, PROMPTS[:1]).speak(learner, 5)[1:]
    assert sampled_alike[0].words != sampled_alike[1].words, "two lines of one prompt share random numbers"


def test_a_model_that_is_not_finite_says_nothing() -> None:
    broken = build_learner(RECIPE, V, torch.device("cpu"))
    with torch.no_grad():
        broken.model.embedding.weight.fill_(float("nan"))
    assert said(broken, 5) == []


def test_prompts_are_chosen_once(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(small_recipe(prompts=["no such words"]), small_text())
    prepare_corpus(run)
    chosen = resolve_prompts(run, {})
    assert len(chosen) == 1
    assert all(0 < token < len(run.vocabulary) for token in chosen[0])
    facts = json.loads(json.dumps({"prompts": [[5], [7, 8]]}))
    assert resolve_prompts(run, facts) == [(5,), (7, 8)]
    with pytest.raises(FormatError):
        resolve_prompts(run, {"prompts": [[len(run.vocabulary)]]})


@pytest.mark.parametrize("change", ["missing", "damaged"])
def test_speaks_without_a_tokeniser(tmp_path: Path, change: str) -> None:
    run = RunStore(tmp_path).create(small_recipe(), small_text())
    prepare_corpus(run)
    expected = resolve_prompts(run, {})
    file = run.path / "tokeniser.json"
    file.unlink()
    if change == "damaged":
        file.write_bytes(b"\xff{")
    del run.__dict__["tokeniser"]
    assert resolve_prompts(run, {}) == expected
    assert len(np.unique([prompt[0] for prompt in expected])) == 3
