"""The documentation of installed Python packages as a corpus: real technical English, without a download.

Docstrings are extracted from the source files with `ast`, without importing packages. The text is cached in the user's
cache folder under a name that depends on the packages' versions.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import inspect
import os
import re
import sys
import sysconfig
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import platformdirs

from lamplighter.corpora.corpus import CorpusError

_MIN_WORDS = 6
"""Minimum words of a paragraph; shorter ones are headings, types and names."""
_PLAIN_SHARE = 0.75
"""Minimum share of plain words, not code, in a paragraph."""

_UNDERLINE = re.compile(r"\s*([=\-~^\"'*#+`.])\1{2,}[\s=\-~^+|]*")
_DIRECTIVE = re.compile(r"\s*\.\. ?(?P<name>[\w:\-]*)")
_ADMONITIONS = (
    "note",
    "warning",
    "versionadded",
    "versionchanged",
    "deprecated",
    "seealso",
    "tip",
    "important",
)
_PARAMETER = re.compile(
    r"\s*(?:\*{0,2}[\w.,\s*`'\"|]{1,60}\s:\s|[:@](?:param|type|return|rtype|raises|arg|keyword)\b[^:]*:|"
    r"\*{0,2}[\w`]{1,40}\s*\([^)]*\)\s*:)"
)
_BULLET = re.compile(r"\s*(?:[-*+•]|\(?\w{1,2}[.)])\s+")
_ROLE = re.compile(r":[\w:+.\-]+:`~?\.?([^`<]*?)(?:\s*<[^>]*>)?`")
_LINK = re.compile(r"`([^`<]*?)\s*<[^>]*>`_{0,2}")
_TICKS = re.compile(r"`{1,2}([^`]*)`{1,2}_{0,2}")
_FOOTNOTE = re.compile(r"\s*\[[\w#*]{1,12}\]_")
_MATH = re.compile(r":math:`[^`]*`|\$[^$]*\$|\\\([^)]*\\\)")
_STARS = re.compile(r"\*{1,2}([^*\s](?:[^*]*[^*\s])?)\*{1,2}")
_ADDRESS = re.compile(r"<?(?:https?|ftp)://\S+")
_PLAIN = re.compile(r"[(\"'“]*[A-Za-z][a-z'’\-]*[)\"'”]*[.,;:!?]*|[0-9]+[.,]?|[A-Z]{2,5}s?[.,;:]?")
_SKIPPED_SECTIONS = frozenset({"references", "see also", "methods", "attributes", "routine listings"})


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _text_lines(docstring: str) -> Iterator[str]:
    """Yield the lines that may be prose, with an empty line after each paragraph."""
    lines = inspect.cleandoc(docstring).splitlines()
    block: int | None = None  # indent of the line that opened a block of code, maths or a table
    skipping = False  # inside a section that is a list of names
    index = 0
    while index < len(lines):
        line = lines[index]
        following = lines[index + 1] if index + 1 < len(lines) else ""
        index += 1
        if not line.strip():
            yield ""
            continue
        if block is not None:
            if _indent(line) > block:
                continue
            block = None
        if line.strip() and _indent(following) == _indent(line) and _UNDERLINE.fullmatch(following):
            skipping = line.strip().lower() in _SKIPPED_SECTIONS
            index += 1
            yield ""
            continue
        if skipping or _UNDERLINE.fullmatch(line):
            yield ""
            continue
        if line.lstrip().startswith(">>>"):
            while index < len(lines) and lines[index].strip():
                index += 1
            yield ""
            continue
        directive = _DIRECTIVE.match(line)
        if directive:
            yield ""
            if directive["name"].rstrip(":") not in _ADMONITIONS:
                block = _indent(line)
            continue
        if _PARAMETER.match(line):
            yield ""
            described = line.split(" : ", 1)[0] if " : " in line else line
            _, colon, rest = described.partition("):")
            if colon and len(rest.split()) >= _MIN_WORDS:
                yield rest
            continue
        if _BULLET.match(line):
            yield ""
            line = _BULLET.sub("", line, count=1)
        if line.rstrip().endswith("::"):
            block = _indent(line)
            yield line.rstrip()[:-1]
            yield ""
            continue
        yield line


def _without_markup(text: str) -> str:
    text = _MATH.sub("", text)
    text = _ROLE.sub(r"\1", text)
    text = _LINK.sub(r"\1", text)
    text = _TICKS.sub(lambda found: found[1].lstrip("~"), text)
    text = _FOOTNOTE.sub("", text)
    text = _ADDRESS.sub("", text)
    text = _STARS.sub(r"\1", text)
    return " ".join(text.split())


def _is_prose(text: str) -> bool:
    words = text.split()
    if len(words) < _MIN_WORDS or text[-1] not in ".!?:":
        return False
    plain = sum(1 for word in words if _PLAIN.fullmatch(word))
    return plain >= _PLAIN_SHARE * len(words)


def extract_prose(docstring: str) -> list[str]:
    """Return the paragraphs of a docstring that read as English, each on one line.

    Removes doctests, code and maths blocks, directives, tables, headings, `name : type` lines, lists of names
    (References, See Also), and the markup of roles, links and emphasis. Keeps a paragraph if it is a sentence of at
    least six words, three quarters of them plain words.
    """
    kept: list[str] = []
    lines: list[str] = []
    for line in [*_text_lines(docstring), ""]:
        if line.strip():
            lines.append(line.strip())
        elif lines:
            text = _without_markup(" ".join(lines))
            if text and _is_prose(text):
                kept.append(text)
            lines = []
    return kept


STANDARD_LIBRARY = "python"
"""Name of the standard library among the packages."""
PACKAGES = (STANDARD_LIBRARY, "numpy", "scipy", "sklearn", "torch")
"""Packages to read if installed, in this order."""

_REVISION = 1
"""Version of the extraction; increase it when the extracted prose changes, to invalidate caches."""
_TORCH_PARTS = [
    "nn",
    "optim",
    "utils/data",
    "distributions",
    "autograd",
    "linalg",
    "fft",
    "special",
    "sparse",
    "func",
    "amp",
    "ao/nn",
    "export",
    "_torch_docs.py",
    "_tensor_docs.py",
    "_tensor.py",
    "functional.py",
    "serialization.py",
    "random.py",
    "storage.py",
    "hub.py",
]
"""Parts of torch that document its use; the rest is 2,000 files of internals."""
_SKIPPED = frozenset(
    [
        "test",
        "tests",
        "testing",
        "site-packages",
        "dist-packages",
        "__pycache__",
        "idlelib",
        "lib2to3",
        "turtledemo",
        "ensurepip",
        "pydoc_data",
        "_pyinstaller",
        "externals",
        "_vendor",
        "distutils",
        "f2py",
        "array_api_compat",
        "array_api_extra",
    ]
)
_ADDED_DOCS = frozenset({"add_docstr", "add_newdoc", "_add_docstr", "add_docstr_all"})
"""Functions with which numpy and torch document C code."""


def _root(package: str) -> Path | None:
    if package == STANDARD_LIBRARY:
        return Path(sysconfig.get_paths()["stdlib"])
    with contextlib.suppress(ImportError, ValueError):
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            return Path(next(iter(spec.submodule_search_locations)))
    return None


def _version(package: str) -> str:
    if package == STANDARD_LIBRARY:
        return sys.version.split()[0]
    names = {"sklearn": "scikit-learn"}
    try:
        return importlib.metadata.version(names.get(package, package))
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _files(package: str, root: Path) -> list[Path]:
    parts = [root / part for part in _TORCH_PARTS] if package == "torch" else [root]
    found: list[Path] = []
    for part in parts:
        if part.is_file():
            found.append(part)
        elif part.is_dir():
            files = part.rglob("*.py")
            found.extend(sorted(file for file in files if not _SKIPPED & set(file.relative_to(root).parts)))
    return found


def _docstrings(file: Path) -> Iterator[str]:
    """Yield the docstrings of one source file in order; none if it cannot be read or parsed."""
    try:
        source = file.read_text(encoding="utf-8")
        if '"""' not in source and "'''" not in source:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in their source
            tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        pending.extend(reversed(list(ast.iter_child_nodes(node))))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text:
                yield text
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else None
            name = node.func.id if isinstance(node.func, ast.Name) else name
            if name in _ADDED_DOCS:
                for part in ast.walk(node):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and "\n" in part.value:
                        yield part.value


