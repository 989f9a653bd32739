"""The mutants of some files: one operator, number or word changed in each. Runs where cosmic-ray is installed.

Usage: python variants.py SEED COUNT FILE... Prints a JSON line for each of `COUNT` mutants, chosen by the seed.
"""

from __future__ import annotations

import ast
import json
import random
import sys
from collections import defaultdict
from pathlib import Path

from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code


class _Behaviour(ast.NodeTransformer):
    """A syntax tree without what has no effect: annotations are not evaluated here."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(value=None)
        return self.generic_visit(node)


def _behaviour(source: str) -> str | None:
    try:
        return ast.dump(_Behaviour().visit(ast.parse(source)))
    except SyntaxError:
        return None


def _operators():
    for name in plugins.operator_names():
        operator = plugins.get_operator(name)
        if not operator.arguments():
            yield name, operator()


def main() -> None:
    seed, count, *files = sys.argv[1:]
    chance = random.Random(int(seed))
    operators = dict(_operators())
    # By place, so that an operator with ten replacements is not ten times as likely as a number with two.
    places: dict[tuple[str, tuple[int, int]], list[tuple[str, int]]] = defaultdict(list)
    for file in files:
        tree = get_ast(Path(file).read_text(encoding="utf-8"))
        for name, operator in operators.items():
            positions = (start for node in ast_nodes(tree) for start, _ in operator.mutation_positions(node))
            for occurrence, start in enumerate(positions):
                places[file, start].append((name, occurrence))
    found = 0
    order = sorted(places)
    chance.shuffle(order)
    for file, start in order:
        source = Path(file).read_text(encoding="utf-8")
        name, occurrence = chance.choice(places[file, start])
        try:
            mutant = mutate_code(source, operators[name], occurrence)
        except AttributeError:  # cosmic-ray's own, of an exception that has a dot in its name
            continue
        changed = mutant and _behaviour(mutant)
        if changed and changed != _behaviour(source):
            change = f"{name.rpartition('/')[2]}: {mutant.splitlines()[start[0] - 1].strip()}"
            print(
                json.dumps({"file": file, "line": start[0], "change": change, "source": mutant}), flush=True
            )
            found += 1
        if found == int(count):
            return


if __name__ == "__main__":
    main()
