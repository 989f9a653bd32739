"""Asking without a server: whose examiner answers, and what is said when none does.

The price of a question: what would take too long is refused before it is computed, with a way out.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

import apsw
import psutil
import pytest

from lamplighter.contract import questions
from lamplighter.contract.questions import BENCH_RULES, DECILE_RUNS, Question, QuestionError, parse_question
from lamplighter.contract.recipe import Recipe
from lamplighter.examination.kinds.bench import RULES
from lamplighter.examination.kinds.deciles import RATES
from lamplighter.examination.kinds.environment import chosen_steps
from lamplighter.model.batches import SAMPLE_TOKENS
from lamplighter.model.flops import count_step_flops
from lamplighter.processes import asked_question, examiner_pool
from lamplighter.processes.asked_question import AskedQuestion, check_question, require_affordable
from lamplighter.processes.desired_state import requests_mark
from lamplighter.processes.examiner_pool import ExaminerWatch, has_open_questions
from lamplighter.processes.local_examiner import ExaminationFailedError, LocalExaminer
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.examinations import (
    ExaminationEntry,
    ExaminationsReader,
    ExaminationsWriter,
)
from lamplighter.runfolder.tables.requests import RequestsReader, RequestsWriter
from tests.support.folders import finished_run
from tests.support.waiting import wait_until

# An examiner without a model: it takes up what is asked, and answers, fails or cancels it as it is told.
ANSWERS = """
import sys
from pathlib import Path
from lamplighter.runfolder.tables.examinations import ExaminationsWriter
from lamplighter.runfolder.tables.requests import RequestsReader
folder, what = Path(sys.argv[1]), sys.argv[2]
with ExaminationsWriter(folder / "examinations.sqlite") as writer:
    for request in RequestsReader(folder).read_new():
        writer.add_question("QUESTION", attempt=1, step=1, kind="rotation", question="{}")
        writer.add_applied(request, 1, 1)
    writer.begin("QUESTION")
    writer.finish("QUESTION", '{"turned":1}') if what == "done" else writer.fail("QUESTION", "it is too late")
sys.stdin.read()
sys.exit(5)
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return finished_run(tmp_path)


@pytest.fixture
def asked(run: RunFolder) -> AskedQuestion:
    return check_question(run, parse_question({"kind": "rotation", "step": 1}))


def ends(code: str) -> Callable[[RunFolder], list[str]]:
    return lambda _run: [sys.executable, "-c", code]


def answers(asked: AskedQuestion, what: str) -> Callable[[RunFolder], list[str]]:
    code = ANSWERS.replace("QUESTION", asked.id)
    return lambda run: [sys.executable, "-c", code, str(run.path), what]


def test_an_examiner_is_started_tells_how_far_it_is_and_stays(
    run: RunFolder, asked: AskedQuestion, children: Callable[[], list[psutil.Process]]
) -> None:
    examiner, told = LocalExaminer(run, "test", answers(asked, "done")), list[ExaminationEntry]()
    assert examiner.examine(asked, told.append) == {"turned": 1}
    assert told[-1].state == "done"
    assert len(children()) == 1
    requests = len(RequestsReader(run.path).read_new())
    assert examiner.examine(asked) == {"turned": 1}
    assert len(RequestsReader(run.path).read_new()) == requests
    examiner.close()
    assert children() == []


def test_a_failure_has_a_reason(run: RunFolder, asked: AskedQuestion) -> None:
    examiner = LocalExaminer(run, "test", answers(asked, "failed"))
    with pytest.raises(ExaminationFailedError, match="it is too late"):
        examiner.examine(asked)
    examiner.close()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys; sys.exit(1)", "ended with code 1"),
        ('import sys; print(\'{"problem": "it is damaged"}\', flush=True); sys.exit(4)', "it is damaged"),
    ],
)
def test_an_examiner_that_ends_without_an_answer(
    run: RunFolder, asked: AskedQuestion, monkeypatch: pytest.MonkeyPatch, code: str, said: str
) -> None:
    monkeypatch.setattr(examiner_pool, "_RETRY_SECONDS", 0.01)
    with pytest.raises(ExaminationFailedError, match=said):
        LocalExaminer(run, "test", ends(code)).examine(asked)


