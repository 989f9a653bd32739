"""Method names that many classes share are few and known, and the glossary says where its words are defined."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
BACKEND = ROOT / "backend/lamplighter"
PAGE = ROOT / "frontend/src"

# Words that many classes share because they mean the same in each; everything else that five share is made distinctive.
PROTOCOL = {
    "applyView": "adopt the parts of a view that are the store's; what the view lacks stays",
    "close": "release what is held: a file, a connection, a request in flight",
    "commit": "write one transaction",
    "read_part": "return some bytes of an object of a store",
    "question": "say what a polled query asks of the server now",
    "work": "say what a question computes, by which it is priced",
    "start": "begin work in a thread or a process",
    "stop": "end that work; one that does not wait for its end says so",
    "toViewState": "return the store's part of the view, with null for defaults",
}


def sources() -> list[Path]:
    return sorted(
        file for file in PAGE.rglob("*") if file.suffix in (".ts", ".svelte") and ".test." not in file.name
    )


def python_methods() -> Iterator[tuple[str, str]]:
    """Yield the name and the class of every public method of the backend."""
    for file in sorted(BACKEND.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                for method in node.body:
                    if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and method.name[:1] != "_":
                        yield method.name, f"{file.relative_to(BACKEND).as_posix()}:{node.name}"


METHOD = re.compile(
    r"^  (?:(?:private|protected|public|static|async|override|abstract) )*#?(\w+)(?:<[^>]*>)?\("
)
NO_METHODS = {"constructor", "if", "for", "while", "switch", "return", "super"}


def typescript_methods() -> Iterator[tuple[str, str]]:
    """Yield the name and the class of every method of the page."""
    for file in sources():
        inside = None
        for line in file.read_text(encoding="utf-8").splitlines():
            if begins := re.match(r"(?:export )?(?:abstract )?class (\w+)", line):
                inside = begins[1]
            elif line.startswith("}"):
                inside = None
            elif inside and (method := METHOD.match(line)) and method[1] not in NO_METHODS:
                yield method[1], f"{file.relative_to(PAGE).as_posix()}:{inside}"


def shared_by_five(methods: Iterator[tuple[str, str]]) -> dict[str, set[str]]:
    classes: dict[str, set[str]] = defaultdict(set)
    for name, owner in methods:
        classes[name].add(owner)
    return {name: owners for name, owners in classes.items() if len(owners) >= 5 and name not in PROTOCOL}


def test_a_method_name_that_five_classes_of_the_backend_share_is_a_protocol():
    assert shared_by_five(python_methods()) == {}


def test_a_method_name_that_five_classes_of_the_page_share_is_a_protocol():
    assert shared_by_five(typescript_methods()) == {}


def glossary() -> list[tuple[str, str]]:
    """Return the words of the glossary, each with the file that defines it."""
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    return re.findall(r"^\| \*\*([^*]+)\*\* \|.*\| `([^`]+)` \|$", text, re.M)


def test_each_word_of_the_glossary_is_defined_where_it_says():
    words = glossary()
    assert {"attempt", "lineage", "pulse", "census", "keyframe", "tile", "beat", "district"} <= {
        w for w, _ in words
    }
    for word, place in words:
        source = (ROOT / place).read_text(encoding="utf-8")
        assert re.search(rf"\b{word}", source, re.I), f"{word} is not in {place}"
    own_words, _names = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").split("## On the page")
    assert len(own_words.splitlines()) <= 60
