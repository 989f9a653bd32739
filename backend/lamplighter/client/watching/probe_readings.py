"""The probes of a watched training: their hidden states are read between two steps, and recorded as a run beside it."""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lamplighter.client.errors import InputError
from lamplighter.client.probing.probe_set import (
    Layers,
    ProbedSentence,
    ProbeRecord,
    Probes,
    ProbeSet,
    read_sentences,
    spread_layers,
)
from lamplighter.client.recording.record_warnings import describe_error, print_notice, warn
from lamplighter.client.sources.tokeniser_files import is_tokeniser
from lamplighter.client.watching.batch_tally import tensors_in
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.wire.vocabulary import Vocabulary

Tokens = list[tuple[int, int, int]]
"""The id of each token, and where it is in the text; the same place twice for one that is not in it."""


def encode_sentence(
    sentence: ProbedSentence, tokenizer: Any, vocabulary: Vocabulary
) -> tuple[list[int], int]:
    """Return the ids of a sentence, and the position of the last token of its word. Raises InputError if it
    cannot be split.

    Without a tokenizer that splits texts, they are split at spaces into tokens of the vocabulary or, if it
    has single letters, into letters.
    """
    if is_tokeniser(tokenizer):
        tokens = _split_by_tokeniser(sentence.text, tokenizer)
    else:
        tokens = _split_by_tokens(
            sentence.text, {token: number for number, token in enumerate(vocabulary.tokens)}
        )
    inside = [
        at
        for at, (_, start, end) in enumerate(tokens)
        if start < sentence.end and end > max(start, sentence.start)
    ]
    if not inside:
        raise InputError(f"probes: no token of {sentence.text[:80]!r} is of the word {sentence.word!r}")
    return [token for token, _, _ in tokens], inside[-1]


def _split_by_tokeniser(text: str, tokenizer: Any) -> Tokens:
    if callable(getattr(tokenizer, "decode_with_offsets", None)):
        ids = list(tokenizer.encode(text, disallowed_special=()))
        starts = [*tokenizer.decode_with_offsets(ids)[1], len(text)]
        return list(zip(ids, starts, starts[1:], strict=False))
    try:
        if callable(tokenizer):
            found: Any = tokenizer(text, return_offsets_mapping=True)
            ids, offsets = found["input_ids"], found["offset_mapping"]
        else:
            found = tokenizer.encode(text)
            ids, offsets = found.ids, found.offsets
    except Exception as error:
        raise InputError(
            f"probes: this tokenizer does not tell where its tokens are in a text ({error})"
        ) from error
    return [(token, start, end) for token, (start, end) in zip(ids, offsets, strict=True)]


def _split_by_tokens(text: str, id_of: Mapping[str, int]) -> Tokens:
    words = list(re.finditer(r"\S+", text))
    for parts in (words, list(re.finditer(r".", text, re.DOTALL))):
        if parts and all(part[0] in id_of for part in parts):
            return [(id_of[part[0]], part.start(), part.end()) for part in parts]
    unknown = next((word[0] for word in words if word[0] not in id_of), text)
    raise InputError(f"probes: the vocabulary has no token {unknown[:40]!r}")


@contextmanager
def undisturbed(model: nn.Module) -> Generator[None]:
    """Lend a model in eval mode, without gradients. Afterwards its mode, its buffers and all random numbers are as before.

    Submodules are set to eval mode one by one, because a model's own `train()` may do more.
    """
    modules = list(model.modules())
    modes = [module.training for module in modules]
    buffers = [
        (module, name, buffer, buffer._version, buffer.clone())
        for module in modules
        for name, buffer in module.named_buffers(recurse=False, remove_duplicate=False)
    ]
    numbers, arrays = random.getstate(), np.random.get_state()
    devices = {one.device for one in model.parameters() if one.device.type != "cpu"}
    cuda = sorted(device.index for device in devices if device.type == "cuda")
    try:
        with torch.no_grad(), ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng(cuda))
            # Weights that autocast casts without gradients would stay in its cache, and get none in the training.
            for kind in {"cpu", *(device.type for device in devices)}:
                stack.enter_context(torch.autocast(kind, enabled=False))
            if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
                # Another mode would be compiled as another graph.
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            for module in modules:
                module.training = False
            yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
        for module, name, buffer, version, copy in buffers:
            if getattr(module, name, None) is not buffer:
                setattr(module, name, buffer)
            if buffer._version != version:
                with torch.no_grad():
                    buffer.copy_(copy)
        random.setstate(numbers)
        np.random.set_state(arrays)


