"""The parser of the course: the tree it returns, and errors with file and line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lamplighter.lessons.library import LessonLibrary, read_folder
from lamplighter.lessons.part import LessonError, Part, figure_name, parse_number_name
from lamplighter.lessons.part_parser import MAX_PART_BYTES, parse_part
from lamplighter.lessons.view_query import ViewQueryError, parse_view_query

ROOT = Path(__file__).parents[3]
HEAD = "title: A part\nminutes: 5\nwords: dog, cat\n\n"
STAGE = "# look: A stage\nview: ?word=dog&at=7\n\nSome text.\n"


def parse(stages: str, head: str = HEAD) -> Part:
    return parse_part("01-a.md", 1, head + stages)


def refuse(stages: str, head: str = HEAD) -> str:
    with pytest.raises(LessonError) as caught:
        parse(stages, head)
    found = re.match(r"01-a\.md:\d+: ", str(caught.value))
    assert found is not None
    return str(caught.value)


def test_a_part_is_a_tree_of_stages() -> None:
    part = parse(
        "# prediction: How many?\n"
        "predict: How many are animals?\nnumber: word.kin.dog@0|count\nfrom: 0\nto: 10\n\n"
        "One *soft*, one **loud {purity_10nn@0|percent}**, `code` and a\n[link](?word=cat&at=0).\n\n- one\n- two\n  goes on\n\nEnd.\n"
        "# number: There\nview: ?at=500\nexamine: kind=what_if&sentence=the cat barked&steps=3\n\n{answer.what_if.own.p.last|percent}\n"
    )
    assert (part.title, part.minutes, part.words) == ("A part", 5, ("dog", "cat"))
    first, second = part.stages
    assert first.prediction is not None
    assert (first.prediction.least, first.prediction.most, first.prediction.choices) == (0, 10, ())
    spans = first.blocks[0].lines[0]
    assert [(span.style, span.text) for span in spans if span.number is None] == [
        ("plain", "One "), ("emphasis", "soft"), ("plain", ", one "), ("strong", "loud "), ("plain", ", "),
        ("code", "code"), ("plain", " and a "), ("plain", "link"), ("plain", "."),
    ]  # fmt: skip
    assert [span.number.text for span in spans if span.number] == ["purity_10nn@0"]
    assert [span.view for span in spans if span.view] == ["?word=cat&at=0"]
    assert [block.kind for block in first.blocks] == ["paragraph", "list", "paragraph"]
    assert [line[0].text for line in first.blocks[1].lines] == ["one", "two goes on"]
    assert (second.view, second.reached) == ("?at=500", 500)
    assert second.examination is not None
    assert (second.examination.fields["steps"], second.examination.fields["after"]) == (3, 0)
    assert (second.examination.name, second.examination.step) == ("what_if", None)
    assert {name.text for name in part.numbers} == {
        "purity_10nn@0", "word.kin.dog@0", "answer.what_if.own.p.last",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<script>alert(1)</script>", "no HTML"),
        ("a <b>word</b>", "no HTML"),
        ("[go](javascript:alert)", "begins with ?"),
        ("[go](https://example.org)", "begins with ?"),
        ("[go](?run=other)", "no key 'run'"),
        ("[go](?panel=secrets)", "panel cannot be"),
        ("{os.environ}", "needs a step"),
        ("{__class__@0}", "no measure"),
        ("{purity_10nn@-1}", "needs a step"),
        ("{purity_10nn@0|hex}", "no form"),
        ("{answer.what_if.own.p.3}", "no stage asks"),
        ("{answer.nothing.a}", "no stage asks"),
        *(
            (
                f"{{answer.what_if.{path}}}\n\n# look: B\nexamine: kind=what_if&sentence=a",
                "has no such number",
            )
            for path in (
                "own",
                "own.p",
                "own.p.x",
                "own.nothing",
                "text",
                "own.p.0.1",
                "candidates.before.0.2",
                "replayed.origin",
            )
        ),
        ("{answer.What.a}", "names no number"),
        ("{claim.29.share}", "no claim"),
        ("{claim.6.Share of}", "names no figure"),
        ("{run.secrets}", "no number of a run"),
        ("{answer.what_if.__dict__.A}", "names no number"),
        ("**half", "stands alone"),
        ("![picture](?at=0)", None),
        ("a \u202eturned line", "cannot be shown"),
        ("*a **b** c*", "stands alone"),
    ],
)
def test_invalid_text_is_refused(text: str, said: str | None) -> None:
    if said is None:
        # A picture is a link like any other, after an exclamation mark.
        assert parse(f"# look: A\n\n{text}\n").stages[0].blocks[0].lines[0][1].view == "?at=0"
    else:
        assert said in refuse(f"# look: A\n\n{text}\n")


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ("text without a stage\n", "there is no stage"),
        ("# dance: A\n\ntext\n", "a stage begins with"),
        ("# look: A\ncolour: red\n\ntext\n", "is no line of a head"),
        ("# look: A\nview: ?at=x\n\ntext\n", "a whole number"),
        ("# look: A\nview: ?at=1\nview: ?at=2\n\n", "said too often"),
        ("# look: A\npredict: What?\nnumber: purity_10nn@0\nfrom: 0\nto: 1\n\n", "and no other"),
        ("# prediction: A\n\ntext\n", "has a line predict"),
        ("# prediction: A\npredict: What?\nnumber: purity_10nn@0\nfrom: 1\nto: 0\n\n", "less than"),
        ("# prediction: A\npredict: What?\nnumber: purity_10nn@0\nfrom: nan\nto: 1\n\n", "no number"),
        ("# prediction: A\npredict: What?\nnumber: purity_10nn@0\nchoice: 1 = one\n\n", "two to four"),
        ("# look: A\nexamine: kind=rob&steps=1\n\n", "examine"),
        ("# look: A\nexamine: kind=what_if&sentence=x&steps=99\n\n", "steps"),
        ("# look: A\nexamine: kind=what_if&sentence=x&step=x\n\n", "step"),
        ("# look: A\nexamine: kind=what_if&sentence=x&as=Two words\n\n", "is no name"),
        ("# look: A\nexamine: kind=bench\n\n# look: B\nexamine: kind=bench&steps=9\n\n", "have one name"),
        ("".join(f"# look: A\nexamine: kind=speak&prompt=x&as={name}\n\n" for name in "abcdefghi"), "at most 8 questions"),
        ("# look: A\nreached: 99999999999\n\n", "no number from"),
        (STAGE * 21, "at most 20 stages"),
        ("# look: A\n\n" + "*a* " * 200, "at most 60 pieces"),
        ("# look: A\n\n" + "p\n\n" * 40, "at most 12"),
        ("# look: A\n\n" + "- p\n" * 40, "at most 8"),
        ("# look: A\n\n" + "x" * 3_000, "at most 2,000 characters"),
        ("x" * 100 + "\n" + ("y" * 100 + "\n") * MAX_PART_BYTES, "bytes"),
        ("# look: A\n\n" + "".join(f"{{word.kin.w{at}@0}}\n" for at in range(13)), "of words"),
        ("# look: A\n\n" + "".join(f"{{relation.nearest_of_c.r@{at}}}\n" for at in range(13)), "of words"),
    ],
)  # fmt: skip
def test_an_invalid_part_is_refused(stages: str, said: str) -> None:
    assert said in refuse(stages)


def test_an_error_names_its_line() -> None:
    assert refuse("# look: A\n\nfine\n\nnot <b>fine\n").startswith("01-a.md:9: ")
    assert refuse("# look: A\nview: ?at=x\n\n").startswith("01-a.md:6: ")


@pytest.mark.parametrize(
    "line",
    [
        "[" * 900 + "{" * 900 + "(" * 100,
        "> " * 900,
        "- " * 900,
        "*a **b " * 250,
        "`" * 900 + " " + "`" * 901,
        "| a " * 400 + "|\n" + "|---" * 400 + "|",
    ],
)
def test_deep_nesting_is_refused(line: str) -> None:
    refuse(f"# look: A\n\n{line}\n")


def test_folders_are_untrusted(tmp_path: Path) -> None:
    (tmp_path / "01-good.md").write_text(HEAD + STAGE)
    (tmp_path / "02-Bad Name.md").write_text(HEAD + STAGE)
    (tmp_path / "03-binary.md").write_bytes(b"title: x\n\xff\xfe")
    (tmp_path / "04-large.md").write_bytes(b"x" * (MAX_PART_BYTES + 1))
    (tmp_path / "05-folder.md").mkdir()
    (tmp_path / "06-link.md").symlink_to(tmp_path / "01-good.md")
    (tmp_path / "notes.txt").write_text("not a part")
    (tmp_path / "01-twice.md").write_text(HEAD + STAGE)
    found = read_folder(tmp_path)
    assert list(found.parts) == [1]
    problems = "\n".join(map(str, found.problems))
    for said in ("01-twice.md:1: number 1 is there already", "02-Bad Name.md:1: the file's name", "03-binary.md:2: it is no UTF-8",
                 "04-large.md:1: a part has at most", "05-folder.md:1: ", "06-link.md:1: it cannot be read"):  # fmt: skip
        assert said in problems
    assert len(found.problems) == 6


def test_an_overlay_replaces_and_adds_and_is_reloaded_when_it_changes(tmp_path: Path) -> None:
    own, overlay = tmp_path / "own", tmp_path / "overlay"
    own.mkdir()
    overlay.mkdir()
    (own / "01-a.md").write_text(HEAD + STAGE)
    library = LessonLibrary((own, overlay, tmp_path / "missing"))
    assert [part.title for part in library.parts().values()] == ["A part"]
    (overlay / "01-b.md").write_text(HEAD.replace("A part", "Another") + STAGE)
    (overlay / "03-c.md").write_text(HEAD + STAGE)
    assert {number: part.title for number, part in library.parts().items()} == {1: "Another", 3: "A part"}
    (overlay / "01-b.md").write_text("broken")
    assert {number: part.title for number, part in library.parts().items()} == {1: "A part", 3: "A part"}


@pytest.mark.parametrize(
    "query",
    [
        "at=0",
        "?at=1&at=2",
        "?at=\n",
        "?" + "a=1&" * 400,
        "?lesson=1.2",
        "?speed=0",
        "?word=",
        "?section=river",
        "?panel=cost&section=river",
        "?panel=map&section=sets",
    ],
)
def test_an_invalid_view_is_refused(query: str) -> None:
    with pytest.raises(ViewQueryError):
        parse_view_query(query)


def test_two_questions_of_a_kind_have_names_and_may_name_their_step() -> None:
    part = parse(
        "# look: A\nexamine: kind=speak&prompt=the dog&step=100&as=early\n\n{answer.early.greedy.0.p}\n"
        "# look: B\nexamine: kind=speak&prompt=the dog\n\n{answer.speak.greedy.0.p}\n"
    )
    asked = [stage.examination for stage in part.stages]
    assert [(one.name, one.step) for one in asked if one] == [("early", 100), ("speak", None)]
    assert [stage.reached for stage in part.stages] == [100, 0]


def test_figure_and_measure_names_have_lowercase_letters_and_points() -> None:
    assert figure_name("lit_by_a_batch", 2_048) == "lit_by_a_batch_2048"
    assert parse_number_name("analogy.male_female@500").parts == ("analogy male female",)
    assert parse_number_name("rank.dog.cat@last").parts == ("rank dog/cat",)