def test_where_the_role_is_taken_another_answers(
    run: RunFolder, asked: AskedQuestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examiner_pool, "_RETRY_SECONDS", 0.01)
    tries: list[int] = []

    def taken(_run: RunFolder) -> list[str]:
        tries.append(1)
        if len(tries) == 3:
            with ExaminationsWriter(run.examinations_path) as writer:
                for request in RequestsReader(run.path).read_new():
                    writer.add_question(asked.id, **asked.as_fields())
                    writer.add_applied(request, 1, 1)
                writer.finish(asked.id, '{"turned":2}')
        return [sys.executable, "-c", "import sys; sys.exit(3)"]

    assert LocalExaminer(run, "test", taken).examine(asked) == {"turned": 2}


def test_an_interruption_cancels(run: RunFolder, asked: AskedQuestion) -> None:
    def interrupt(_run: RunFolder) -> list[str]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LocalExaminer(run, "test", interrupt).examine(asked)
    requests = RequestsReader(run.path).read_new()
    assert [request.kind for request in requests] == ["examine", "cancel_examination"]
    assert requests[1].body == {"id": asked.id}


def test_a_run_that_is_trashed_meanwhile(run: RunFolder, asked: AskedQuestion) -> None:
    def trash(_run: RunFolder) -> list[str]:
        RunStore(run.path.parent).trash(run)
        return [sys.executable, "-c", "import sys; sys.exit(0)"]

    with pytest.raises(ExaminationFailedError, match="was moved to the trash"):
        LocalExaminer(run, "test", trash).examine(asked)


