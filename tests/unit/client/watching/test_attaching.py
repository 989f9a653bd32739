"""Attaching to a model: which embedding it has, how its rows are called, where the run goes, and what is refused."""

from __future__ import annotations

import json
import os
import threading
import warnings
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import nn

import lamplighter
from lamplighter.client.sources.vocabulary_files import name_rows
from lamplighter.client.watching.serving_address import find_server
from tests.unit.client.watching.small_model import TOKENS, D, SmallModel, V, batch, train


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def attach_and_close(*arguments: Any, **options: Any) -> Path:
    """Watch a model for no step at all. Returns the run's folder."""
    watcher = lamplighter.watch(*arguments, **options)
    with pytest.warns(lamplighter.RecordWarning, match="no step was recorded"):
        watcher.close()
    return watcher.folder


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("My_Run", "runs/my-run"),
        ("lr3e-3_v1.2", "runs/lr3e-3-v1-2"),
        (Path("elsewhere") / "scTrue", "elsewhere/sctrue"),
    ],
)
def test_any_name_is_a_folder_and_a_second_run_has_a_number(given: Any, wanted: str, tmp_path: Path):
    for number in ("", "-2"):
        watcher = lamplighter.watch(model := SmallModel(), TOKENS, given)
        train(model, 1)
        watcher.close()
        assert watcher.folder == tmp_path / f"{wanted}{number}"


def test_a_run_without_a_step_leaves_its_name_to_the_next(tmp_path: Path):
    assert attach_and_close(SmallModel(), TOKENS, "mine") == tmp_path / "runs" / "mine"
    assert attach_and_close(SmallModel(), TOKENS, "mine") == tmp_path / "runs" / "mine"
    assert [run.name for run in (tmp_path / "runs" / ".trash").iterdir()] == ["mine"]
    # One that is being recorded stays, and so does one of another kind.
    watcher = lamplighter.watch(first := SmallModel(), TOKENS, "mine")
    assert attach_and_close(SmallModel(), TOKENS, "mine") == tmp_path / "runs" / "mine-2"
    train(first, 1)
    watcher.close()
    lamplighter.still(tmp_path / "runs" / "still", first.wte.weight, TOKENS)
    assert attach_and_close(SmallModel(), TOKENS, "still") == tmp_path / "runs" / "still-2"


def test_without_a_name_the_models_is_taken_and_the_address_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = attach_and_close(SmallModel())
    assert path.parent == tmp_path / "runs"
    assert path.name.startswith("smallmodel-2")
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert f"lamplighter --runs {tmp_path / 'runs'}" in said
    assert "the embedding is wte, 40 x 8" in said
    assert lamplighter.open(path).tokens[:3] == ("0", "1", "2")


def test_no_server_answers_for_another_run_of_the_same_name(tmp_path: Path):
    assert find_server(tmp_path / "mine") is None


@pytest.mark.parametrize("same", [True, False])
def test_a_server_that_has_the_run_is_said_by_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, same: bool
):
    run = attach_and_close(SmallModel(), folder="mine")
    created = (run / "recipe.json").stat().st_mtime + (0 if same else 1)

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/api/runs/mine"
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps({"id": "mine", "created": created}).encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr("lamplighter.client.watching.serving_address.LOCAL_ADDRESS", address)
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        said = find_server(run)
        answering.join()
    assert said == (f"{address}/?run=mine" if same else None)


class TwoTables(nn.Module):
    def __init__(self, users: int = 10) -> None:
        super().__init__()
        self.words, self.users = nn.Embedding(10, 4), nn.Embedding(users, 4)


def test_the_largest_embedding_is_taken_unless_there_are_two(tmp_path: Path):
    with pytest.raises(lamplighter.InputError, match=r"embedding='words'.*users"):
        lamplighter.watch(TwoTables(), folder="mine")
    assert not (tmp_path / "runs").exists()
    assert len(lamplighter.open(attach_and_close(TwoTables(users=12), folder="mine")).tokens) == 12
    assert attach_and_close(TwoTables(), folder="mine", embedding="words").exists()
    model = TwoTables()
    assert attach_and_close(model, folder="mine", embedding=model.words).exists()


class Choosing(TwoTables):
    def get_input_embeddings(self) -> nn.Module:
        return self.words


def test_the_models_own_choice_wins():
    assert len(lamplighter.open(attach_and_close(Choosing(users=12))).tokens) == 10


