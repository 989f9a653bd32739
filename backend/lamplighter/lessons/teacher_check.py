"""The check of the teacher's pages: places of the course, words and numbers that they name and that do not exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lamplighter.lessons.corpus_words import CORPUS_NAMES, words_of
from lamplighter.lessons.part import LESSON_CORPORA, Part
from lamplighter.lessons.teacher_page import TeacherPage
from lamplighter.lessons.view_query import PLACE, parse_view_query, words_of_view


def list_page_problems(pages: Iterable[TeacherPage], parts: Mapping[int, Part]) -> list[str]:
    """Return what is wrong with the teacher's pages, a line each.

    Args:
        pages: the pages.
        parts: the parts of the course that they are about, by number.
    """
    return [
        f"teacher's page {page.number} in {page.language!r}: {problem}"
        for page in pages
        for problem in dict.fromkeys(_problems(page, parts))
    ]


def _problems(page: TeacherPage, parts: Mapping[int, Part]) -> Iterator[str]:
    part = parts.get(page.number)
    if page.number and part is None:
        yield f"there is no part {page.number}: give the page its part's number, or 00 to be read before the first"
    known = {name.text for name in part.numbers} if part else set[str]()
    corpus = part.corpus if part else LESSON_CORPORA[0]
    for span in page.spans():
        if span.number and span.number.name.text not in known:
            yield f"{span.number.name.text} is no number that the part itself names: only those are told here"
        if span.view is None:
            continue
        view = parse_view_query(span.view, with_place=True)
        place = PLACE.fullmatch(view.get("lesson", ""))
        if place and (int(place[1]) not in parts or int(place[2] or 1) > len(parts[int(place[1])].stages)):
            yield f"the course has no {place[0]}, which {span.view} opens"
        for word in words_of_view(view):
            if word not in words_of(corpus):
                yield f"{CORPUS_NAMES[corpus]} has no word {word!r}"
