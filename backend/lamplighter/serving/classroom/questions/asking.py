"""A question in words that a class understands, made from the presenter's request, and its measured answer from the
run's record once training has reached the step.
"""

from __future__ import annotations

import numpy as np

from lamplighter.contract.reason import Reason, give_reason
from lamplighter.geometry.motion import displacements
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.snapshot import Snapshot
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.classroom.questions.question import Measured, Question
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.reading.token_table import TokenTable
from lamplighter.serving.schemas.classroom import QuestionToClass
from lamplighter.serving.schemas.runs import Status
from lamplighter.web.http.problems import FieldError, RefusedError
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse
from living_map.rows import unit_rows

SMOOTHED = 10
"""Steps over which a loss is averaged, because the loss of one step depends more on its text than on the model."""
_MAX_LOSS = 50.0
_MAX_PERCENT = 10_000.0
_WRITTEN = {
    "en": (
        "A. A language model was asked what the dog did. It wrote: “the dog meowed”. That sentence was never programmed. "
        "How can it come about? Explain it to someone who thinks that the computer is broken, or that it made a joke.",
        "B. You may change one thing about this model so that it stops writing “the dog meowed”. What would you change, "
        "why should that help, and what else might change with it?",
    ),
    "de": (
        "A. Ein Sprachmodell wurde gefragt, was der Hund tat. Es schrieb: „the dog meowed“, der Hund miaute. Niemand hat "
        "diesen Satz programmiert. Wie kann er zustande kommen? Erklär es jemandem, der glaubt, der Computer sei kaputt "
        "oder habe einen Witz gemacht.",
        "B. Du darfst an diesem Modell eine Sache ändern, damit es nicht mehr „the dog meowed“ schreibt. Was würdest du "
        "ändern, warum müsste das helfen, und was könnte sich noch mit ändern?",
    ),
}
"""The questions with written answers, by language, as on the teacher's page of the course."""


def make_question(body: QuestionToClass, run: RunFolder, status: Status, table: TokenTable) -> Question:
    """Return the presenter's question about a run, without an id. It starts from the newest step in `status`.

    Raises RefusedError: the run is over (409), or a word or round is missing, unknown or repeated (422).
    """
    if (body.about in ("how", "change")) != (body.when is not None):
        raise _refused("when", "before or after, for the questions `how` and `change` alone")
    if body.about == "how" or body.about == "change":
        # It is about no step, so a run that is over will do.
        step = status.step
        text = _WRITTEN.get(body.lang, _WRITTEN["en"])[body.about == "change"]
        return Question(body.about, text, run.id, step, step, when=body.when)
    if status.phase.has_ended:
        raise RefusedError(
            409,
            f"this run is {status.phase}, so nothing is left to predict: continue it first",
            reason=Reason("nothing_left_to_predict"),
        )
    step = status.step
    word = table.text(_token(body, table)) if body.about in _ABOUT_A_WORD else ""
    later = step + (1 if body.about in ("lit_next", "lit_word") else body.steps)
    if later > status.steps:
        raise RefusedError(
            409,
            f"this run ends at step {status.steps}, before step {later}: ask for fewer steps",
            reason=give_reason("run_ends_before", end=status.steps, step=later),
        )
    after = f"the next {body.steps} steps" if body.steps > 1 else "the next step"
    made: dict[str, object]
    match body.about:
        case "lit_next":
            made = {
                "text": "How many of the words will light up in the next step?",
                "unit": "words",
                "high": float(len(table)),
            }
        case "lit_word":
            made = {"text": f"Will “{word}” light up in the next step?", "choices": ("Yes", "No")}
        case "read_later":
            made = {
                "text": f"How often will the model read “{word}” in {after}?",
                "unit": "times",
                "high": float(run.recipe.batch_tokens * body.steps),
            }
        case "moved_later":
            made = {
                "text": f"How far will “{word}” have moved after {after}, in percent of its own length?",
                "unit": "%",
                "high": _MAX_PERCENT,
            }
        case "loss_later":
            made = {
                "text": f"What will the surprise be after {after}? (Averaged over {SMOOTHED} steps.)",
                "unit": "nats per word",
                "high": _MAX_LOSS,
            }
        case "falls_later":
            made = {
                "text": f"Will the surprise be lower or higher after {after}? (Averaged over {SMOOTHED} steps.)",
                "choices": ("Lower", "Higher"),
            }
        case "nearest":
            names = tuple(table.text(token) for token in _words(body, table))
            made = {"text": f"Which of these will be nearest to “{word}” after {after}?", "choices": names}
    choices = made.get("choices")
    if isinstance(choices, tuple):
        made["high"] = float(len(choices) - 1)
    tokens = (*([body.token] if body.token is not None else []), *body.words)
    return Question(
        about=body.about,
        run=run.id,
        from_step=step,
        at_step=later,
        tokens=tokens,
        **made,  # pyright: ignore[reportArgumentType]
    )