SHARE = 0.01
"""Maximum share of the time of a loop that reading takes, at the default pace."""
_GROWTH = 1.05
"""Factor between the numbers of two steps at which probes are read, so that a long training has a few hundred readings."""


class ProbePace:
    """The pace of a loop's probes: at the steps whose number is a multiple of `every`, or for at most `SHARE`
    of the time."""

    def __init__(self, every: int | None, first_step: int) -> None:
        self._every, self._first, self._last = every, first_step, first_step
        self._begun = time.perf_counter()
        self.spent, self.cost = 0.0, 0.0
        """Seconds of all readings since then, and of the last one."""

    def is_due(self, step: int) -> bool:
        if self._every is not None:
            return step // self._every > self._last // self._every
        if step - self._first < _GROWTH * (self._last - self._first):
            return False
        # One more is kept for the last step.
        return self.spent + 2 * self.cost <= SHARE * (time.perf_counter() - self._begun)

    def note_reading(self, step: int, seconds: float) -> None:
        self._last, self.cost = step, seconds
        self.spent += seconds


_GIVE = "give a function that returns the hidden states: probes=lambda model: ..."


def find_blocks(model: nn.Module) -> list[str]:
    """Return the names of a model's blocks: the longest list of modules of one class that is in no other such
    list. Raises InputError if it has none."""
    found: list[list[str]] = []
    inside: tuple[str, ...] = ()
    for name, module in model.named_modules():
        equal = isinstance(module, nn.ModuleList | nn.Sequential) and len({type(one) for one in module}) == 1
        if equal and not name.startswith(inside):
            found.append([f"{name}.{number}".lstrip(".") for number, _ in module.named_children()])
            inside = (*inside, f"{name}.")
    if not found:
        raise InputError(f"probes: {type(model).__name__} has no list of equal blocks: {_GIVE}")
    return max(found, key=len)


def read_blocks(
    model: nn.Module,
    names: Sequence[str],
    sequences: Sequence[tuple[Sequence[int], int]],
    device: torch.device,
) -> Layers:
    """Return the hidden states of R sequences, each (R, D): layer 0 before the first block, layer n after the
    nth.

    `model` takes ids of shape (B, T) as its only argument; `sequences`: the ids of each, and the position
    that is read. Raises InputError if the states have no usual shape.
    """
    blocks = [model.get_submodule(name) for name in names]
    wanted = spread_layers(len(blocks) + 1)
    layers: dict[int, list[Any]] = {number: [None] * len(sequences) for number in wanted}
    # Sequences of one length are read together, so none is padded.
    for length in sorted({len(ids) for ids, _ in sequences}):
        chosen = [number for number, (ids, _) in enumerate(sequences) if len(ids) == length]
        ids = torch.tensor([list(sequences[number][0]) for number in chosen], device=device)
        states = _run(model, blocks, wanted, ids)
        # On the processor, because the layers may be on several devices.
        positions = torch.tensor([sequences[number][1] for number in chosen])
        for layer in wanted:
            read = _rows(states.get(layer), ids)[torch.arange(len(chosen)), positions]
            for number, row in zip(chosen, read.float().cpu().numpy(), strict=True):
                layers[layer][number] = row
    return {f"layer {layer}": np.stack(rows) for layer, rows in layers.items()}


def _run(model: nn.Module, blocks: Sequence[nn.Module], wanted: Sequence[int], ids: Tensor) -> dict[int, Any]:
    found: dict[int, Any] = {}

    def keep_input(_module: nn.Module, args: Any, kwargs: Any) -> None:
        found[0] = next(iter([*tensors_in(args), *tensors_in(kwargs)]), None)

    def keep_output(layer: int, _module: nn.Module, _args: Any, output: Any) -> None:
        found[layer] = next(iter(tensors_in(output)), None)

    # They are on the modules only for this pass.
    handles = [blocks[0].register_forward_pre_hook(keep_input, with_kwargs=True)]
    handles += [
        blocks[layer - 1].register_forward_hook(partial(keep_output, layer)) for layer in wanted if layer > 0
    ]
    try:
        model(ids)
    except TypeError as error:
        raise InputError(
            f"probes: {type(model).__name__} does not take ids alone ({error}): {_GIVE}"
        ) from error
    finally:
        for handle in handles:
            handle.remove()
    return found


def _rows(state: Any, ids: Tensor) -> Tensor:
    """Return a block's hidden states as (B, T, D)."""
    if not isinstance(state, Tensor) or state.ndim != 3:
        shape = tuple(getattr(state, "shape", ()))
        raise InputError(f"probes: a block has the shape {shape}, not (sequences, tokens, width): {_GIVE}")
    if state.shape[:2] == ids.shape:
        return state
    if state.shape[:2] == ids.shape[::-1]:
        return state.transpose(0, 1)
    raise InputError(
        f"probes: a block has the shape {tuple(state.shape)} for ids of {tuple(ids.shape)}: {_GIVE}"
    )


