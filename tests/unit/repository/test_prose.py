"""The English of docstrings and comments: functions begin with a verb, everything else with a noun."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROOMS = ("backend", "benchmarks", "docs", "tests")

# An allowed list, not a list of what is not allowed: no pattern tells "Rows that moved." from "Move the rows."
# A verb that is missing here may be added; a noun may not.
VERBS = """
    Abort Accept Acquire Add Admit Adopt Advance Align Allow Analyse Announce Answer Append Apply Ask Assign
    Attend Audit Become Begin Blend Blur Break Build Call Cancel Capture Carry Change Check Choose Clear Clip
    Close Cluster Collect Combine Commit Compare Compile Compress Compute Configure Connect Continue Convert
    Copy Count Create Cut Decide Decode Decompress Delete Derive Describe Detect Discard Disconnect Do Drag Draw
    Drop Encode End Enqueue Enter Escape Estimate Expect Export Extend Extract Fetch Fill Finalise Find Fit
    Focus Follow Forget Forgive Fork Format Generate Give Glide Go Group Guard Hand Handle Hard-link Hold Ignore
    Implement Import Index Initialise Insert Install Invalidate Issue Join Jump Keep Kill Launch Lay Leave Let
    Light Limit List Load Locate Lock Log Look Lower Make Map Mark Measure Memoise Merge Monitor Move Name Note
    Notice Open Optimise Order Overwrite Pad Pan Parse Pass Pause Perform Pick Place Plan Play Point Poll Pool
    Post Prefetch Prepare Press Print Process Produce Project Provide Pull Quantise Queue Quote Raise Rank Read
    Rebuild Receive Record Redeem Refer Refine Reformat Refuse Register Reject Release Remember Remove Rename
    Render Reopen Replace Replay Report Reproject Request Requeue Reserve Reset Resolve Restart Restore Restrict
    Resume Retry Return Reveal Ring Roll Rotate Round Run Say Scale Score Scrub Seal Seek Select Send Serve Set
    Share Show Skip Smooth Sort Split Stand Start Step Stop Store Stream Supervise Switch Sync Take Test Thin
    Tile Tone-map Trace Train Translate Truncate Update Upload Use Verify Visit Wait Warn Watch Wrap Write Yield
    Zoom
"""
CALQUE = re.compile(r"(What|Who|Whoever|Whatever|Of|Whether|Nobody|Nothing)\b|The same\.")
"""First words that hide the verb of a sentence, or its noun."""


def python_files() -> list[Path]:
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]
    return [*sorted(file for file in files if "__pycache__" not in file.parts), ROOT / "build_frontend.py"]


def typescript_files() -> list[Path]:
    sources = (ROOT / "frontend/src", ROOT / "frontend/benchmark")
    found = [file for source in sources for file in source.rglob("*") if file.suffix in (".ts", ".svelte")]
    return sorted([*found, *(ROOT / "frontend").glob("*.ts")])


def docstrings(file: Path) -> Iterator[tuple[ast.AST, int, str]]:
    """Yield every docstring of a file, those of fields and constants too, with what it describes and its line."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node, getattr(node, "lineno", 1), text
        if isinstance(node, ast.Module | ast.ClassDef):
            for before, after in zip(node.body, node.body[1:], strict=False):
                if isinstance(before, ast.Assign | ast.AnnAssign) and isinstance(after, ast.Expr):
                    value = after.value
                    if isinstance(value, ast.Constant) and isinstance(value.value, str):
                        yield before, after.lineno, value.value


def verbless(text: str) -> bool:
    return text.split(maxsplit=1)[0].strip(".,:;") not in VERBS.split()


@pytest.mark.parametrize("room", ROOMS)
def test_a_functions_docstring_begins_with_a_verb(room: str):
    found: list[str] = []
    for file in python_files():
        if not file.is_relative_to(ROOT / room):
            continue
        for node, line, text in docstrings(file):
            # A test's name is the sentence; its docstring adds to it and need not begin with a verb.
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if function and not node.name.startswith("test_") and verbless(text):
                found.append(f"{file.relative_to(ROOT)}:{line}: {text.splitlines()[0]}")
    assert found == [], "begin with a verb and an object, such as 'Return the rows that moved.'"


def test_no_docstring_begins_with_a_clause_for_a_noun():
    found = [
        f"{file.relative_to(ROOT)}:{line}: {text.splitlines()[0]}"
        for file in python_files()
        for _, line, text in docstrings(file)
        if CALQUE.match(text)
    ]
    assert found == [], "begin with a standard noun, such as 'A bounded queue of frames for one viewer.'"


COMMENT = re.compile(r"/\*\*\s*(?:\*\s+)?(?P<text>.*?)\s*\*/[ \t]*\n?(?P<next>[^\n]*)", re.S)
FUNCTION = re.compile(
    r"\s*(?:export |default |declare )*(?:async )?function\b"
    r"|\s*(?:export )?const \w+ = (?:async )?(?:<[^>]+>)?\([^)]*\)[^=\n]*=>"
    r"|\s*(?:private |protected |public |static |override |abstract |async |get )+(?:#?\w+)(?:<[^>]+>)?\("
    r"|\s*(?!if|for|while|switch|return|catch|super|constructor|set )#?[a-z]\w*(?:<[^>]+>)?\([^()]*\)[^=;\n]*\{$"
)


def comments() -> Iterator[tuple[str, str, bool]]:
    """Yield every documentation comment of the page: where it is, its text, and whether a function follows."""
    for file in typescript_files():
        source = file.read_text(encoding="utf-8")
        for match in COMMENT.finditer(source):
            line = source.count("\n", 0, match.start()) + 1
            text = re.sub(r"\n\s*\*\s?", " ", match["text"]).strip()
            yield f"{file.relative_to(ROOT)}:{line}", text, FUNCTION.match(match["next"]) is not None


def test_a_functions_comment_on_the_page_begins_with_a_verb():
    found = [f"{where}: {text[:90]}" for where, text, function in comments() if function and verbless(text)]
    assert found == [], "begin with a verb and an object, such as 'Return the rows that moved.'"


def test_no_comment_on_the_page_begins_with_a_clause_for_a_noun():
    found = [f"{where}: {text[:90]}" for where, text, _ in comments() if CALQUE.match(text)]
    assert found == [], "begin with a standard noun, such as 'A bounded queue of frames for one viewer.'"


@pytest.mark.parametrize(
    "text", ["What a viewer was told.", "Of one run.", "The same.", "Rows that moved.", "Whether it is over."]
)
def test_the_old_habits_are_recognised(text: str):
    assert CALQUE.match(text) or verbless(text)
