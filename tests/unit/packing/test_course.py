"""The course in a packed run: the server's answers, the needed steps and questions, and hostile texts.

The gallery: an index with a picture and a sentence for each run, complete or not at all.
The packed page as text: nothing can break out, and its policy allows only what it contains.
"""

from __future__ import annotations

import html
import json
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from lamplighter.cli.app import cli
from lamplighter.exports.export import export_run
from lamplighter.exports.output import ExportError, no_progress
from lamplighter.lessons.library import LessonLibrary, find_lessons, read_folder
from lamplighter.lessons.part import Part
from lamplighter.lessons.teacher_page import TeacherPage
from lamplighter.packing import packed_run
from lamplighter.packing.packed_run import MAX_STEPS, PackedRun, RunAnswers, pack_course, pack_run
from lamplighter.packing.page import (
    PICTURE_SIZE,
    Preview,
    render_page,
    safe_json,
    write_gallery,
    write_packed_page,
)
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import write_run_name
from lamplighter.serving.jobs.exports import export_worker_command
from tests.support.evidences import store_answer
from tests.support.packed_course import ANSWER, BREAKOUT, LAST, LIE, WORDS, write_part
from tests.support.packed_maps import EARLIER, write_maps
from tests.support.synthetic_runs.recorded import HOSTILE, record


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    found = record(tmp_path_factory.mktemp("runs"), WORDS, steps=LAST)
    store_answer(found, LIE, ANSWER)
    store_answer(found, {**LIE, "sentence": "the dog meowed"}, {"own": {"p": [0.1] * 7}})
    return found


@pytest.fixture(scope="module")
def packed(run: RunFolder) -> PackedRun:
    return pack_run(run, no_progress)


def read(packed: PackedRun, name: str) -> dict[str, Any]:
    return json.loads(zlib.decompress(packed.parts[name], -zlib.MAX_WBITS))


def test_parts_match_the_server(run: RunFolder, packed: PackedRun) -> None:
    course = read(packed, "course")
    with RunAnswers(run) as answers:
        listed = json.loads(answers.ask("/api/lessons"))["items"]
        assert course["/api/lessons?lang=en"]["items"] == [
            one for one in listed if f"/lessons/{one['number']}?lang=en" in course
        ]
        for number in (1, 10):
            assert course[f"/lessons/{number}?lang=en"] == json.loads(answers.get(f"/lessons/{number}"))
    # The file is for students: it has the aims, but not the answers that a teacher expects.
    assert all(one["aim"] for one in course["/api/lessons?lang=en"]["items"])
    assert not any("/teacher" in key for key in course)
    assert "Stage by stage" not in json.dumps(course)
    assert packed.head["course"]
    numbers = course["/lessons/10?lang=en"]["numbers"]
    assert numbers["answer.what_if.own.p.3"]["value"] == 0.75
    # An unmeasured number is unknown, and reported as such.
    assert numbers["answer.what_if.also_changed.0.p.5"] == {
        "value": None,
        "step": LAST,
        "waits_for": "answer",
    }
    assert any("numbers of the course, which are not known" in line for line in packed.left_out)


def test_keeps_the_steps_of_views_within_any_budget(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_run, "_LIGHTS_BYTES", 500)
    monkeypatch.setattr(packed_run, "_NEAREST_BYTES", 2.2 * len(WORDS) * 10 * 5)
    thinned = pack_run(run, no_progress).head
    assert len(thinned["steps"]) < 50
    assert {0, 500} <= set(thinned["steps"])
    assert {0, 500} <= set(thinned["nearest"]["steps"])
    assert len(thinned["nearest"]["steps"]) <= 5
    assert thinned["neighbours"] == 10


