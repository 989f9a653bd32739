"""A packed run: everything that its page shows without a server, in separately compressed parts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI

from lamplighter.contract.sentences import say
from lamplighter.exports.output import ExportError, ExportProgress, sub_progress
from lamplighter.lessons.library import LANGUAGE, course_library, find_lessons, list_languages
from lamplighter.packing.nearest import WORDS_OF_A_FILE, Moments, NearestWords, pack_nearest
from lamplighter.packing.shown_steps import Lights, Maps, deflate, pack_districts, pack_lights, pack_maps
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.loop_facts import HISTORY_FACT, PROBES_FACT
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.apps.reading_app import AnswerError, ask, create_reading_app
from lamplighter.serving.reading.step_reading import read_batch_text
from lamplighter.wire.grid_frames import GRID_STEPS
from lamplighter.wire.layout_frames import Method


class RunAnswers:
    """The answers about one run, computed in a separate thread with its event loop; a context manager."""

    def __init__(self, run: RunFolder, lessons: Path | None = None) -> None:
        self._app: FastAPI = create_reading_app(run.path.parent, course_library(lessons))
        self._loop = start_blocking_portal()
        self._root = f"/api/runs/{run.id}"

    def __enter__(self) -> Self:
        self._portal = self._loop.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.__exit__(kind, error, trace)

    def get(self, rest: str = "") -> bytes:
        """Return the answer to `GET /api/runs/{run}` and `rest` (`"/steps?from=1"`), or raise AnswerError."""
        return self.ask(self._root + rest)

    def ask(self, address: str) -> bytes:
        """Return the answer to `GET` of an address relative to the server's root, or raise AnswerError."""
        return self._portal.call(ask, self._app, address)


_STEP_KEYS = ("at", "from", "then", "against")
"""Keys of a view that name a step."""
MAX_STEPS = 40
"""Maximum steps kept for the course: each takes space, and course texts may be untrusted."""


@dataclass(frozen=True)
class PackedCourse:
    """The course of one run at the time of packing."""

    answers: dict[str, Any] = field(default_factory=dict[str, Any])
    """Answers of the server, by path and query: `/api/lessons?lang=en`, and relative to the run `/lessons/1?lang=en`;
    empty if no part applies to this run."""
    steps: tuple[int, ...] = ()
    """Steps shown by its views, those of stages before those of links."""
    questions: frozenset[str] = frozenset()
    """Ids of the questions whose answers it uses."""
    numbers: int = 0
    unknown: int = 0
    """The number of unknown ones among its numbers."""


def pack_course(answers: RunAnswers, last: int) -> PackedCourse:
    """Return the parts of the course that apply to a run, up to its step `last`, or raise AnswerError."""
    stored, told = dict[str, Any](), list[dict[str, Any]]()
    for language in list_languages(find_lessons()):
        query = f"?lang={language}"
        listed = json.loads(answers.ask(f"/api/lessons{query}"))["items"]
        # The page falls back to English for an untranslated part.
        own = [one["number"] for one in listed if language in (LANGUAGE, one["language"])]
        parts = {number: json.loads(answers.get(f"/lessons/{number}{query}")) for number in own}
        here = {number: _end(part) for number, part in parts.items() if not part["missing_words"]}
        stored |= {f"/lessons/{number}{query}": part for number, part in here.items()}
        if known := [one for one in listed if f"/lessons/{one['number']}?lang={LANGUAGE}" in stored]:
            stored[f"/api/lessons{query}"] = {"items": known}
        told += here.values()
    counted = [
        part for key, part in stored.items() if key.endswith(f"?lang={LANGUAGE}") and "numbers" in part
    ]
    stages = [stage for part in told for stage in part["stages"]]
    asked = [stage["examination"]["id"] for stage in stages if stage["examination"]]
    values = [number["value"] for part in counted for number in part["numbers"].values()]
    steps = dict.fromkeys(step for view in _views(stages) for step in _steps_of(view) if step <= last)
    return PackedCourse(stored, tuple(steps)[:MAX_STEPS], frozenset(asked), len(values), values.count(None))


