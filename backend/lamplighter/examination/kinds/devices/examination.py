"""The examination of the kind *devices*."""

from __future__ import annotations

import copy
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from safetensors.torch import load_file, save_file

from lamplighter.contract.answers import DevicesAnswer
from lamplighter.contract.answers.training import ExchangeSeconds, MeasuredExchange, SentBytes
from lamplighter.contract.questions import DevicesQuestion, QuestionError
from lamplighter.contract.reason import Reason, give_reason
from lamplighter.contract.sentences import say
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress, UnanswerableError
from lamplighter.examination.kinds.devices.rank import (
    JOB,
    LOOPBACK,
    TIMEOUT_SECONDS,
    WEIGHTS,
    gradients_file,
    result_file,
)
from lamplighter.examination.kinds.devices.shared_step import (
    PROCESSES,
    Gradients,
    compute_gradients,
    part_of_batch,
    row_bytes,
    whole_bytes,
)
from lamplighter.examination.readings import round_known, rounded
from lamplighter.processes.child_job import ChildJob, ChildMessage

MAX_PARAMETERS = 100_000_000
"""Maximum parameters of a model that is copied into other processes."""
_TABLE = "embedding.weight"
_POLL_SECONDS = 0.05
_ENDING_SECONDS = 5.0


def examine(model: ExaminedModel, question: DevicesQuestion, report: ReportProgress) -> DevicesAnswer:
    """Return what two processes of this machine exchange in one training step, by formula and measured. They
    share the step after the model's: each reads every other sequence of its batch.
    """
    recipe = model.run.recipe
    if recipe.sequences < PROCESSES:
        raise QuestionError("a batch of one sequence cannot be shared by two devices", Reason("batch_of_one"))
    source = model.learner.model
    parameters = sum(parameter.numel() for parameter in source.parameters())
    if parameters > MAX_PARAMETERS:
        raise QuestionError(
            f"a model of {parameters:,} parameters is too large to be copied: at most {MAX_PARAMETERS:,}",
            give_reason("model_too_large", parameters=parameters, most=MAX_PARAMETERS),
        )
    if sys.platform not in LOOPBACK:
        raise QuestionError(
            "two processes can share a step on Linux and macOS only: here they would listen on the network",
            Reason("no_shared_step"),
        )
    if not (torch.distributed.is_available() and torch.distributed.is_gloo_available()):
        raise QuestionError(
            "the torch that is installed here has no gloo, by which processes exchange gradients",
            Reason("no_shared_step"),
        )
    host_ids, ids, targets = model.batches.batch(question.step)
    report(0.05, say("one_process"))
    alone = copy.deepcopy(source).cpu()
    single = compute_gradients(alone, ids.cpu(), targets.cpu(), 1.0)
    table = None if recipe.model.tied else _TABLE
    results, exchanged = _run_processes(model, alone, {"step": question.step, "table": table}, report)
    parts = [part_of_batch(torch.from_numpy(host_ids), rank, PROCESSES) for rank in range(PROCESSES)]
    rows = [len(part.unique()) for part in parts]
    vocabulary, dim = source.embedding.weight.shape
    ways = [way for way in ("dense", "lazy") if way in exchanged]
    by_row = row_bytes(parameters, vocabulary, dim, max(rows))
    sent = {way: max(int(result[way]["bytes"]) for result in results) for way in ways}
    seconds = {way: round_known(max(result[way]["seconds"] for result in results)) for way in ways}
    return DevicesAnswer(
        kind="devices",
        **model.facts(question),
        processes=PROCESSES,
        sequences=[len(part) for part in parts],
        rows=rows,
        rows_together=len(torch.from_numpy(host_ids).unique()),
        parameters=parameters,
        formula=SentBytes(dense_bytes=whole_bytes(parameters), lazy_bytes=None if table is None else by_row),
        measured=MeasuredExchange(
            dense_bytes=sent["dense"],
            lazy_bytes=sent.get("lazy"),
            difference=rounded(max(_largest_difference(single, exchanged[way]) for way in ways)),
            largest=rounded(max(float(gradient.abs().max()) for gradient in single.values())),
            seconds=round_known(max(result["compute_seconds"] for result in results)),
            exchange_seconds=ExchangeSeconds.model_validate(seconds),
        ),
    )


def _run_processes(
    model: ExaminedModel, alone: torch.nn.Module, job: dict[str, Any], report: ReportProgress
) -> tuple[list[dict[str, Any]], dict[str, Gradients]]:
    """Run the shared step. Return each process's measurements, and the gradients by method of exchange."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-devices-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        weights = {name: parameter.detach().contiguous() for name, parameter in alone.named_parameters()}
        save_file(weights, scratch / WEIGHTS)
        (scratch / JOB).write_text(json.dumps(job), encoding="utf-8")
        with ExitStack() as stack:
            processes = [_Process(model.run.path, scratch, rank) for rank in range(PROCESSES)]
            for process in processes:
                stack.callback(process.kill)
            deadline = time.monotonic() + TIMEOUT_SECONDS
            while not all(process.is_done for process in processes):
                for process in processes:
                    process.require_alive()
                if time.monotonic() > deadline:
                    raise UnanswerableError(
                        f"the two processes were not done after {TIMEOUT_SECONDS} seconds: the machine is busy, try again",
                        Reason("processes_failed"),
                    )
                report(0.2, say("two_processes"))
                time.sleep(_POLL_SECONDS)
        results = [
            json.loads((scratch / result_file(rank)).read_text(encoding="utf-8")) for rank in range(PROCESSES)
        ]
        ways = [way for way in ("dense", "lazy") if way in results[0]]
        # Read before the folder is deleted, because safetensors would map the file.
        exchanged = {
            way: {name: tensor.clone() for name, tensor in load_file(scratch / gradients_file(way)).items()}
            for way in ways
        }
    return results, exchanged


class _Process:
    """One of the processes."""

    def __init__(self, run: Path, scratch: Path, rank: int) -> None:
        self._problem: str | None = None
        self._code: int | None = None
        self._job = ChildJob(
            _command(run, scratch, rank), on_message=self._hear, on_end=self._take_end, name="rank"
        )

    @property
    def is_done(self) -> bool:
        return self._code == 0

    def require_alive(self) -> None:
        if self._code:
            raise UnanswerableError(
                f"a process could not share the step: {self._problem or 'it was ended'}",
                Reason("processes_failed"),
            )

    def kill(self) -> None:
        self._job.kill()
        self._job.join(_ENDING_SECONDS)

    def _hear(self, message: ChildMessage) -> None:
        self._problem = message.problem or self._problem

    def _take_end(self, code: int) -> None:
        self._code = code


def _command(run: Path, scratch: Path, rank: int) -> list[str]:
    module = "lamplighter.examination.kinds.devices.rank"
    return [sys.executable, "-m", module, str(run), str(scratch), str(rank)]


def _largest_difference(single: Gradients, exchanged: Gradients) -> float:
    return max(float((gradient - exchanged[name]).abs().max()) for name, gradient in single.items())
