"""The kinds of tokens on the exported page: nothing is named before it was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lamplighter.exports.page.contents import read_page_data
from lamplighter.exports.page.kinds import read_kinds
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.runfolder.tables.steps import StepsReader
from lamplighter.wire.district_frames import Districts
from tests.unit.exports.recorded import HOSTILE, record

V = len(HOSTILE)


def find(run: RunFolder, step: int, names: dict[int, str], of: list[int]) -> None:
    """Write districts into a finished run: their names by id, and the id of each token's district."""
    ids = sorted(names)
    with LayoutsWriter(run.layouts_path) as maps:
        places = np.array([ids.index(known) + 1 if known else 0 for known in of], np.uint16)
        found = Districts(
            1, step, 1e9, np.array(ids, np.uint32), tuple(names[known] for known in ids), places
        )
        maps.commit_districts(found, [])
        maps.close(sealed=True)


def kinds_of(run: RunFolder, steps: list[int]):
    with StepsReader(run.steps_path) as reader:
        return read_kinds(run, reader.lineage(), run.vocabulary, steps)


def test_each_map_gets_the_districts_found_last_by_then(tmp_path: Path) -> None:
    run = record(tmp_path)
    find(run, 8, {1: "rivers"}, [1] * 4 + [0] * 6)
    find(run, 12, {1: "rivers", 4: "hills"}, [1] * 4 + [4] * 6)
    find(run, 15, {4: "mountains"}, [0] * 4 + [4] * 6)
    kinds = kinds_of(run, [0, 10, 20])
    # None at step 0; that of step 12 is not the last by any of the steps.
    assert kinds.head["districts"] == [(8, [(1, "rivers")]), (15, [(4, "mountains")])]
    district_of = np.cumsum(kinds.district_of, axis=0, dtype=np.uint32)
    assert district_of.tolist() == [[1] * 4 + [0] * 6, [0] * 4 + [4] * 6]
    assert kinds_of(run, [0]).head["districts"] == []


def test_a_name_is_listed_where_it_is_new(tmp_path: Path) -> None:
    run = record(tmp_path)
    find(run, 5, {1: "rivers", 2: "x · y"}, [1] * 5 + [2] * 5)
    find(run, 15, {1: "rivers", 2: "hills"}, [1] * 5 + [2] * 5)
    findings = kinds_of(run, [10, 20]).head["districts"]
    assert findings == [(5, [(1, "rivers"), (2, "x · y")]), (15, [(2, "hills")])]


def test_the_page_has_families_in_the_order_of_their_first_classes(tmp_path: Path) -> None:
    head = read_page_data(record(tmp_path / "a", held_out=True), lambda share: None).head
    assert (head["classes"], head["families"], head["family_of"]) == (["odd", "even"], ["numbers"], [0, 0])
    plain = read_page_data(record(tmp_path / "b"), lambda share: None).head
    assert (plain["families"], plain["family_of"]) == ([], [-1, -1])
    assert len(plain["districts"]) == 1