_ABOUT_A_WORD = ("lit_word", "read_later", "moved_later", "nearest")


def _token(body: QuestionToClass, table: TokenTable) -> int:
    if body.token is None:
        raise _refused("token", "say which word the question is about")
    if body.token >= len(table):
        raise _refused("token", f"there is no word {body.token}; there are {len(table)}")
    return body.token


def _words(body: QuestionToClass, table: TokenTable) -> list[int]:
    if not 2 <= len(body.words) <= 6:
        raise _refused("words", f"{len(body.words)} words to choose from, but two to six are needed")
    if len({*body.words, body.token}) <= len(body.words):
        raise _refused("words", "a word to choose from is repeated, or is the word itself")
    for word in body.words:
        if not 0 <= word < len(table):
            raise _refused("words", f"there is no word {word}; there are {len(table)}")
    return body.words


def _refused(field: str, problem: str) -> RefusedError:
    return RefusedError(422, f"{field}: {problem}", [FieldError(field=field, message=problem)])


_AT_A_TIME = 100


def measure_answer(question: Question, run: RunFolder, catalog: RunCatalog) -> Measured:
    """Return the answer to a question. A vector is compared at the newest exactly kept step at or before the one
    asked about, which is `Measured.step`.

    Raises RefusedError (409) if training has not reached the step, or no matrix was kept since the question;
    READ_ERRORS.
    """
    with catalog.open_steps(run) as steps:
        newest = steps.newest_step()[1]
        if newest < question.at_step:
            raise RefusedError(
                409,
                f"training is at step {newest}, and the answer comes at step {question.at_step}: train until then",
                reason=give_reason("step_not_reached", step=question.at_step, newest=newest),
            )
        match question.about:
            case "lit_next":
                pulse = _pulses(steps, question.at_step, question.at_step)[0]
                return Measured(float(len(pulse.batch_ids)), question.at_step)
            case "lit_word":
                pulse = _pulses(steps, question.at_step, question.at_step)[0]
                lit = question.tokens[0] in pulse.batch_ids
                return Measured(0.0 if lit else 1.0, question.at_step)
            case "read_later":
                return Measured(float(_times_read(steps, question)), question.at_step)
            case "loss_later":
                return Measured(_mean_loss(steps, question.at_step), question.at_step)
            case "falls_later":
                before, after = (_mean_loss(steps, step) for step in (question.from_step, question.at_step))
                return Measured(0.0 if after < before else 1.0, question.at_step)
            case _:
                pass
    if question.about == "moved_later":
        return _moved(question, run, catalog)
    return _nearest(question, run, catalog)


def _pulses(steps: StepsReader, first: int, last: int) -> list[Pulse]:
    found = [decode_as(data, Pulse) for _, data in steps.pulses(max(1, first), last, limit=_AT_A_TIME)]
    if not found:
        raise RefusedError(409, f"the record has no step {last}")
    return found


def _times_read(steps: StepsReader, question: Question) -> int:
    times, token = 0, question.tokens[0]
    for first in range(question.from_step + 1, question.at_step + 1, _AT_A_TIME):
        for pulse in _pulses(steps, first, min(first + _AT_A_TIME - 1, question.at_step)):
            times += int(pulse.batch_counts[pulse.batch_ids == token].sum())
    return times


def _mean_loss(steps: StepsReader, step: int) -> float:
    """Return the mean loss over the steps up to `step`. Step 0 has no loss and takes that of step 1."""
    last = max(1, step)
    return float(np.mean([pulse.loss for pulse in _pulses(steps, last - SMOOTHED + 1, last)]))


def _moved(question: Question, run: RunFolder, catalog: RunCatalog) -> Measured:
    token = question.tokens[0]
    before, after = (_matrix(run, catalog, step) for step in (question.from_step, question.at_step))
    if after.step <= before.step:
        raise RefusedError(
            409,
            "no snapshot was saved since the question: train a little longer",
            reason=Reason("no_snapshot_since"),
        )
    way = float(displacements(before.vectors[token : token + 1], after.vectors[token : token + 1])[0])
    length = float(np.linalg.norm(before.vectors[token].astype(np.float64)))
    return Measured(100.0 * way / length if length else 0.0, after.step)


def _nearest(question: Question, run: RunFolder, catalog: RunCatalog) -> Measured:
    matrix = _matrix(run, catalog, question.at_step)
    units = unit_rows(matrix.vectors[list(question.tokens)])
    return Measured(float(np.argmax(units[1:] @ units[0])), matrix.step)


def _matrix(run: RunFolder, catalog: RunCatalog, step: int) -> Snapshot:
    try:
        with catalog.open_history(run) as history:
            return catalog.matrix_at(run, history, step, nearest=True)
    except NoSnapshotError as error:
        raise RefusedError(409, f"no full matrix of this run was kept: {error}") from error
