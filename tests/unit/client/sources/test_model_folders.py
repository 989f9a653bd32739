"""Folders that `save_pretrained` writes: whole, in shards, padded, in a cache, and hostile.

The displayed tokens of tokenisers.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

import lamplighter
from lamplighter.client.sources.embeddings import find_embedding
from lamplighter.client.sources.tokeniser_files import decode_byte_level, parse_tokeniser
from lamplighter.client.sources.vocabulary_files import make_vocabulary, read_vocabulary

RANDOM = np.random.default_rng(1)
PIECES = ["<|endoftext|>", "a", "Ġof", "Ġthe", "âĢ", "of"]
TOKENS = ["<|endoftext|>", "a", " of", " the", "⟨e2⟩⟨80⟩", "of", "[PAD]"]


def matrix(rows: int, dim: int = 4) -> np.ndarray[Any, np.dtype[np.float32]]:
    return RANDOM.normal(size=(rows, dim)).astype(np.float32)


def write_tokeniser(folder: Path) -> None:
    tokeniser = Tokenizer(models.BPE({piece: at for at, piece in enumerate(PIECES)}, []))
    tokeniser.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # pyright: ignore[reportAttributeAccessIssue]
    tokeniser.decoder = decoders.ByteLevel()  # pyright: ignore[reportAttributeAccessIssue]
    tokeniser.add_tokens(["[PAD]"])
    tokeniser.save(str(folder / "tokenizer.json"))


def gpt2_like(rows: int) -> dict[str, np.ndarray[Any, Any]]:
    return {
        "transformer.h.0.attn.c_attn.weight": matrix(rows, 12),
        "transformer.wpe.weight": matrix(rows),
        "transformer.wte.weight": matrix(rows),
        "transformer.ln_f.bias": matrix(1)[0],
    }


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny gpt2"
    folder.mkdir()
    write_tokeniser(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2", "vocab_size": 9}))
    return folder


def test_a_padded_model_folder_becomes_a_run(model: Path, tmp_path: Path) -> None:
    tensors = gpt2_like(9)
    save_file(tensors, model / "model.safetensors")
    run = lamplighter.still(tmp_path / "runs" / "My_Run", model)
    assert run.id == "my-run"
    assert list(run.tokens) == [*TOKENS, "(unused 7)", "(unused 8)"]
    assert run.snapshot(0).tobytes() == tensors["transformer.wte.weight"].tobytes()
    assert "transformer.wte.weight of model.safetensors in tiny gpt2" in run.status.message


def test_the_vocabulary_beside_a_file_is_its_own(model: Path) -> None:
    save_file(gpt2_like(7), model / "model.safetensors")
    assert list(find_embedding(model / "model.safetensors").vocabulary.tokens) == TOKENS


def test_files_of_before_tokenizer_json(model: Path) -> None:
    (model / "tokenizer.json").unlink()
    (model / "vocab.json").write_text(json.dumps({piece: at for at, piece in enumerate(PIECES)}))
    save_file(gpt2_like(6), model / "model.safetensors")
    assert find_embedding(model).vocabulary.tokens[2] == "Ġof"
    (model / "merges.txt").write_text("#version: 0.2\n")
    assert list(find_embedding(model).vocabulary.tokens) == TOKENS[:6]


def test_a_tensor_is_chosen_by_name_or_asked_for(model: Path) -> None:
    tensors = gpt2_like(9)
    save_file(tensors, model / "model.safetensors")
    for name in ("wpe", "wpe.weight", "transformer.wpe.weight"):
        assert (
            find_embedding(model, tensor=name).vectors[:].tobytes()
            == tensors["transformer.wpe.weight"].tobytes()
        )
    with pytest.raises(
        lamplighter.InputError, match=r"no tensor 'lm_head'; there are transformer\.wte\.weight, "
    ):
        find_embedding(model, tensor="lm_head")
    shared = {"shared.weight": matrix(9), "encoder.embed_tokens.weight": matrix(9)}
    save_file(shared, model / "model.safetensors")
    assert find_embedding(model).tensor == "shared.weight"
    two = {"encoder.embed_tokens.weight": matrix(9), "decoder.embed_tokens.weight": matrix(9)}
    save_file(two, model / "model.safetensors")
    with pytest.raises(lamplighter.InputError, match=r"name one: .*decoder\.embed_tokens"):
        find_embedding(model)


def write_shards(model: Path, tensors: dict[str, np.ndarray[Any, Any]]) -> dict[str, str]:
    where: dict[str, str] = {}
    for number, (name, tensor) in enumerate(tensors.items(), start=1):
        where[name] = f"model-{number:05d}-of-{len(tensors):05d}.safetensors"
        save_file({name: tensor}, model / where[name])
    (model / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    return where


def test_shards_are_read_by_their_index(model: Path) -> None:
    tensors = gpt2_like(9)
    where = write_shards(model, tensors)
    (model / where["transformer.ln_f.bias"]).unlink()  # As after a partial download.
    for source in (model, model / "model.safetensors.index.json"):
        assert find_embedding(source).vectors[:].tobytes() == tensors["transformer.wte.weight"].tobytes()


@pytest.mark.parametrize(
    ("shard", "what"),
    [
        ("../secret.safetensors", "outside this folder"),
        ("/etc/passwd", "outside this folder"),
        ("..\\secret.safetensors", "not the name of a file"),
        ("link.safetensors", "a link to a file outside"),
        ("loop.safetensors", "cannot be read"),
        ("none.safetensors", "No such file"),
        ("deep", "not a plain file"),
        (7, "not the name of a file"),
        (None, "not the name of a file"),
        ("pytorch_model.bin", "pickle can run code"),
    ],
)
def test_an_index_leads_nowhere_else(shard: object, what: str, model: Path) -> None:
    save_file({"wte.weight": matrix(9)}, model.parent / "secret.safetensors")
    (model / "link.safetensors").symlink_to(model.parent / "secret.safetensors")
    (model / "loop.safetensors").symlink_to(model / "loop.safetensors")
    (model / "deep").mkdir()
    (model / "pytorch_model.bin").write_bytes(pickle.dumps({}))
    index = {"weight_map": {"wte.weight": shard}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(lamplighter.InputError, match=what):
        find_embedding(model)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"weight_map": []}', "[" * 100_000, '{"weight_map": 3}'])
def test_rejects_invalid_index(text: str, model: Path) -> None:
    (model / "model.safetensors.index.json").write_text(text)
    with pytest.raises(lamplighter.InputError, match="not an index"):
        find_embedding(model)


def test_no_link_leads_out_of_a_folder_but_in_the_cache(model: Path, tmp_path: Path) -> None:
    blobs = tmp_path / "models--org--tiny" / "blobs"
    snapshot = blobs.parent / "snapshots" / "0123abc"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    save_file(gpt2_like(9), blobs / "aa")
    (model / "tokenizer.json").rename(blobs / "bb")
    for name, blob in (("model.safetensors", "aa"), ("tokenizer.json", "bb")):
        (snapshot / name).symlink_to(Path("../../blobs") / blob)
        (model / name).symlink_to(blobs / blob)
    assert len(find_embedding(snapshot).vocabulary) == 9
    with pytest.raises(lamplighter.InputError, match="a link to a file outside this folder"):
        find_embedding(model)


def test_folders_without_a_readable_model_say_what_to_do(model: Path) -> None:
    with pytest.raises(lamplighter.InputError, match="a folder without model"):
        find_embedding(model)
    (model / "pytorch_model.bin").write_bytes(b"PK\x03\x04")
    with pytest.raises(lamplighter.InputError, match=r"pickle can run code .*save_pretrained"):
        find_embedding(model)
    for name in ("a.safetensors", "b.safetensors"):
        save_file(gpt2_like(9), model / name)
    with pytest.raises(lamplighter.InputError, match=r"name one of a\.safetensors, b\."):
        find_embedding(model)


BYTES = {"decoder": {"type": "ByteLevel"}}


def tokens_of(vocab: Any, **rest: Any) -> list[str]:
    return parse_tokeniser({"model": {"vocab": vocab}, **rest}, "tokenizer.json")


def test_each_kind_is_shown_as_people_read_it() -> None:
    assert tokens_of({"Ġof": 0, "of": 1, "Ċ": 2}, **BYTES) == [" of", "of", "\n"]
    nested = {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}]}}
    assert tokens_of({"Ġof": 0, "of": 1}, **nested) == [" of", "of"]
    assert tokens_of({"play": 0, "##ing": 1}, decoder={"type": "WordPiece"}) == ["play", "##ing"]
    assert tokens_of({"Ġof": 0}) == ["Ġof"]
    pieces = [["<unk>", 0], ["\u2581of", -1.5], ["of", -2.5]]
    assert tokens_of(pieces, decoder={"type": "Metaspace"}) == ["<unk>", " of", "of"]
    replace = {
        "type": "Sequence",
        "decoders": [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}],
    }
    assert tokens_of({"\u2581of": 0}, decoder=replace) == [" of"]


def test_added_tokens_and_gaps_have_their_ids() -> None:
    added = [{"id": 3, "content": "Ġ[PAD]"}, {"id": 0, "content": "a"}]
    assert tokens_of({"a": 0, "b": 1}, added_tokens=added, **BYTES) == ["a", "b", "(unused 2)", "Ġ[PAD]"]


def test_tokens_that_would_be_alike_stay_as_they_are() -> None:
    added = [{"id": 2, "content": " of"}]
    assert tokens_of({"Ġof": 0, "of": 1}, added_tokens=added, **BYTES) == ["Ġof", "of", " of"]


@given(st.lists(st.text("aĠâĢĊÂ§ é of", max_size=4), unique=True, max_size=20))
def test_distinct_pieces_are_shown_distinct(pieces: list[str]) -> None:
    assert len(set(decode_byte_level(pieces))) == len(pieces)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ({"model": {}}, "no vocabulary"),
        ({"model": {"vocab": {}}}, "no tokens"),
        ({"model": {"vocab": {"a": 1 << 40}}}, "at most"),
        ({"model": {"vocab": {"a": -1}}}, "too small"),
        ({"model": {"vocab": {"a": 1, "b": 1}}}, "two tokens have the id 1"),
        ({"model": {"vocab": [["a"], 3]}}, "not pairs"),
        ({"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 1}]}, "no text"),
        ({"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": "x", "content": "b"}]}, "not a whole number"),
    ],
)
def test_hostile_tokenisers(data: Any, what: str, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(data))
    with pytest.raises(lamplighter.InputError, match=what):
        read_vocabulary(path)


class _Slow:
    def get_vocab(self) -> dict[str, int]:
        return {"a": 0, "b": 1, "c": 3}


def test_a_tokeniser_in_memory_is_a_vocabulary() -> None:
    fast = Tokenizer(models.WordLevel({"a": 0, "b": 1, "c": 2}, unk_token="a"))
    fast.add_tokens(["[PAD]"])
    wrapped = type("Fast", (), {"backend_tokenizer": fast, "get_vocab": fast.get_vocab})()
    for tokeniser, tokens in ((fast, "[PAD]"), (wrapped, "[PAD]"), (_Slow(), "c")):
        assert make_vocabulary(tokeniser).tokens[3] == tokens
    assert make_vocabulary(_Slow()).tokens[2] == "(unused 2)"
    for wrong in (7, "abc"):
        with pytest.raises(lamplighter.InputError, match="a list of tokens is needed"):
            make_vocabulary(wrong)  # pyright: ignore[reportArgumentType]