def test_a_question_being_taken_up_is_open(
    run: RunFolder, asked: AskedQuestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    RequestsWriter(run.path, "server").add("examine", asked.question.model_dump(mode="json"))
    (request,) = RequestsReader(run.path).read_new()
    last_applied = ExaminationsReader.last_applied
    with ExaminationsWriter(run.examinations_path) as writer:

        def take_up(reader: ExaminationsReader) -> dict[str, int]:
            writer.add_question(asked.id, **asked.as_fields())
            writer.add_applied(request, 1, 1)
            return last_applied(reader)

        monkeypatch.setattr(ExaminationsReader, "last_applied", take_up)
        assert has_open_questions(run)


def test_a_request_shows_while_another_process_reads_the_file(run: RunFolder) -> None:
    requests = RequestsWriter(run.path, "server")
    requests.add("pause", {})
    with closing(apsw.Connection(str(run.path / "requests-server.sqlite"))) as reading:
        reading.pragma("journal_mode", "wal")
        reading.execute("BEGIN; SELECT * FROM requests").fetchall()
        before = requests_mark(run)
        requests.add("examine", {})
        assert requests_mark(run) != before


def test_a_watch_keeps_an_examiner_where_something_is_asked(
    run: RunFolder, asked: AskedQuestion, children: Callable[[], list[psutil.Process]]
) -> None:
    other = finished_run(run.path.parent)
    RequestsWriter(other.path, "server").add("pause", {})
    started: list[str] = []
    looked = threading.Event()

    def start(run: RunFolder) -> list[str]:
        started.append(run.id)
        looked.wait(60)
        return answers(asked, "done")(run)

    assert not has_open_questions(run)
    watch = ExaminerWatch(RunStore(run.path.parent), start)
    watch.start()
    try:
        RequestsWriter(run.path, "server").add("examine", asked.question.model_dump(mode="json"))
        assert has_open_questions(run)
        looked.set()
        wait_until(lambda: not has_open_questions(run), "the answer")
        assert not has_open_questions(other)
    finally:
        looked.set()
        watch.stop()
    assert (started, children()) == ([run.id], [])


LARGEST = (
    {"kind": "bench", "steps": 60},
    {"kind": "environment", "steps": 2_000, "back": 500},
    {"kind": "deciles", "steps": 200},
    {"kind": "better", "steps": 40},
    {"kind": "substitution", "words": 500},
)
WIDE = Recipe.model_validate(
    {"model": {"dim": 1_024, "layers": 12, "heads": 16, "context": 512}, "sequences": 32}
)


def question(fields: Mapping[str, object]) -> Question:
    return parse_question({"step": 0, **fields})


@pytest.mark.parametrize("fields", LARGEST)
def test_a_default_run_may_be_asked_everything_and_a_large_model_is_refused(
    fields: Mapping[str, object],
) -> None:
    require_affordable(Recipe(), 2_382, question(fields), "cpu")
    with pytest.raises(QuestionError, match=r"^(steps|words): .*ask for fewer \1"):
        require_affordable(WIDE, 50_000, question(fields), "cpu")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return where the driver of a graphics card would be."""
    driver = tmp_path / "driver"
    monkeypatch.setattr("lamplighter.platform.worker_limits._GRAPHICS_DRIVERS", (str(driver),))
    return driver


def test_a_graphics_card_computes_more_but_the_bench_is_timed_on_a_processor(card: Path) -> None:
    card.touch()
    few = {"kind": "deciles", "steps": 2}
    with pytest.raises(QuestionError):
        require_affordable(WIDE, 50_000, question(few), "cpu")
    require_affordable(WIDE, 50_000, question(few), "cuda")
    with pytest.raises(QuestionError):
        require_affordable(WIDE, 50_000, question({"kind": "bench", "steps": 10}), "cuda")


def test_an_imported_run_that_names_a_card_is_priced_by_this_machine(card: Path) -> None:
    with pytest.raises(QuestionError, match="4e\\+12"):
        require_affordable(WIDE, 50_000, question({"kind": "environment", "steps": 10, "back": 0}), "cuda")


def test_questions_without_training_are_free() -> None:
    require_affordable(WIDE, 50_000, question({"kind": "batch_sizes"}), "cpu")
    require_affordable(WIDE, 50_000, question({"kind": "deciles", "steps": 0}), "cpu")


def test_a_text_sample_is_many_batches_for_few_tokens() -> None:
    small, better = Recipe(sequences=1, passages=1), question({"kind": "better", "steps": 20})
    large = Recipe(sequences=128)
    flops = [count_step_flops(recipe, 2_382, 2_382) for recipe in (small, large)]
    # Each step reads the text once, and each of four places does so before its first.
    reads = [3 + 1.2 * SAMPLE_TOKENS / recipe.batch_tokens for recipe in (small, large)]
    assert reads[0] > 100
    assert reads[1] == pytest.approx(4.2)
    for recipe, step, read in zip((small, large), flops, reads, strict=True):
        cost = 20 * ((1 + read) * step.forward + step.backward + step.update)
        for limit, refused in ((1.01 * cost, False), (0.99 * cost, True)):
            with pytest.MonkeyPatch.context() as patch, raising(refused):
                patch.setattr(asked_question, "MAX_FLOPS", limit)
                require_affordable(recipe, 2_382, better, "cpu")


def test_steps_at_home_are_paid_for_beside_those_in_the_other_town() -> None:
    recipe, flops = Recipe(), count_step_flops(Recipe(), 2_382, 2_382)
    sample = SAMPLE_TOKENS / recipe.batch_tokens
    for steps, home in ((30, 30), (600, 100)):
        cost = (steps + 20 + home) * (flops.forward + flops.backward + flops.update)
        cost += (2 * questions.ENVIRONMENT_POINTS + questions.HOME_POINTS) * sample * flops.forward
        moving = question({"kind": "environment", "steps": steps, "back": 20})
        for limit, refused in ((1.001 * cost, False), (0.999 * cost, True)):
            with pytest.MonkeyPatch.context() as patch, raising(refused):
                patch.setattr(asked_question, "MAX_FLOPS", limit)
                require_affordable(recipe, 2_382, moving, "cpu")


def test_the_points_that_are_paid_for_are_as_many_as_are_read() -> None:
    assert len(chosen_steps(2_000, 500)) <= questions.ENVIRONMENT_POINTS


def raising(refused: bool) -> AbstractContextManager[object]:
    return pytest.raises(QuestionError) if refused else nullcontext()


def test_the_trainings_that_are_paid_for_are_those_that_are_made() -> None:
    assert len(RULES) == BENCH_RULES
    assert sum(map(len, RATES.values())) == DECILE_RUNS