def test_keeps_the_courses_answers_before_newer_ones(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunAnswers(run) as answers:
        all_of_them = json.loads(answers.get("/examinations"))["items"]
        size = len(answers.get(f"/examinations/{all_of_them[0]['id']}"))
    monkeypatch.setattr(packed_run, "_ANSWERS_BYTES", size)
    stored = read(pack_run(run, no_progress), "answers")
    assert [one["question"]["sentence"] for one in stored["/examinations"]["items"]] == [LIE["sentence"]]


def test_a_run_without_the_words_has_only_general_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = record(tmp_path)
    packed = pack_run(run, no_progress)
    course = read(packed, "course")
    assert "/lessons/1?lang=en" not in course
    assert {item["number"] for item in course["/api/lessons?lang=en"]["items"]} == {
        number for number, part in read_folder(find_lessons()).parts.items() if not part.words
    }
    # Without parts there is no course.

    def texts(_library: LessonLibrary, _language: str) -> tuple[dict[int, Part], dict[int, TeacherPage]]:
        return {1: read_folder(find_lessons()).parts[1]}, {}

    monkeypatch.setattr(LessonLibrary, "texts", texts)
    packed = pack_run(run, no_progress)
    assert read(packed, "course") == {}
    assert packed.head["course"] is False


def test_a_live_run_has_no_waiting_states(tmp_path: Path) -> None:
    course = read(pack_run(record(tmp_path, WORDS, phase="running"), no_progress), "course")
    part = course["/lessons/1?lang=en"]
    assert part["training"] is False
    assert part["numbers"]["word.kin.dog@500"] == {"value": None, "step": 500, "waits_for": "ended"}
    assert next(one for one in part["stages"] if one["title"] == "Watch it move")["waits_for_step"] == 500
    assert all(
        one["examination"] is None or one["examination"]["state"] is None
        for one in course["/lessons/10?lang=en"]["stages"]
    )


def test_a_hostile_part_cannot_break_out(run: RunFolder, tmp_path: Path) -> None:
    paragraphs = [" ".join(f"[x](?at={at + step})" for step in range(25)) for at in range(1, 200, 25)]
    text = "\n\n".join([f"`{BREAKOUT}` and `<!--`", *paragraphs])
    lessons = write_part(tmp_path / "own", f"{text}\n")
    packed = pack_run(run, no_progress, lessons)
    stage = read(packed, "course")["/lessons/77?lang=en"]["stages"][0]
    assert stage["title"] == BREAKOUT
    assert any(span["text"] == BREAKOUT for span in stage["blocks"][0]["lines"][0])
    page = render_page(packed, Preview("a", "b"))
    assert "src=x" not in page
    assert page.count("<script") == page.count("</script>")
    # It cannot make the file keep an arbitrary number of steps.
    with RunAnswers(run, lessons) as answers:
        steps = pack_course(answers, LAST).steps
    assert len(steps) == MAX_STEPS
    assert {0, 500} <= set(steps)


def test_custom_texts_reach_the_page_from_every_exporter(run: RunFolder, tmp_path: Path) -> None:
    lessons, out = tmp_path / "own", tmp_path / "run.html"
    assert f"--lessons={lessons}" in export_worker_command(run, "html", None, out, lessons)
    assert export_worker_command(run, "npy", 3, out, lessons) == export_worker_command(run, "npy", 3, out)
    with pytest.raises(ExportError, match="no course"):
        export_run(run, "csv", out=out, lessons=lessons)


def test_the_command_prepares_lessons_and_takes_custom_texts(tmp_path: Path) -> None:
    with zipfile.ZipFile(EARLIER) as archive:
        archive.extractall(tmp_path / "runs")
    run = RunFolder(tmp_path / "runs" / "recorded")
    write_maps(run.layouts_path, 0, 25, size=len(run.vocabulary))
    lessons = write_part(tmp_path / "own", "Any run can tell it.\n")
    command = ["export", "recorded", "--runs", str(tmp_path / "runs")]
    refused = CliRunner().invoke(cli, [*command, "--to", "csv", "--prepare-lessons"])
    assert refused.exit_code == 2
    assert "need --to html" in refused.output
    page = tmp_path / "run.html"
    command += ["--to", "html", "--out", str(page), "--lessons", str(lessons)]
    # A question that cannot be asked is reported, and the page is made without it.
    asked = CliRunner().invoke(cli, [*command, "--prepare-lessons"])
    assert asked.exit_code == 0, asked.output
    assert "is unknown" in asked.output or "is left out" in asked.output
    page.unlink()
    made = CliRunner().invoke(cli, command)
    assert made.exit_code == 0, made.output
    assert f"{page}: " in made.output
    assert '"course":true' in page.read_text(encoding="utf-8")


def test_an_index_a_page_and_a_picture_for_each_run(tmp_path: Path) -> None:
    runs = [record(tmp_path / "runs"), record(tmp_path / "runs")]
    write_run_name(runs[0].path, '<script>alert("&")</script>')
    out = write_gallery(runs, tmp_path / "site", "https://example.org/city")
    assert {path.name for path in out.iterdir()} == {
        "index.html",
        "THIRD-PARTY.txt",
        "README.md",
        "sitemap.xml",
        *(f"{run.id}.html" for run in runs),
        *(f"{run.id}.png" for run in runs),
    }
    index = (out / "index.html").read_text(encoding="utf-8")
    assert "<script" not in index
    assert f'<a class="also" href="{runs[0].id}.html?lang=de"' in index
    sitemap = ElementTree.fromstring((out / "sitemap.xml").read_text(encoding="utf-8"))
    pages = ["", *(f"{run.id}.html" for run in runs)]
    assert [one.text for one in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")] == [
        f"https://example.org/city/{page}" for page in pages
    ]
    # A folder with this in its README is a static Space.
    assert "\nsdk: static\n" in (out / "README.md").read_text(encoding="utf-8").split("---")[1]
    assert "&lt;script&gt;" in index
    assert f'content="https://example.org/city/{runs[0].id}.png"' in index
    assert "A language model learns 10 words: 30 steps" in index
    assert '<a href="THIRD-PARTY.txt">' in index
    assert "SIL OPEN FONT LICENSE" in (out / "THIRD-PARTY.txt").read_text(encoding="utf-8")
    page = (out / f"{runs[1].id}.html").read_text(encoding="utf-8")
    assert f'content="https://example.org/city/{runs[1].id}.png"' in page
    png = (out / f"{runs[0].id}.png").read_bytes()
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == PICTURE_SIZE


def test_files_lie_beside_a_page_that_has_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = record(tmp_path / "runs")
    out = write_gallery([run], tmp_path / "one")
    assert not (out / f"{run.id}-words").exists()
    assert "strict-dynamic" not in (out / f"{run.id}.html").read_text(encoding="utf-8")
    # Without an address there is no preview picture.
    assert "og:image" not in (out / "index.html").read_text(encoding="utf-8")
    assert not (out / "sitemap.xml").exists()
    monkeypatch.setattr(packed_run, "_NEAREST_BYTES", 100)
    out = write_gallery([run], tmp_path / "site")
    call = (out / f"{run.id}-words" / "0.js").read_text(encoding="ascii")
    assert re.fullmatch(r'lamplighterFile\("[0-9a-f]{16}",0,"[\w+/=]+"\)\n', call)
    # Only what the page's own script adds may run, and nothing in its text.
    page = (out / f"{run.id}.html").read_text(encoding="utf-8")
    assert re.search(r"script-src (?:&#x27;sha256-[\w+/=]+&#x27; )+&#x27;strict-dynamic&#x27;;", page)


@pytest.mark.parametrize(
    "url",
    [
        "example.org",
        "ftp://example.org/",
        "https://",
        "https://me@example.org/",
        "https://example.org/?a",
        "https://[x",
    ],
)
def test_rejects_an_invalid_address_before_writing(run: RunFolder, tmp_path: Path, url: str) -> None:
    with pytest.raises(ExportError, match="--url"):
        write_gallery([run], tmp_path / "site", url)
    assert not (tmp_path / "site").exists()


def test_a_run_that_cannot_be_packed_leaves_no_gallery(tmp_path: Path) -> None:
    runs = [record(tmp_path / "runs"), record(tmp_path / "runs", layouts=False)]
    with pytest.raises(ExportError, match="no map yet"):
        write_gallery(runs, tmp_path / "site")
    assert list(tmp_path.iterdir()) == [tmp_path / "runs"]
    with pytest.raises(ExportError, match="needs a run"):
        write_gallery([], tmp_path / "site")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    write_packed_page(record(folder / "runs"), folder / "run.html", no_progress)
    return (folder / "run.html").read_text(encoding="utf-8")


def test_json_cannot_break_out_of_the_page() -> None:
    text = safe_json([*HOSTILE, "<!--", "]]>"])
    assert json.loads(text) == [*HOSTILE, "<!--", "]]>"]
    assert not any(sign in text for sign in "<>&\u2028\u2029\x00")
    assert json.loads(safe_json("\ud800")) == "?"


def test_the_policy_allows_only_what_the_page_uses(page: str) -> None:
    found = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert found
    policy = dict(part.split(" ", 1) for part in html.unescape(found[1]).split("; "))
    # The default does not apply to these two.
    for name in ("default-src", "form-action", "base-uri"):
        assert policy[name] == "'none'"
    assert "connect-src" not in policy
    assert all("unsafe" not in allowed for allowed in policy.values())


def test_nothing_can_end_the_data_early(page: str) -> None:
    assert page.count("<script") == page.count("</script>")
    # The token is in the compressed data alone.
    assert HOSTILE[4] not in page
    assert "src=x" not in page


def test_includes_third_party_notices(page: str) -> None:
    """Licences must accompany each copy: they are readable in the file as text."""
    found = re.search(r'<script type="text/plain" id="third-party">(.*?)</script>', page, re.S)
    assert found
    rule = "-" * 80
    noticed = {part.split()[0]: part for part in found[1].split(rule)[1:]}
    # What is in it: the page's own code, the font that the style holds, and the plots.
    assert "font/woff2;base64" in page
    assert 'data-part="/vendor/plotly.min.js"' in page
    for name, words in {
        "svelte": "Permission is hereby granted, free of charge",
        "clsx": "Permission is hereby granted, free of charge",
        "plotly.js-basic-dist-min": "Permission is hereby granted, free of charge",
        "@fontsource-variable/inter": "PERMISSION & CONDITIONS",
    }.items():
        assert words in noticed[name], name
        assert "Copyright" in noticed[name]


def test_makes_no_network_requests(page: str) -> None:
    head = page[: page.index("<body>")]
    assert "http://" not in re.sub(r'xmlns="[^"]+"|data:[^"]+', "", head.split("<style>")[0])
    assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', head.split("<style>")[0]) == []


def test_a_hostile_name_stays_text(tmp_path: Path) -> None:
    packed = pack_run(record(tmp_path), no_progress)
    preview = Preview('"><script>alert(1)</script>', "</title><b>", "https://example.org/a.png")
    text = render_page(packed, preview)
    assert "<script>alert(1)" not in text
    assert "<b>" not in text[: text.index("<style")]
    assert 'content="https://example.org/a.png"' in text