def _collect(roots: dict[str, Path], progress: Callable[[float, str], None] | None) -> str:
    files = [(package, file) for package, root in roots.items() for file in _files(package, root)]
    seen: set[str] = set()
    documents: list[str] = []
    for number, (package, file) in enumerate(files):
        if progress is not None and number % 25 == 0:
            progress(number / len(files), f"reading the manuals of {package}")
        for docstring in _docstrings(file):
            # Packages repeat whole paragraphs from one function to the next; use each only once.
            fresh = [text for text in extract_prose(docstring) if text not in seen]
            seen.update(fresh)
            if fresh:
                documents.append(" ".join(fresh))
    return "\n\n".join(documents)


def _read_cache(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _write_cache(path: Path, text: str) -> None:
    """Write the cache atomically; ignore errors, which only slow down the next call."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise


def read_python_docs(
    progress: Callable[[float, str], None] | None = None,
    packages: Sequence[str] = PACKAGES,
    cache: Path | None = None,
) -> str:
    """Read the prose of installed packages' docstrings, with blank lines between paragraphs. The result
    depends only on the versions. `python` is the standard library; `cache`: the folder for the text, by
    default the user's. It raises CorpusError if no package has its source installed.
    """
    roots = {package: root for package in packages if (root := _root(package)) is not None}
    described = "\n".join([str(_REVISION), *(f"{package} {_version(package)}" for package in roots)])
    folder = Path(platformdirs.user_cache_dir("lamplighter")) if cache is None else cache
    path = folder / f"manuals-{hashlib.sha256(described.encode()).hexdigest()[:16]}.txt"
    text = _read_cache(path)
    if not text:
        text = _collect(roots, progress)
        if not text:
            raise CorpusError(
                "no manuals are found on this machine: the packages come without source; bring a text file"
            )
        _write_cache(path, text)
    if progress is not None:
        progress(1.0, "the manuals are read")
    return text
