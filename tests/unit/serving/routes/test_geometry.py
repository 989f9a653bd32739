"""The geometry lab over REST: right answers, tags that last, one making for all, and refusals that say what to do.

The frequencies of a run's numbers over REST.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.contract.recipe import Recipe
from lamplighter.geometry.analogies import AnalogyShares, analogy_accuracy, analogy_shares
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.apps.app import create_app
from lamplighter.serving.reading.token_table import TokenTable
from lamplighter.training.worker import train
from lamplighter.web.settings import ServerSettings
from lamplighter.wire.vocabulary import Relation, Vocabulary
from tests.support.asgi import HOST, PORT, Answer, call
from tests.support.folders import TOKENS, FakeTrainer, V, make_run, write_measures

PAIRS = tuple((i, i + 10) for i in range(10, 20))
QUESTIONS = ("analogy?a=1&b=2&c=3", "axis?from=1,2&to=3", "ranks?pairs=1-2", "relations", "lengths", "touches",
             "stayed", "chance", "cooccurrence", "odd-one-out")  # fmt: skip


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[FakeTrainer]:
    run = make_run(RunStore(tmp_path), prepared=False)
    text = np.random.default_rng(0).integers(0, V, size=500).astype(np.uint32)
    classes = {"animals": (1, 2, 3, 5), "one": tuple(range(10, 20)), "other": tuple(range(20, 30))}
    relations = (Relation("shift", PAIRS), Relation("few", ((1, 3),)))
    run.write_corpus(text, Vocabulary(TOKENS, np.arange(V, 0, -1), classes, relations), "{}")
    made = FakeTrainer(run).begin().train(25)
    yield made
    made.crash()


async def ask(app: FastAPI, run: RunFolder, path: str, status: int = 200, tag: str = "") -> Answer:
    headers = {"host": HOST, **({"if-none-match": tag} if tag else {})}
    answer = await call(app, "GET", f"/api/runs/{run.id}/geometry/{path}", headers=headers)
    assert answer.status == status, answer.body
    return answer


def at(path: str, facts: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{facts}"


def ids(items: list[dict[str, int]]) -> list[int]:
    return [item["token_id"] for item in items]


async def test_a_custom_analogy(app: FastAPI, trainer: FakeTrainer) -> None:
    found = (await ask(app, trainer.run, "analogy?a=5&b=1&c=2&step=20&most=4")).json
    vectors = trainer.matrices[20]
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    nearest = np.argsort(-(units @ (units[5] - units[1] + units[2]))).tolist()
    assert ids(found["without_rule"]) == nearest[:4]
    assert ids(found["with_rule"]) == [row for row in nearest if row not in (5, 1, 2)][:4]
    alone = np.argsort(-(units @ units[2])).tolist()
    assert ids(found["nearest_of_c"]) == [row for row in alone if row not in (5, 1, 2)][:4]
    assert (found["a"]["token"], found["c"]["class"]) == ("cat", "animals")
    assert (found["step"], found["exact"], found["chance"]) == (20, True, pytest.approx(1 / 37))


async def test_an_axis(app: FastAPI, trainer: FakeTrainer) -> None:
    found = (await ask(app, trainer.run, "axis?from=1,2&to=7&step=20")).json
    vectors = trainer.matrices[20].astype(np.float64)
    way = vectors[7] - vectors[[1, 2]].mean(axis=0)
    assert found["length"] == pytest.approx(np.linalg.norm(way))
    assert found["positions"][7] == pytest.approx(found["length"] / 2)
    assert len(found["positions"]) == V
    assert ids(found["from"]) == [1, 2]
    assert found["spread"] == pytest.approx(np.std(found["positions"]))
    nowhere = (await ask(app, trainer.run, "axis?from=3&to=3")).json
    assert (nowhere["positions"], nowhere["length"], nowhere["spread"]) == (None, 0, None)


async def test_ranks_of_pairs_at_a_step_and_along_the_run(app: FastAPI, trainer: FakeTrainer) -> None:
    found = (await ask(app, trainer.run, "ranks?pairs=1-2,12-33&step=20")).json
    vectors = trainer.matrices[20]
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def rank(at_matrix: np.ndarray, a: int, b: int) -> int:
        return [row for row in np.argsort(-(at_matrix @ at_matrix[a])).tolist() if row != a].index(b) + 1

    one, other = found["items"]
    assert (one["rank_of_b"], one["rank_of_a"]) == (rank(units, 1, 2), rank(units, 2, 1))
    assert one["cosine"] == pytest.approx(float(units[1] @ units[2]), abs=1e-6)
    assert (one["class_rank"], other["class_rank"], found["chance"]) == (2, None, V / 2)
    curves = (await ask(app, trainer.run, "ranks/curves?pairs=1-2")).json
    assert curves["steps"] == [0, 10, 20, 25]
    assert curves["items"][0]["rank_of_b"][2] == one["rank_of_b"]
    assert (await ask(app, trainer.run, "ranks/curves?pairs=1-2&to=12")).json["steps"] == [0, 10, 12]


async def test_a_run_that_takes_the_place_of_another_has_its_own_curve(
    app: FastAPI, trainer: FakeTrainer
) -> None:
    path = "ranks/curves?pairs=1-2,5-9"
    first = (await ask(app, trainer.run, path)).json
    trainer.crash()
    folder = trainer.run.path
    aside = folder.rename(folder.with_name("aside"))
    shutil.copytree(aside, folder, ignore=shutil.ignore_patterns("steps*", "trainer*"))
    os.utime(folder / "recipe.json", (1, 1))
    again = FakeTrainer(RunFolder(folder))
    again.matrix = -trainer.matrices[0][::-1].copy()
    again.begin().train(25)
    second = (await ask(app, again.run, path)).json
    again.crash()
    assert (second["attempt"], second["steps"]) == (first["attempt"], first["steps"])
    assert second["items"] != first["items"]


async def test_relations_beside_their_baselines(app: FastAPI, trainer: FakeTrainer) -> None:
    shift, few = (await ask(app, trainer.run, "relations?step=20")).json["items"]
    vectors, class_of = trainer.matrices[20], trainer.run.vocabulary.class_of()
    baselines = analogy_shares(vectors, PAIRS, class_of)
    assert shift["score"] == pytest.approx(analogy_accuracy(vectors, PAIRS))
    assert shift["questions"] == len(list(permutations(PAIRS, 2)))
    assert (shift["right_class"], shift["chance"]) == (pytest.approx(0.1), pytest.approx(1 / 37))
    assert shift["nearest_of_c"] == pytest.approx(baselines.nearest_of_c)
    assert shift["without_rule"] == pytest.approx(baselines.without_exclusion)
    assert -1 < shift["consistency_chance"] < 1 > shift["consistency_deviation"] > 0
    assert (few["questions"], few["score"], few["consistency"], few["right_class"]) == (0, None, None, None)


async def test_lengths_and_touches_beside_counts(app: FastAPI, trainer: FakeTrainer) -> None:
    lengths = (await ask(app, trainer.run, "lengths?step=20")).json
    assert lengths["lengths"] == pytest.approx(np.linalg.norm(trainer.matrices[20], axis=1).tolist())
    assert lengths["counts"] == list(range(V, 0, -1))
    assert -1 <= lengths["spearman"] <= 1
    assert lengths["chance_deviation"] == pytest.approx(39**-0.5)
    touches = (await ask(app, trainer.run, "touches")).json
    assert touches["touches"] == trainer.touches.tolist()
    assert touches["never_lit"] == np.flatnonzero(trainer.touches == 0).tolist()
    first = (await ask(app, trainer.run, "touches?step=0")).json
    assert (len(first["never_lit"]), first["spearman"]) == (V, None)


async def test_the_rows_that_stayed_are_those_that_no_batch_read(app: FastAPI, trainer: FakeTrainer) -> None:
    found = (await ask(app, trainer.run, "stayed?step=3")).json
    unread = (await ask(app, trainer.run, "touches?step=3")).json["never_lit"]
    assert 0 < len(unread) < V
    assert ids(found["items"]) == unread
    assert (found["from"], found["training_steps"], found["rows"], found["stayed"]) == (0, 3, V, len(unread))
    assert found["limit"] < found["nearest_other"] <= found["median_other"]
    assert (found["scale"], found["items"][0]["turned"]) == (1, 0)
    assert found["items"][0]["token"] == TOKENS[unread[0]]
    first = (await ask(app, trainer.run, "stayed?step=0&most=2")).json
    assert (first["stayed"], len(first["items"]), first["nearest_other"]) == (V, 2, None)


async def test_nearest_by_chance(app: FastAPI, trainer: FakeTrainer) -> None:
    found = (await ask(app, trainer.run, "chance?step=20")).json
    assert found["rows"] == V
    assert found["random_pair_deviation"] == 0.5
    assert 0.5 < found["nearest_cosine_chance"] < 1


async def test_cooccurrence_with_and_without_the_text(app: FastAPI, trainer: FakeTrainer) -> None:
    found = (await ask(app, trainer.run, "cooccurrence?step=20")).json
    assert (found["tokens"], found["window"]) == (500, 16)
    shift, few = found["items"]
    assert sum(group["pairs"] for group in shift["groups"]) == 10
    assert sum(group["questions"] for group in shift["groups"]) == 90
    assert [group["least"] for group in shift["groups"]] == sorted(
        group["least"] for group in shift["groups"]
    )
    whole = sum(group["questions"] * group["score"] for group in shift["groups"]) / 90
    assert whole == pytest.approx(analogy_accuracy(trainer.matrices[20], PAIRS))
    assert few["groups"][0]["score"] is None
    (trainer.run.path / "corpus.npy").unlink()
    app.state.services.catalog._folders.clear()
    gone = (await ask(app, trainer.run, "cooccurrence?step=19")).json
    assert (gone["items"], gone["tokens"]) == (None, None)


async def test_rounds_of_odd_one_out_are_decided_by_the_rows(app: FastAPI, trainer: FakeTrainer) -> None:
    game = (await ask(app, trainer.run, "odd-one-out?step=20&seed=3&rounds=5")).json
    assert (game["step"], game["seed"], game["chance"], len(game["rounds"])) == (20, 3, 0.25, 5)
    vectors = trainer.matrices[20]
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for one in game["rounds"]:
        rows = ids(one["words"])
        assert np.array(one["cosine"]) == pytest.approx(units[rows] @ units[rows].T, abs=1e-6)
        similar = [sum(line) for line in one["cosine"]]
        assert similar.index(min(similar)) == one["odd"]
        # Signs are no words.
        assert not {word["token"] for word in one["words"]} & {"/", "..", "<b>", "\u00fc"}
    other = (await ask(app, trainer.run, "odd-one-out?step=20&seed=4&rounds=5")).json
    assert other["rounds"] != game["rounds"]


def test_signs_single_letters_and_pieces_that_continue_a_word_are_no_words() -> None:
    tokens = ("\u0120learn", "ing", "\u0120don't", "<unk>", ".", "\u0120a", "42", "\u0120caf\u00c3\u00a9")
    vocabulary = Vocabulary(tokens, np.ones(len(tokens), dtype=np.int64))
    assert TokenTable(vocabulary).words().tolist() == [True, False, True, False, False, False, False, True]


@pytest.mark.parametrize("question", QUESTIONS)
async def test_an_answer_about_a_fixed_step_lasts(app: FastAPI, trainer: FakeTrainer, question: str) -> None:
    fixed = await ask(app, trainer.run, at(question, "step=20&attempt=1"))
    assert "immutable" in fixed.headers["cache-control"]
    assert fixed.headers["x-lamplighter-step"] == "20"
    await ask(app, trainer.run, at(question, "step=20&attempt=1"), 304, fixed.headers["etag"])
    newest = await ask(app, trainer.run, question)
    assert newest.headers["cache-control"] == "no-cache"
    assert newest.json["step"] == 25
    await ask(app, trainer.run, at(question, "step=20&attempt=2"), 404)
    refused = await ask(app, trainer.run, at(question, "attempt=1"), 422)
    assert "needs a step" in refused.json["detail"]


async def test_a_step_that_was_not_kept_is_answered_by_the_one_before(app: FastAPI, tmp_path: Path) -> None:
    sparse = FakeTrainer(make_run(RunStore(tmp_path)), rows=False).begin().train(15)
    found = await ask(app, sparse.run, "lengths?step=14&attempt=1")
    assert (found.json["step"], found.json["exact"]) == (10, False)
    assert found.headers["cache-control"] == "no-cache"
    sparse.crash()


async def test_a_new_attempt_has_other_answers(app: FastAPI, trainer: FakeTrainer) -> None:
    before = await ask(app, trainer.run, "lengths?step=20&attempt=1")
    trainer.start_attempt_after(15).train(10)
    await ask(app, trainer.run, "lengths?step=20&attempt=1", 409)
    after = await ask(app, trainer.run, "lengths?step=20&attempt=2")
    assert after.headers["etag"] != before.headers["etag"]
    assert after.json["lengths"] != before.json["lengths"]
    kept = await ask(app, trainer.run, "lengths?step=12&attempt=1")
    assert kept.json["attempt"] == 1


async def test_relations_are_scored_once_for_concurrent_requests(
    app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def counted(*given: Any) -> AnalogyShares:
        made.append(1)
        return analogy_shares(*given)

    monkeypatch.setattr("lamplighter.serving.routes.geometry_space.analogy_shares", counted)
    answers = await asyncio.gather(*(ask(app, trainer.run, "relations?step=20") for _ in range(8)))
    assert len({answer.body for answer in answers}) == 1
    assert len(made) == len(trainer.run.vocabulary.relations)


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("analogy?a=1&b=2&c=99", 404, "no token 99"),
        ("axis?from=1,x&to=3", 422, "from=3,17,99"),
        ("axis?from=1&to=3,3", 422, "to: token 3 is named twice"),
        ("axis?from=1&to=77", 404, "no token 77"),
        ("ranks?pairs=1-1", 422, "two different ones"),
        ("ranks?pairs=1,2", 422, "pairs=3-17,5-99"),
        (f"ranks?pairs={','.join(['1-2'] * 17)}", 422, "at most 16 pairs"),
        ("ranks/curves?pairs=1-99", 404, "no token 99"),
        (f"ranks?pairs={quote('../../etc/passwd')}", 422, "pairs=3-17,5-99"),
        ("odd-one-out?attempt=9&step=20", 404, "attempt 9"),
    ],
)
async def test_refusals_say_what_to_do(
    app: FastAPI, trainer: FakeTrainer, path: str, status: int, says: str
) -> None:
    refused = await ask(app, trainer.run, path, status)
    assert says in refused.body.decode()


async def test_too_much_work_is_refused(
    app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lamplighter.serving.reading.geometry_question.MAX_WORK", 1_000)
    for question in (
        "relations",
        "cooccurrence",
        "ranks/curves?pairs=1-2",
        "odd-one-out",
    ):
        refused = await ask(app, trainer.run, question, 422)
        assert "lamplighter.open" in refused.json["detail"]


async def test_very_many_pairs_are_too_much_work_too(
    app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Enough for the analogies of both relations alone.
    enough = 3 * 2 * 1_000 * V * trainer.run.recipe.model.dim
    monkeypatch.setattr("lamplighter.serving.reading.geometry_question.MAX_WORK", enough)
    refused = await ask(app, trainer.run, "relations", 422)
    assert "11 pairs" in refused.json["detail"]


async def test_measures_say_how_far_they_are_filled(app: FastAPI, trainer: FakeTrainer) -> None:
    path = f"/api/runs/{trainer.run.id}/measures"
    assert (await call(app, "GET", path)).json == {"filling": None, "items": []}
    trainer.end()
    assert (await call(app, "GET", path)).json["filling"] == {"filled": 0, "of": 4}
    write_measures(trainer.run)
    assert (await call(app, "GET", path)).json["filling"] == {"filled": 4, "of": 4}


P = 11


async def ask_of_fourier(run: RunFolder, query: str) -> Answer:
    app = create_app(ServerSettings(run.path.parent, port=PORT, roles=()))
    return await call(app, "GET", f"/api/runs/{run.id}/geometry/fourier?{query}", headers={"host": HOST})


async def test_shares_and_places_are_those_of_the_rows(tmp_path: Path) -> None:
    fields = {"corpus": {"kind": "modular", "modulus": P}, "model": {"dim": 8, "heads": 2}}
    rest = {"sequences": 16, "cadence": {"keyframe_every": 2}, "steps": 4}
    run = RunStore(tmp_path).create(Recipe.model_validate(fields | rest))
    train(run)
    with MatrixHistory(run) as history:
        rows = history.snapshot(2).vectors[[run.vocabulary.tokens.index(str(a)) for a in range(P)]]
    answer = (await ask_of_fourier(run, "step=2")).json
    power = (np.abs(np.fft.fft(rows - rows.mean(axis=0), axis=0)) ** 2).sum(axis=1)
    shares = [(power[k] + power[P - k]) / power.sum() for k in range(1, P // 2 + 1)]
    assert answer["shares"] == pytest.approx(shares, rel=1e-4)
    strongest = [plane["frequency"] for plane in answer["planes"]]
    assert strongest == (1 + np.argsort(shares)[:-3:-1]).tolist()
    for plane in answer["planes"]:
        variance = np.var(plane["coordinates"], axis=0).sum() / np.var(rows, axis=0).sum()
        assert plane["variance"] == pytest.approx(variance, rel=1e-4)
    assert answer["chance"]["largest_share"] > 1 / (P // 2)
    asked = (await ask_of_fourier(run, "frequency=3")).json
    assert [plane["frequency"] for plane in asked["planes"]] == [3]
    refused = await ask_of_fourier(run, "frequency=6")
    assert refused.status == 422
    assert "frequencies 1 to 5" in refused.json["detail"]
