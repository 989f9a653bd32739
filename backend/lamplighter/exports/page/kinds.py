"""The kinds of tokens on the page: the families and classes of the vocabulary, and the districts of the space as they
were found while it learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.current_map import districts_on_lineage
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import decode_as
from lamplighter.wire.vocabulary import Vocabulary


@dataclass(frozen=True)
class PageKinds:
    """Kinds of tokens, as the page reads them."""

    head: dict[str, Any]
    """`families`, and by class `family_of` (-1 for none); `districts`: by finding its step, and the names that are new
    in it, as pairs of a district's id and its name."""
    district_of: NDArray[np.uint32]
    """Shape (F, V): for each finding, the id of each token's district (0 for none) minus that of the one before, modulo
    2**32."""


def read_kinds(run: RunFolder, lineage: Lineage, vocabulary: Vocabulary, steps: list[int]) -> PageKinds:
    """Read the kinds of tokens of a run.

    Args:
        run: the run.
        lineage: its lineage.
        vocabulary: its vocabulary, V tokens.
        steps: steps with a map, ascending; each gets the districts found last by then, if there were any.
    """
    family_of_class = vocabulary.family_of()
    # In the order of their first classes, as in the app, so that the colours are the same.
    families = list(
        dict.fromkeys(family_of_class[name] for name in vocabulary.classes if name in family_of_class)
    )
    found = _districts_by(run, lineage, steps, len(vocabulary))
    known: dict[int, str] = {}
    findings: list[tuple[int, list[tuple[int, str]]]] = []
    district_of = np.zeros((len(found), len(vocabulary)), dtype=np.uint32)
    for index, districts in enumerate(found):
        names = dict(zip(districts.ids.tolist(), districts.names, strict=True))
        findings.append((districts.step, [item for item in names.items() if known.get(item[0]) != item[1]]))
        known |= names
        district_of[index] = np.concatenate([[0], districts.ids])[districts.of]
    return PageKinds(
        {
            "families": families,
            "family_of": [
                families.index(family_of_class[name]) if name in family_of_class else -1
                for name in vocabulary.classes
            ],
            "districts": findings,
        },
        np.diff(district_of, axis=0, prepend=np.zeros((1, len(vocabulary)), dtype=np.uint32)),
    )


def _districts_by(run: RunFolder, lineage: Lineage, steps: list[int], size: int) -> list[Districts]:
    """Return the districts found last by each of `steps`, each finding once."""
    with LayoutsReader(run.layouts_path) as reader:
        entries = sorted(districts_on_lineage(reader, lineage), key=lambda entry: (entry.step, entry.id))
        places = np.searchsorted([entry.step for entry in entries], steps, side="right") - 1
        records = [
            reader.districts_record(entries[place].id) for place in np.unique(places).tolist() if place >= 0
        ]
    found = [decode_as(record, Districts) for record in records]
    return [districts for districts in found if len(districts.of) == size]