def _end(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part without the states of waiting, which never end in a file."""
    part["training"] = False
    for number in part["numbers"].values():
        if number["waits_for"] == "step" and number["step"] is not None:
            number["waits_for"] = "ended"
    for stage in part["stages"]:
        if stage["examination"] and stage["examination"]["state"] != "done":
            stage["examination"] |= {"state": None, "share": 0}
    return part


def _views(stages: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the views that stages set, then those that their links open."""
    yield from (stage["view"] for stage in stages if stage["view"])
    for stage in stages:
        for block in stage["blocks"]:
            yield from (span["view"] for line in block["lines"] for span in line if span["view"])


def _steps_of(view: str) -> Iterator[int]:
    named = parse_qs(view.removeprefix("?"))
    for key in _STEP_KEYS:
        yield from (int(word) for word in named.get(key, ()) if word.isdecimal() and len(word) < 10)


FORMAT = 1
_LIGHTS_BYTES, _MAPS_BYTES, _LINEAR_BYTES, _NEAREST_BYTES = 1_050_000, 600_000, 150_000, 1_600_000
_HISTORY_BYTES = 4_800_000, 400_000, 900_000
"""Maximum bytes of maps, linear maps and neighbours of a history of checkpoints or of hidden states, each of which has its map. With the
page, these are 12 MB at most for 50,304 tokens at 38 checkpoints."""
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
    files: list[bytes] = field(default_factory=list[bytes])
    """The files beside the page, in the order of their numbers; empty for most runs."""


def pack_run(
    run: RunFolder,
    progress: ExportProgress,
    lessons: Path | None = None,
    *,
    beside: bool = False,
    live: str | None = None,
) -> PackedRun:
    """Encode a run, a live one up to its newest step, or raise ExportError if it has no step or map.
    `lessons`: a folder of texts that override the course's. `beside`: whether there may be files beside the
    page, for what has no room in it. `live`: the folder beside the page whose files continue the run.
    """
    try:
        with StepsReader(run.steps_path) as reader:
            lineage, (_, last) = reader.lineage(), reader.newest_step()
            if last < 1:
                raise FileNotFoundError
            of_maps, of_linear, of_nearest = (
                _HISTORY_BYTES
                if {HISTORY_FACT, PROBES_FACT} & reader.facts().keys()
                else (_MAPS_BYTES, _LINEAR_BYTES, _NEAREST_BYTES)
            )
            progress(0, "maps")
            umap = pack_maps(run, lineage, last, Method.UMAP, of_maps, sub_progress(progress, 0, 0.1, "maps"))
            linear = pack_maps(
                run, lineage, last, Method.LINEAR, of_linear, sub_progress(progress, 0.1, 0.15, "maps")
            )
            if umap is None and linear is None:
                raise ExportError(say("export_no_map", run=run.id))
            with RunAnswers(run, lessons) as answers:
                course = pack_course(answers, last)
                stored, asked = _store_answers(answers, last, len(run.vocabulary), course, live is not None)
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
        run, last, course.steps, of_nearest, sub_progress(progress, 0.6, 0.9, "neighbours"), beside=beside
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
        "live": live,
        "leftOut": left_out,
        "answers": asked[0] > 0,
        "course": bool(course.answers),
        "neighbours": nearest.held.k,
        "nearest": asdict(nearest.held),
        "beside": None if nearest.beside is None else _describe_files(run, nearest.beside, nearest.files),
        "parts": names,
    }
    return PackedRun(head, parts, left_out, nearest.files)


def _describe_files(run: RunFolder, moments: Moments, files: list[bytes]) -> dict[str, Any]:
    """Return what the page must know of the files beside it. Files of another page have another key."""
    key = hashlib.sha256(b"".join(hashlib.sha256(file).digest() for file in files)).hexdigest()[:16]
    return asdict(moments) | {"words": WORDS_OF_A_FILE, "folder": f"{run.id}-words", "key": key}


def _store_answers(
    answers: RunAnswers, last: int, words: int, course: PackedCourse, continues: bool
) -> tuple[dict[str, Any], tuple[int, int]]:
    """Return answers by path relative to the run, and how many of the model's are stored and there. Those
    that the course uses come first, then the newest.
    """
    stored: dict[str, Any] = {
        rest: json.loads(answers.get(rest))
        for rest in (
            "",
            "/steps?from=1&most=2000",
            "/measures",
            "/turning-points",
            f"/lines?to={last}",
            # Page by page, like the page, until one is not full.
            *(f"/tokens?limit={_TOKENS_AT_ONCE}&offset={at}" for at in range(0, words + 1, _TOKENS_AT_ONCE)),
            "/districts/events",
            "/map",
        )
    }
    stored["/lines"] = stored.pop(f"/lines?to={last}")
    measured = {name for one in stored["/measures"]["items"] for name in one["values"]}
    for name, path in (("rows_stayed", "/geometry/stayed?most=2000"), ("circle_share", "/geometry/fourier")):
        if name in measured:
            at_last = f"{path}{'&' if '?' in path else '?'}step={last}"
            # The page names the step unless it shows the end.
            stored[path] = stored[at_last] = json.loads(answers.get(at_last))
    status = stored[""]["status"]
    if not continues:
        if status["phase"] not in _ENDED:
            # A live run continues, but not in this file.
            status["phase"] = status["state"] = "interrupted"
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
    held, beside = nearest.held, nearest.beside
    left.append(f"neighbours but the nearest {held.k} of each word, at {len(held.steps)} moments")
    if beside is not None:
        left[-1] += (
            f" ({beside.k} at {len(beside.steps)} moments are in the files beside the page, while they are there)"
        )
    left.append(f"places of words between the lines of a grid of {GRID_STEPS + 1:,} x {GRID_STEPS + 1:,}")
    if asked[0] < asked[1]:
        left.append(f"{asked[1] - asked[0]:,} of {asked[1]:,} answers of the model")
    if course.unknown:
        left.append(
            f"{course.unknown:,} of {course.numbers:,} numbers of the course, which are not known yet"
        )
    left.append("the vectors, and most of the text")
    return left
