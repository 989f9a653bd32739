"""Figures in the course's texts: none that a run would measure is typed, and quoted ones match

their source.

Numbers that compare a word's nearest with the text itself, and parts about a text other than Lamptown.
Formulas of the course: a line of plain text, and never anything else.
The answers of a class, read from a file that anyone may have changed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from lamplighter.claims.gathering import read_moment
from lamplighter.cli.app import cli
from lamplighter.cli.asking.class_report import class_report_command
from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.distribution import list_words
from lamplighter.cost.run_cost import reference_models
from lamplighter.cost.step_work import describe_step_work
from lamplighter.examination.kinds.environment import chosen_steps
from lamplighter.lessons.check import find_difference, list_typed_figures
from lamplighter.lessons.class_answers import COLUMNS, MAX_BYTES, ClassAnswersError, read_class_answers
from lamplighter.lessons.library import find_lessons, read_folder
from lamplighter.lessons.markdown import MAX_FORMULA
from lamplighter.lessons.numbers import NumberValue, price_text_numbers, resolve_numbers
from lamplighter.lessons.part import LessonError, Part
from lamplighter.lessons.part_parser import parse_part
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from tests.support.folders import TOKENS, finished_run

HEAD = "title: A\naim: See.\nminutes: 5\n\n# look: A\n"


def typed(folder: Path, stage: str, page: str = "") -> list[str]:
    (folder / "01-a.md").write_text(HEAD + stage)
    if page:
        (folder / "teacher").mkdir()
        (folder / "teacher" / "01-a.md").write_text(f"# 1 A\n\n{page}\n")
    return list_typed_figures(folder)


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("\nWith the rows of step 500 it has less.\n", "step 500, which"),
        ("view: ?at=50\n\nWith the rows of step 500 it has less.\n", "step 500, which"),
        ("\nAfter 600 more steps it has less.\n", "step 600, which"),
        ("\nMit den Zeilen von Schritt 500 sind es weniger.\n", "step 500, which"),
        ("\nThe share is 12 % of all.\n", "12: write the"),
        ("\nThe share is **12** percent of all.\n", "12: write the"),
        ("\nIt has 0.37, and no more.\n", "0.37: write the"),
        ("\nEs sind 0,37 und nicht mehr.\n", "0,37: write the"),
    ],
)
def test_a_typed_figure_is_found(tmp_path: Path, stage: str, said: str) -> None:
    (problem,) = typed(tmp_path, stage)
    assert problem.startswith(f"part 1 in 'en': stage 1 types {said}")
    checked = CliRunner().invoke(cli, ["lessons", "check", str(tmp_path)])
    assert (checked.exit_code, said in checked.output) == (1, True)


@pytest.mark.parametrize(
    "stage",
    [
        "view: ?at=500\n\nWith the rows of step 500.\n",
        "\nAt step 500 it has {purity_10nn@500|percent}.\n",
        "examine: kind=environment&steps=600&back=100\n\nAfter 600 steps, and 100 steps at home.\n",
        "reached: 1000\n\nNow [step 1,000](?at=1000) of 10,000 words, from 0 % to 100 %.\n",
        "\nGPT-3 has 96 layers (table 2.1, section 3).\n",
        "\n$$ 0.5 x = y $$\n",
    ],
)
def test_figures_a_part_looks_at_may_be_typed(tmp_path: Path, stage: str) -> None:
    assert typed(tmp_path, stage) == []


def test_a_teachers_page_may_name_stages_and_steps_of_its_part(tmp_path: Path) -> None:
    stage = "view: ?at=500\n\ntext\n"
    page = "Stage 1.1 looks at step 500 (arXiv:2601.21631).\n\nIt took 2.95 kJ in 700 steps."
    assert [line.split(": ", 1)[1] for line in typed(tmp_path, stage, page)] == [
        "it types step 700, which the part does not look at",
        "it types 2.95: write the {name} of a number that the run has measured",
    ]


def test_the_apps_texts_type_no_figure() -> None:
    assert list_typed_figures(find_lessons()) == []


def test_products_are_counted_as_the_lesson_defines_them() -> None:
    work = describe_step_work(Recipe(), 2_382, 165)
    # By block four weights, queries by keys, and weights by values; then the unembedding. Backward there are
    # two for each.
    assert work.product_count == 3 * (2 * (4 + 2) + 1) == 39
    assert work.product_count_apart == 3 * (2 * (4 + 2 * 16 * 4) + 1) == 795
    said = {
        (number, at): text
        for number in (4, 5, 11)
        for at, text in enumerate(stage_texts(number))
        if "{run.products|count}" in text
    }
    assert [number for number, _ in said] == [4, 5, 11]
    for text in said.values():
        assert "counting one for all sentences and heads" in " ".join(text.split())


def test_the_curve_in_another_town_has_the_points_that_the_lesson_names() -> None:
    # The lesson names thirty steps away, 600, and 14 and 100 at home.
    points = chosen_steps(600, 100)
    assert (points[8], points[15], points[20], points[-1]) == (30, 600, 614, 700)


def test_energies_match_their_source() -> None:
    gpt3 = next(model for model in reference_models() if model.name == "GPT-3")
    assert gpt3.joules == 1287 * 3_600e6
    text = (find_lessons() / "en" / "09-cost.md").read_text()
    assert set(re.findall(r"\b1[23]\d\d\b", text)) == {"1287"}
    assert "3600 million" in text


def test_parts_about_planted_findings_say_so() -> None:
    english = read_folder(find_lessons()).parts
    for number in (1, 8, 11):
        words = [
            span.text
            for stage in english[number].stages
            for block in stage.blocks
            for line in block.lines
            for span in line
        ]
        assert "planted" in " ".join(words)
        assert "rediscovered" in " ".join(words)


def stage_texts(number: int) -> list[str]:
    (path,) = (find_lessons() / "en").glob(f"{number:02}-*.md")
    return re.split(r"^# ", path.read_text(), flags=re.MULTILINE)


WORD = TOKENS[1]
NUMBERS = f"{{word.alike.{WORD}@0}} {{word.beside.{WORD}@last}} {{word.alike.missing@0}} {{text.alike@0}} {{text.beside@last}} {{text.by_chance@0}}"


def make_part(head: str = "", text: str = NUMBERS) -> Part:
    return parse_part("01-a.md", 1, f"title: A\naim: See.\nminutes: 5\n{head}\n# look: A\n\n{text}\n")


def resolve(run: RunFolder) -> dict[str, NumberValue]:
    return resolve_numbers(run, make_part(), read_moment(run), {}, LruCache())


def test_a_words_nearest_are_compared_with_the_text(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    text = np.random.default_rng(3).integers(1, len(TOKENS), 5_000, dtype=np.uint32)
    np.save(run.path / "corpus.npy", text)
    numbers = resolve(RunFolder(run.path))
    lists = list_words(text, run.vocabulary.tokens)
    assert lists is not None

    # Computed here in the simplest way.
    with MatrixHistory(run) as history:
        first, last = (history.snapshot(step).vectors.astype(np.float64) for step in (0, 35))

    def shared(rows: np.ndarray, listed: np.ndarray) -> list[int]:
        units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        found: list[int] = []
        for row, ids in zip(lists.rows, listed, strict=True):
            near = [int(one) for one in np.argsort(-(units @ units[row])) if one != row][:10]
            found.append(len({*near} & {int(one) for one in ids}))
        return found

    alike, beside = shared(first, lists.alike), shared(last, lists.beside)
    at = lists.rows.tolist().index(1)
    assert numbers[f"word.alike.{WORD}@0"] == NumberValue(alike[at], 0)
    assert numbers[f"word.beside.{WORD}@last"] == NumberValue(beside[at], 35)
    assert numbers["text.alike@0"].value == pytest.approx(np.mean(alike))
    assert numbers["text.beside@last"].value == pytest.approx(np.mean(beside))
    assert numbers["text.by_chance@0"].value == pytest.approx(100 / (len(TOKENS) - 1))
    assert numbers["word.alike.missing@0"] == NumberValue(None, 0, "measure")


def test_a_run_without_its_text_has_no_such_numbers(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    (run.path / "corpus.npy").unlink(missing_ok=True)
    assert {one.value for one in resolve(RunFolder(run.path)).values()} == {None}


def test_text_numbers_have_a_price_and_others_none(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    assert price_text_numbers(make_part(text="{run.rows} {word.nearest.dog@0}"), run) == 0
    assert price_text_numbers(make_part(), run) > 0


def test_a_part_names_its_text() -> None:
    assert (make_part().corpus, make_part("corpus: novels\n").corpus) == ("lamptown", "novels")
    with pytest.raises(LessonError, match="a part is about a run on lamptown or on novels"):
        make_part("corpus: manuals\n")
    assert find_difference(make_part(), make_part("corpus: novels\n")) is not None


def test_a_part_is_checked_against_the_words_of_its_own_text(tmp_path: Path) -> None:
    lessons = tmp_path / "lessons"
    (lessons / "teacher").mkdir(parents=True)
    part = "title: A\naim: See.\nminutes: 5\ncorpus: novels\nwords: elizabeth WORD\n\n# look: A\n\ntext\n"
    page = "# 21 A\n\n## Look\n\n[there](?word=WORD)\n"

    def check(word: str) -> str:
        (lessons / "21-a.md").write_text(part.replace("WORD", word))
        (lessons / "teacher" / "21-a.md").write_text(page.replace("WORD", word))
        return CliRunner().invoke(cli, ["lessons", "check", str(lessons)]).output

    # The novels have no dog, and Lamptown no Elinor.
    said = check("dog")
    assert "part 21: the text of the novels has no word 'dog'" in said
    assert "teacher's page 21 in 'en': the text of the novels has no word 'dog'" in said
    assert "no word" not in check("elinor")


FORMULAS_HEAD = "title: A part\nminutes: 5\n\n# look: A stage\n\n"


def test_a_formula_has_its_own_line() -> None:
    part = parse_part(
        "01-a.md",
        1,
        FORMULAS_HEAD + "Before it.\n$$ m̂ = m / (1 − β₁ᵗ) $$\n- an entry\n$$ a $$\n\nIt costs 5 $.\n",
    )
    assert [block.kind for block in part.stages[0].blocks] == [
        "paragraph", "formula", "list", "formula", "paragraph",
    ]  # fmt: skip
    ((span,),) = part.stages[0].blocks[1].lines
    assert (span.style, span.text) == ("plain", "m̂ = m / (1 − β₁ᵗ)")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("fine\n\n$$ \\frac{a}{b} $$\n", 8, "\\ cannot stand in a formula"),
        ("$$ W_2 $$\n", 6, "_ cannot stand"),
        ("$$ a^2 $$\n", 6, "^ cannot stand"),
        ("$$ {purity_10nn@0} $$\n", 6, "{ cannot stand"),
        ("$$ <mi>x</mi> $$\n", 6, "< cannot stand"),
        ("$$ " + "x " * MAX_FORMULA + "$$\n", 6, "at most 200 characters"),
        ("so $$ a $$ it is\n", 6, "stands alone"),
        ("$$\na\n$$\n", 6, "stands alone"),
        ("$$ a $$\n" * 20, 18, "at most 12"),
    ],
)
def test_an_invalid_formula_is_reported_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(LessonError) as caught:
        parse_part("01-a.md", 1, FORMULAS_HEAD + text)
    assert str(caught.value).startswith(f"01-a.md:{line}: ")
    assert said in str(caught.value)


CLASS_ANSWERS_HEAD = ",".join(COLUMNS)
GUESSES = "How many?,4,%,20,400,2,3,,,,\nHow many?,8,%,20,400,2,3,,,,\nHow many?,30,%,20,400,2,3,,,,\n"
CHOICES = "Falls?,Lower,,Lower,12,,,2,,,\nFalls?,Lower,,Lower,12,,,2,,,\nFalls?,Higher,,Lower,12,,,2,,,\n"
WRITTEN = "A.,,,,,,,,before,a bug,0\nA.,,,,,,,,before,,0\nA.,,,,,,,,after,'=x,2\nA.,,,,,,,,after,b,2\nA.,,,,,,,,after,c,\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "answers.csv"


def test_guesses_stand_beside_what_was_measured(file: Path) -> None:
    file.write_text(f"{CLASS_ANSWERS_HEAD}\n{GUESSES}{CHOICES}")
    numbers, choices = (one.figures() for one in read_class_answers(file).predicted)
    assert (numbers["answered"], numbers["measured"], numbers["quartiles"]) == (3, 20.0, [6.0, 8.0, 19.0])
    assert (numbers["lower"], numbers["higher"]) == (2, 1)
    assert (choices["guesses"], choices["right"]) == ({"Lower": 2, "Higher": 1}, 2)
    # Two or three of three heads.
    assert choices["by_luck"] == pytest.approx(0.5)


def test_levels_before_stand_beside_those_after(file: Path) -> None:
    file.write_text(f"{CLASS_ANSWERS_HEAD}\n{WRITTEN}")
    found = read_class_answers(file).written[0].figures()
    assert found["before"] == {"answered": 2, "marked": 2, "levels": [2, 0, 0], "mean": 0.0}
    assert found["after"] == {"answered": 3, "marked": 2, "levels": [0, 0, 2], "mean": 2.0}
    # Of the six ways to split two and two, two are as far apart.
    assert (found["difference"], found["by_chance"]) == (2.0, pytest.approx(1 / 3, abs=0.02))


def test_a_spreadsheet_may_have_saved_it(file: Path) -> None:
    rows = f"{CLASS_ANSWERS_HEAD}\n{GUESSES}".replace(",", ";").replace(";8;", ";8,5;")
    file.write_bytes(b"\xef\xbb\xbf" + rows.replace("\n", "\r\n").encode())
    assert read_class_answers(file).predicted[0].guesses == [4.0, 8.5, 30.0]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "lacks the column 'question'"),
        (b"a,b\n1,2\n", "lacks the column"),
        (CLASS_ANSWERS_HEAD.encode(), "no answers"),
        (b"\xff\xfe", "not UTF-8"),
        (b"x" * (MAX_BYTES + 1), "more than 16 MiB"),
        (
            f"{CLASS_ANSWERS_HEAD}\n{GUESSES}Q,inf,,,,,,,,,\n".encode(),
            "line 5: prediction is 'inf', not a number",
        ),
        (f"{CLASS_ANSWERS_HEAD}\nQ,,,,,,,,before,a,3\n".encode(), "line 2: level is '3', not 0, 1 or 2"),
        (f"{CLASS_ANSWERS_HEAD}\nQ,,,,,,,,soon,a,\n".encode(), "not before or after"),
        (f"{CLASS_ANSWERS_HEAD}\nQ,1,,,,,,1e9,,,\n".encode(), "line 2: choices"),
        (f"{CLASS_ANSWERS_HEAD}\n{'q' * 5_000},1,,,,,,,,,\n".encode(), "line 2"),
        (f"{CLASS_ANSWERS_HEAD}\n{'q' * 200_000},1,,,,,,,,,\n".encode(), "line"),
        (
            CLASS_ANSWERS_HEAD.encode() + b"\n" + b"".join(b"%d,1,,,,,,,,,\n" % k for k in range(1_001)),
            "1,000 questions",
        ),
    ],
)
def test_another_file_is_refused_with_its_reason(file: Path, content: bytes, problem: str) -> None:
    file.write_bytes(content)
    with pytest.raises(ClassAnswersError, match=problem):
        read_class_answers(file)


def test_the_report_says_how_little_few_answers_say(file: Path) -> None:
    file.write_text(f"{CLASS_ANSWERS_HEAD}\n{GUESSES}{CHOICES}{WRITTEN}Later?\x1b[2J,1,,,,,,,,,\n")
    told = CliRunner().invoke(class_report_command, [str(file)])
    assert told.exit_code == 0, told.output
    assert "3 are few" in told.output
    assert "not measured when the file was saved" in told.output
    assert "one class, and no sample" in told.output
    assert "\x1b" not in told.output
    found = json.loads(CliRunner().invoke(class_report_command, ["--json", str(file)]).output)
    assert [len(found[name]) for name in ("predicted", "written", "caveats")] == [3, 1, 2]
    file.write_text("no,answers\n")
    refused = CliRunner().invoke(class_report_command, [str(file)])
    assert refused.exit_code == 1
    assert "answers.csv: its first line lacks" in refused.output
