"""Measure Lamplighter, and judge each figure by its goal in docs/benchmarks.md.

Without a name, all benchmarks run but those on request, which read what is not ours.
Exit status: 1 if a goal was missed, 2 for an unknown name or option, 3 if the machine was disturbed while a goal was to be judged.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import itertools
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.support.report import judge, judge_in_quiet

MODULES = {
    "observation": ("observation", "recording"),
    "watch": ("watch", "sharded"),
    "push": ("push",),
    "live": ("load", "latency", "viewers", "pages"),
    "start": ("cold_start", "first_map", "first_visit"),
    "lamptown": ("purity", "town"),
    "record": ("storage", "history", "store"),
    "histories": ("histories",),
    "map": ("map",),
    "city": ("city",),
    "city_time": ("city_time", "packed"),
    "hostile": ("hostile",),
    "classroom": ("classroom",),
    "carriers": ("fanout", "broadcast"),
    "examiner": ("examiner",),
    "claims_controls": ("claims_controls",),
    "lessons": ("claims", "course"),
    "many_runs": ("forks", "sets"),
    "layers": ("layers",),
}
"""The benchmarks of each module. One that has its name is its `main`, another `measure_NAME`."""
ON_REQUEST = {"map_table": ("map_table",)}
WITH_OPTIONS = ("map_table",)
"""Benchmarks that read what follows their name themselves."""


def main(arguments: Sequence[str]) -> int:
    """Run the named benchmarks, or all. Returns the exit status."""
    leading = list(itertools.takewhile(lambda word: word.startswith("-"), arguments))
    rest = arguments[len(leading) :]
    names = list(itertools.takewhile(lambda word: not word.startswith("-"), rest))
    own = list(rest[len(names) :])
    if "--quiet" in own and "--quiet" not in leading:
        own.remove("--quiet")
        leading.append("--quiet")
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        usage="%(prog)s [--help] [--quiet] [NAME ...]",
        description=__doc__,
        epilog=_describe(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quiet",
        action="store_true",
        help="wait for a load below 1, and time a fixed loop before and after: if its times differ by more than a tenth, no goal is judged",
    )
    given = parser.parse_args(leading)
    modules = {name: module for module, some in (MODULES | ON_REQUEST).items() for name in some}
    if unknown := [name for name in names if name not in modules]:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(modules)}")
    if own and not set(names) & set(WITH_OPTIONS):
        parser.error(f"no such option: {own[0]}")
    met: list[bool | None] = []
    for name in names or itertools.chain(*MODULES.values()):
        module = importlib.import_module(f"benchmarks.{modules[name]}")
        measure = getattr(module, "main" if name == modules[name] else f"measure_{name}")
        measure = partial(measure, own) if name in WITH_OPTIONS else measure
        met.append(judge_in_quiet(measure) if given.quiet else judge(measure))
    return 1 if False in met else 3 if None in met else 0


def _describe() -> str:
    """Return the names of all benchmarks, each with the first line of its function's docstring, or of its module's."""
    told: list[str] = []
    for title, modules in (("benchmarks:", MODULES), ("on request:", ON_REQUEST)):
        told.append(title)
        for module, names in modules.items():
            # Read, not imported: all of them take half a minute to import.
            tree = ast.parse((Path(__file__).parent / f"{module}.py").read_text("utf-8"))
            functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
            for name in names:
                described = ast.get_docstring(tree if name == module else functions[f"measure_{name}"]) or ""
                told.append(f"  {name:15} {described.partition(chr(10))[0]}")
    return "\n".join(told)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
