"""A packed run: everything that its page shows without a server, in separately compressed parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamplighter.contract.sentences import say
from lamplighter.exports.output import ExportError, ExportProgress, sub_progress
from lamplighter.packing.compression import deflate
from lamplighter.packing.course import PackedCourse, pack_course
from lamplighter.packing.lights import Lights, pack_lights
from lamplighter.packing.maps import Maps, pack_districts, pack_maps
from lamplighter.packing.nearest import NearestWords, pack_nearest
from lamplighter.packing.run_answers import AnswerError, RunAnswers
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.reading.batch_text import read_batch_text
from lamplighter.wire.layout_frames import Method

FORMAT = 1
_LIGHTS_BYTES, _MAPS_BYTES, _LINEAR_BYTES, _NEAREST_BYTES = 1_050_000, 600_000, 150_000, 1_600_000
_ANSWERS_BYTES = 600_000
"""Maximum uncompressed bytes of stored answers: those that the course uses, then the newest."""
_TOKENS_AT_ONCE = 50_000
_MAX_WORDS = 64
"""Maximum words of the text that a step read."""
_ENDED = ("finished", "stopped", "failed", "interrupted")


@dataclass(frozen=True)
class PackedRun:
    """A run in the form that a page holds."""

    head: dict[str, Any]
    parts: dict[str, bytes]
    """Compressed parts by name."""
    left_out: list[str]
    """Phrases without an initial capital or a full stop."""


def pack_run(run: RunFolder, progress: ExportProgress, lessons: Path | None = None) -> PackedRun:
    """Encode a run, live or finished; a live one up to its newest step. `lessons`: a folder of texts that override the
    course's.

    Raises:
        ExportError: the run has no step or no map yet.
        FormatError: this version cannot read the folder.
    """
    try:
        with StepsReader(run.steps_path) as reader:
            lineage, (_, last) = reader.lineage(), reader.newest_step()
            if last < 1:
                raise FileNotFoundError
            progress(0, "maps")
            umap = pack_maps(
                run, lineage, last, Method.UMAP, _MAPS_BYTES, sub_progress(progress, 0, 0.1, "maps")
            )
            linear = pack_maps(
                run, lineage, last, Method.LINEAR, _LINEAR_BYTES, sub_progress(progress, 0.1, 0.15, "maps")
            )
            if umap is None and linear is None:
                raise ExportError(say("export_no_map", run=run.id))
            with RunAnswers(run, lessons) as answers:
                course = pack_course(answers, last)
                stored, asked = _store_answers(answers, last, len(run.vocabulary), course)
            # Keep the steps of stored answers and of stages of the course.
            about = [*course.steps, *(one["step"] for one in stored["/examinations"]["items"])]
            lights = pack_lights(
                run, reader, last, about, _LIGHTS_BYTES, sub_progress(progress, 0.15, 0.6, "lights")
            )
            districts = pack_districts(run, lineage, last)
    except FileNotFoundError as error:
        raise ExportError(say("export_not_begun", run=run.id)) from error
    except AnswerError as error:
        raise ExportError(f"{run.id} cannot be packed: {error}") from error
    nearest = pack_nearest(
        run, last, course.steps, _NEAREST_BYTES, sub_progress(progress, 0.6, 0.9, "neighbours")
    )
    progress(0.9, "answers")
    parts = {
        "answers": deflate(json.dumps(stored, separators=(",", ":")).encode()),
        "course": deflate(json.dumps(course.answers, separators=(",", ":")).encode()),
        "texts": deflate(json.dumps(_read_texts(run, lights), separators=(",", ":")).encode()),
        "nearest": nearest.data,
    }
    names: dict[str, list[str]] = {}
    for kind, envelopes in {
        "lights": lights.envelopes,
        "umap": umap.envelopes if umap else [],
        "linear": linear.envelopes if linear else [],
        "districts": districts,
    }.items():
        numbered = {f"{kind}-{index}": data for index, data in enumerate(envelopes)}
        names[kind] = list(numbered)
        parts |= numbered
    left_out = _describe_left_out(last, lights, umap or linear, nearest, asked, course)
    shown = umap or linear
    assert shown is not None
    first = shown.chosen[0].step
    head = {
        "format": FORMAT,
        "run": run.id,
        "name": stored[""]["name"],
        "vocabulary": len(run.vocabulary),
        # A step is never shown on a later map.
        "steps": [step for step in ([0, *lights.steps]) if step >= first] or [last],
        "leftOut": left_out,
        "answers": asked[0] > 0,
        "course": bool(course.answers),
        "neighbours": nearest.k,
        "nearest": {"steps": nearest.steps, "k": nearest.k, "longest": nearest.longest},
        "parts": names,
    }
    return PackedRun(head, parts, left_out)


def _store_answers(
    answers: RunAnswers, last: int, words: int, course: PackedCourse
) -> tuple[dict[str, Any], tuple[int, int]]:
    """Return the server's answers to store unchanged, by path relative to the run, and the number of the model's
    answers stored and available. Those that the course uses come first, then the newest."""
    stored: dict[str, Any] = {
        rest: json.loads(answers.get(rest))
        for rest in (
            "",
            "/steps?from=1&most=2000",
            "/measures",
            f"/lines?to={last}",
            # Page by page, like the page, until one is not full.
            *(f"/tokens?limit={_TOKENS_AT_ONCE}&offset={at}" for at in range(0, words + 1, _TOKENS_AT_ONCE)),
            "/districts/events",
            "/map",
        )
    }
    stored["/lines"] = stored.pop(f"/lines?to={last}")
    status = stored[""]["status"]
    if status["phase"] not in _ENDED:
        # A live run continues, but not in this file.
        status["phase"] = "interrupted"
    status["alive"], status["step"] = False, last
    examinations = [
        one for one in json.loads(answers.get("/examinations"))["items"] if one["state"] == "done"
    ]
    read = [one for one in examinations if one["id"] in course.questions]
    others = [one for one in examinations if one not in read]
    room, kept = _ANSWERS_BYTES, list[dict[str, Any]]()
    for one in [*read, *reversed(others)]:
        path = f"/examinations/{one['id']}"
        body = answers.get(path)
        if len(body) > room:
            break
        room -= len(body)
        stored[path] = json.loads(body)
        kept.append(one)
    stored["/examinations"] = {"items": [one for one in examinations if one in kept]}
    return stored, (len(kept), len(examinations))


def _read_texts(run: RunFolder, lights: Lights) -> dict[int, list[int]]:
    """Return the beginning of the text that each step read, by step; empty if the text is not kept."""
    return {step: ids for step in lights.steps for ids in _first_words(run, step)}


def _first_words(run: RunFolder, step: int) -> Iterator[list[int]]:
    # Omit the text if the batches do not come from it.
    with suppress(*READ_ERRORS, ValueError):
        for sequences in read_batch_text(run, step, 1):
            yield sequences[0][:_MAX_WORDS].tolist()


def _describe_left_out(
    last: int,
    lights: Lights,
    shown: Maps | None,
    nearest: NearestWords,
    asked: tuple[int, int],
    course: PackedCourse,
) -> list[str]:
    left: list[str] = []
    if len(lights.steps) < last:
        left.append(
            f"{last - len(lights.steps):,} of {last:,} steps; the counts of those in between are exact all the same"
        )
    if shown is not None and len(shown.chosen) < shown.available:
        left.append(f"{shown.available - len(shown.chosen):,} of {shown.available:,} maps")
    left.append(f"neighbours but the nearest {nearest.k} of each word, at {len(nearest.steps)} moments")
    if asked[0] < asked[1]:
        left.append(f"{asked[1] - asked[0]:,} of {asked[1]:,} answers of the model")
    if course.unknown:
        left.append(
            f"{course.unknown:,} of {course.numbers:,} numbers of the course, which are not known yet"
        )
    left.append("the vectors, and most of the text")
    return left