_MAX_LAYER_NAME = 40
Read = Callable[[nn.Module], Layers]


class PlannedProbes:
    """The probes that a loop asks for, checked before it is watched: sentences as for `read_sentences`, a
    function of the model, or `Probes`. `vocabulary` names the table's rows."""

    def __init__(
        self, given: Any, tokenizer: Any, vocabulary: Vocabulary, model: nn.Module, device: torch.device
    ) -> None:
        self._asked = Probes(given) if callable(given) else given if isinstance(given, Probes) else None
        self._set: ProbeSet | None = None
        if self._asked is not None:
            self._read: Read = _reader(self._asked.read)
            return
        sentences = read_sentences(given)
        if not sentences or tokenizer is None:
            raise InputError("probes: give at least one sentence, and a tokenizer that splits it")
        sequences = [encode_sentence(one, tokenizer, vocabulary) for one in sentences]
        self._set = ProbeSet.of_sentences(sentences)
        # By name, because the model may be freed: it is not kept here.
        names = find_blocks(model)
        self._read = lambda lent: read_blocks(lent, names, sequences, device)

    def read_states(self, model: nn.Module) -> Layers:
        """Return the hidden states of the probes by layer, (R, D) each; the model stays as it is."""
        with undisturbed(model):
            return self._read(model)

    def name_probes(self, layers: Layers) -> ProbeSet:
        rows = len(next(iter(layers.values())))
        return self._set or ProbeSet.of_matrix(rows, self._asked or Probes(self._read))


class ProbeReadings:
    """The readings of a watched training, as a `ProbePace` of `every` has it.

    An error ends them with one warning, or is raised in the loop (`raises`); neither the training nor its
    record ends.
    """

    def __init__(self, planned: PlannedProbes, every: int | None, *, raises: bool) -> None:
        self._planned, self._every, self._raises = planned, every, raises
        self._record: ProbeRecord | None = None
        self._last, self._ended = 0, False
        self.readings = 0
        """Number of readings after the first step began."""

    def begin_reading(self, run: RunFolder | None, model: nn.Module, step: int) -> None:
        """Read the probes before the first step, and begin their record beside a run."""

        def begin() -> None:
            if run is None:
                raise InputError("the training itself is not recorded")
            layers = self._planned.read_states(model)
            self._record = ProbeRecord(run, self._planned.name_probes(layers), step, layers)
            self._last = step
            # The first pass takes longer than later ones, and no training waited for it.
            begun = time.perf_counter()
            self._planned.read_states(model)
            self._pace.cost = time.perf_counter() - begun
            print_notice(f"probes: their hidden states are recorded in {self._record.folder}")

        self._pace = ProbePace(self._every, step)
        self._guard(begin)

    def read_if_due(self, model: nn.Module | None, step: int, *, last: bool = False) -> None:
        """Read the probes of a model, if it is not gone, after a step, if it is time; in any case after the
        last one."""
        record = self._record
        if self._ended or record is None or model is None or step <= self._last:
            return
        if not last and not self._pace.is_due(step):
            return

        def read() -> None:
            begun = time.perf_counter()
            record.add_step(step, self._planned.read_states(model))
            self._last = step
            self.readings += 1
            self._pace.note_reading(step, time.perf_counter() - begun)

        self._guard(read)

    def close(self) -> None:
        record, self._record = self._record, None
        if record is not None:
            self._guard(record.close)

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self._ended = True
            if self._raises:
                raise
            warn(f"the probes are read no more: {describe_error(error)}. Training continues")


def _reader(function: Callable[[Any], Any]) -> Read:
    def read(model: nn.Module) -> Layers:
        found = function(model)
        layers = found if isinstance(found, Mapping) else {"": found}
        if not layers or any(not isinstance(name, str) or len(name) > _MAX_LAYER_NAME for name in layers):
            raise InputError("probes: the function must return a matrix, or a mapping of layer to matrix")
        return {name: _to_matrix(matrix) for name, matrix in layers.items()}

    return read


def _to_matrix(matrix: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    values = matrix.detach().float().cpu().numpy() if isinstance(matrix, Tensor) else np.asarray(matrix)
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise InputError(
            f"probes: a matrix with a row for each probe is needed, not one of shape {values.shape}"
        )
    return values.astype(np.float32)