@pytest.mark.parametrize(
    ("model", "options", "why"),
    [
        (object(), {}, "torch.nn.Module is needed"),
        (nn.Linear(2, 2), {}, "no nn.Embedding"),
        (SmallModel().requires_grad_(False), {}, "frozen"),
        (SmallModel(), {"embedding": "nowhere"}, r"no matrix 'nowhere'.*wte \(40 x 8\)"),
        (SmallModel(), {"embedding": nn.Embedding(3, 3)}, "not in the model"),
        (SmallModel(), {"gradient": "raw"}, "before_clipping"),
        (SmallModel(), {"on_error": "ignore"}, "on_error"),
        (SmallModel(), {"every": 0}, "every"),
        (SmallModel(), {"tokenizer": [*TOKENS, "more"]}, "41 tokens, but the embedding has 40"),
        (SmallModel(), {"tokenizer": 7}, "transformers, tokenizers or tiktoken"),
        (type("DeepSpeedEngine", (nn.Module,), {})(), {}, "DeepSpeed"),
        (type("FullyShardedDataParallel", (nn.Module,), {})(), {}, "FSDP"),
    ],
)
def test_an_unwatchable_training_is_reported_and_leaves_nothing(
    model: Any, options: Any, why: str, tmp_path: Path
):
    with pytest.raises(lamplighter.InputError, match=why):
        lamplighter.watch(model, folder="mine", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_meta_weight_and_a_parametrized_one_are_refused():
    with torch.device("meta"):
        model = SmallModel()
    with pytest.raises(lamplighter.InputError, match="no values yet"):
        lamplighter.watch(model)
    model = SmallModel(tied=False)
    nn.utils.parametrizations.weight_norm(model.wte)
    with pytest.raises(lamplighter.InputError, match="parametrization"):
        lamplighter.watch(model)


def test_byte_level_tokens_are_read_as_text_and_padding_is_named():
    vocabulary = {"Ġof": 0, "of": 1, "Ã©": 2, "<pad>": 3}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.decoder = decoders.ByteLevel()  # pyright: ignore[reportAttributeAccessIssue]
    named = (" of", "of", "é", "<pad>", "(unused 4)", "(unused 5)")
    assert name_rows(tokenizer, 6).tokens == named


class Tiktoken:
    n_vocab = 4

    def decode_single_token_bytes(self, number: int) -> bytes:
        return {0: b" of", 1: b"of", 3: b"\xe2\x80"}[number]


def test_other_tokenisers_name_their_rows(tmp_path: Path):
    assert name_rows(Tiktoken(), 5).tokens == (" of", "of", "(unused 2)", "⟨e2⟩⟨80⟩", "(unused 4)")
    assert name_rows({"b": 1, "a": 0, "c": 2}, 3).tokens == ("a", "b", "c")
    (tmp_path / "words.txt").write_text("x\ny\nz\n")
    assert name_rows(tmp_path / "words.txt", 4).tokens == ("x", "y", "z", "(unused 3)")


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # Of dynamo itself.
def test_a_previously_compiled_model_reports_unknown_ids():
    model = SmallModel()
    compiled = torch.compile(model, backend="eager")
    ids = batch()
    compiled(ids, ids)
    watcher = lamplighter.watch(compiled, TOKENS, "late", on_error="raise")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    compiled(ids, ids)[1].backward()
    optimizer.step()
    with pytest.warns(lamplighter.RecordWarning, match=r"before its first forward pass.*_dynamo\.reset"):
        watcher.close()
    pulse = next(lamplighter.open(watcher.folder).steps())
    assert pulse.gradient_known
    assert not pulse.batch_known
    torch._dynamo.reset()
    watcher = lamplighter.watch(compiled, TOKENS, "again", on_error="raise")
    with torch._dynamo.config.patch(error_on_recompile=True):
        for _ in range(10):
            optimizer.zero_grad()
            (compiled(ids, ids)[1] / 2).backward()
            (compiled(ids, ids)[1] / 2).backward()
            optimizer.step()
    watcher.close()
    pulses = list(lamplighter.open(watcher.folder).steps())
    assert [int(pulse.batch_counts.sum()) for pulse in pulses] == [2 * ids.numel()] * 10
    assert pulses[0].loss > pulses[-1].loss > 0


def test_a_program_that_forks_writes_in_its_own_process_alone():
    model = SmallModel()
    watcher = lamplighter.watch(model, TOKENS, "mine", on_error="raise")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def step() -> None:
        ids = torch.arange(V).reshape(2, -1)
        model(ids, ids)[1].backward()
        optimizer.step()
        optimizer.zero_grad()

    step()
    with warnings.catch_warnings():
        # Python warns of threads, which a child that leaves at once does not need.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            watcher.log(loss=1)
            watcher.close()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    step()
    watcher.close()
    assert lamplighter.open(watcher.folder).status.step == 2


def test_a_matrix_whose_columns_are_the_tokens_is_refused():
    model = SmallModel(tied=False)
    model.W_U = nn.Parameter(torch.randn(D, V))  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(lamplighter.InputError, match="its columns are the 40 tokens"):
        lamplighter.watch(model, TOKENS, embedding="W_U")
    with pytest.raises(lamplighter.InputError, match="not a parameter of the model"):
        lamplighter.watch(model, TOKENS, embedding=torch.ones(V, D))


def test_before_clipping_is_refused_with_a_scaler(watched: Any):
    model = SmallModel()
    optimizer = torch.optim.AdamW(model.parameters())
    scaler = torch.amp.GradScaler("cpu")
    watched(model, gradient="before_clipping")
    ids = batch()
    scaler.scale(model(ids, ids)[1]).backward()
    with pytest.raises(lamplighter.InputError, match="is impossible with a GradScaler"):
        scaler.step(optimizer)


def test_steps_have_the_numbers_of_their_own_loop(watched: Any, tmp_path: Path):
    model = SmallModel()
    with watched(model, first_step=100, every=10):
        train(model, 25)
    run = lamplighter.open(tmp_path / "mine")
    assert [run.step_number(step) for step in range(3)] == [100, 110, 120]
    with lamplighter.watch(model, TOKENS, tmp_path / "given", on_error="raise") as watcher:
        for number in (7, 9):
            watcher.next_step = number
            train(model, 1)
    run = lamplighter.open(tmp_path / "given")
    assert [run.step_number(step) for step in (1, 2)] == [7, 9]
