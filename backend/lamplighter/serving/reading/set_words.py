"""A word in every member of a set: its neighbours, how many of them are the same, and its place on each map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.sentences import say
from lamplighter.corpora.occurrences import Homonym, list_homonyms
from lamplighter.geometry.common_frame import (
    Similarity,
    find_common_frame,
    jaccard_by_chance,
    pairwise_jaccard,
    shared_by_all,
    shared_by_chance,
)
from lamplighter.geometry.neighbours import nearest_rows
from lamplighter.runfolder.errors import READ_ERRORS, MissingVocabularyError, NoSnapshotError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.reading.layout_query import open_layouts
from lamplighter.serving.reading.run_catalog import RunCatalog, require_fit
from lamplighter.serving.reading.set_reading import ReadMember, spread_of
from lamplighter.serving.schemas.sets import (
    FoundWord,
    Frame,
    HomonymSpread,
    JaccardSpread,
    LeftOut,
    MemberMap,
    MemberSenses,
    MemberWord,
    OfGroup,
    ReadingProblem,
    SetNeighbour,
    SetWord,
    SharedWords,
    TypicalJaccard,
)
from lamplighter.web.http.problems import RefusedError
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout

NEAREST = 10
MAX_COMPARED = 50
"""Maximum members of one answer."""
_TYPICAL = 200
"""Words drawn to compare a word with."""
_BACKDROP = 300
"""Words drawn to show the outline of a map."""

Lists = NDArray[np.int64]


@dataclass(frozen=True)
class _Known:
    """A member whose vocabulary was read."""

    member: ReadMember
    run: RunFolder
    tokens: tuple[str, ...]
    id_of: dict[str, int]


@dataclass(frozen=True)
class _Nearest:
    """The nearest rows of some words in a member."""

    step: int
    ids: NDArray[np.int32]
    """Shape (W, k)."""
    cosines: NDArray[np.float32]
    """Shape (W, k)."""
    word: int
    """The row of the first word."""


class SetWords:
    """Words in the members of a set at one step. Reads one matrix at a time."""

    def __init__(self, catalog: RunCatalog, members: Sequence[ReadMember], step: int) -> None:
        self._catalog, self._step = catalog, step
        self.left_out = [LeftOut(run=one.id, reason="too_many") for one in members[MAX_COMPARED:]]
        self._known = list(self._read_known(members[:MAX_COMPARED]))

    def describe_word(self, of: OfGroup, text: str) -> SetWord:
        """Return a word in every member of a group. Raises RefusedError: no member has it (404), or fewer than two
        can be compared (409).
        """
        ids = {one.member.id: self._catalog.token_table(one.run).find_token(text) for one in self._known}
        if all(found is None for found in ids.values()):
            raise RefusedError(404, say("set_without_word", set=of.set, word=text[:80]))
        known = [
            one for one in self._known if self._keep(one, ids[one.member.id] is not None, "unknown_token")
        ]
        token = next(
            known_one.tokens[found] for known_one in known if (found := ids[known_one.member.id]) is not None
        )
        shared = self._shared_tokens(known)
        drawn = _draw(shared, _TYPICAL)
        nearest: list[tuple[_Known, _Nearest]] = []
        for one in known:
            found = self._find_nearest(one, [ids[one.member.id] or 0, *(one.id_of[word] for word in drawn)])
            if self._keep(one, found is not None, "not_kept") and found is not None:
                nearest.append((one, found))
        if len(nearest) < 2:
            raise RefusedError(409, say("set_without_two", set=of.set, step=str(self._step)))
        k = min(found.ids.shape[1] for _, found in nearest)
        lists = _common_ids(nearest, k)
        jaccard = pairwise_jaccard(lists)
        size = round(float(np.mean([len(one.tokens) for one, _ in nearest]))) - 1
        words = Counter(one.tokens[row] for one, found in nearest for row in found.ids[0, :k])
        in_all = [word for word, count in words.most_common() if count == len(nearest)]
        backdrop = _draw(shared, _BACKDROP)
        maps = self._read_maps(nearest, k, backdrop, shared)
        return SetWord(
            **dict(of),
            token=token,
            step=self._step,
            k=k,
            left_out=self.left_out,
            shared_tokens=len(shared),
            same_in_all=SharedWords(
                words=in_all,
                share=len(shared_by_all(lists[:, :1])[0]) / k,
                chance=_known_number(shared_by_chance(k, size, len(nearest))),
            ),
            jaccard=JaccardSpread(
                mean=float(jaccard[:, 0].mean()),
                low=float(jaccard[:, 0].min()),
                high=float(jaccard[:, 0].max()),
                chance=_known_number(jaccard_by_chance(k, size)),
            ),
            typical=_typical(jaccard[:, 1:].mean(axis=0)),
            words=[FoundWord(token=word, members=count) for word, count in words.most_common()],
            members=[
                MemberWord(
                    run=one.member.id,
                    settings=one.member.settings,
                    token_id=ids[one.member.id] or 0,
                    step=found.step,
                    neighbours=[
                        SetNeighbour(token=one.tokens[row], token_id=int(row), cosine=float(cosine))
                        for row, cosine in zip(found.ids[0, :k], found.cosines[0, :k], strict=True)
                    ],
                    map=maps.get(one.member.id),
                )
                for one, found in nearest
            ],
            frame=_bounds(list(maps.values())),
            backdrop_tokens=backdrop if maps else [],
        )

    def describe_homonyms(self) -> list[HomonymSpread]:
        """Return Lamptown's homonyms in every member; none for another text."""
        if any(one.run.recipe.corpus.kind != "lamptown" for one in self._known):
            return []
        homonyms = list_homonyms()
        counts: dict[str, list[MemberSenses]] = {one.word: [] for one in homonyms}
        for known in self._known:
            here = [one for one in homonyms if one.word in known.id_of]
            found = self._find_nearest(known, [known.id_of[one.word] for one in here])
            if self._keep(known, found is not None, "not_kept") and found is not None:
                for one, rows in zip(here, found.ids, strict=True):
                    counts[one.word].append(_count_senses(known, one, [known.tokens[row] for row in rows]))
        return [_describe_homonym(one, counts[one.word]) for one in homonyms if counts[one.word]]

    def _read_known(self, members: Sequence[ReadMember]) -> Iterator[_Known]:
        for member in members:
            problem: ReadingProblem = "missing"
            if member.run is not None:
                try:
                    tokens = member.run.vocabulary.tokens
                    # Of equal tokens, the first counts.
                    yield _Known(
                        member, member.run, tokens, {text: i for i, text in reversed(list(enumerate(tokens)))}
                    )
                    continue
                except MissingVocabularyError:
                    problem = "not_begun"
                except READ_ERRORS:
                    problem = "unreadable"
            self.left_out.append(LeftOut(run=member.id, reason=problem))

    def _keep(self, one: _Known, good: bool, problem: ReadingProblem) -> bool:
        if not good:
            self.left_out.append(LeftOut(run=one.member.id, reason=problem))
        return good

    @staticmethod
    def _shared_tokens(known: Sequence[_Known]) -> list[str]:
        return [text for text in known[0].id_of if all(text in one.id_of for one in known)]

    def _find_nearest(self, one: _Known, rows: list[int]) -> _Nearest | None:
        """Return the nearest rows in a member; None without a matrix at or before the step."""
        run = one.run
        with (
            suppress(NoSnapshotError, RefusedError, *READ_ERRORS),
            self._catalog.open_history(run) as history,
        ):
            matrix = self._catalog.nearest_matrix(run, history, self._step, "in")
            require_fit(run, matrix)
            ids, cosines = nearest_rows(matrix.vectors, np.array(rows, dtype=np.int64), NEAREST)
            return _Nearest(matrix.step, ids, cosines, rows[0] if rows else 0)
        return None

    def _read_maps(
        self, nearest: Sequence[tuple[_Known, _Nearest]], k: int, backdrop: list[str], shared: list[str]
    ) -> dict[str, MemberMap]:
        layouts = {one.member.id: self._read_layout(one) for one, _ in nearest}
        drawn = [
            (one, found, layout) for one, found in nearest if (layout := layouts[one.member.id]) is not None
        ]
        if not drawn or not shared:
            return {}
        places = [layout.coordinates[[one.id_of[text] for text in shared]] for one, _, layout in drawn]
        frame = find_common_frame(np.array(places))
        return {
            one.member.id: _place(one, found, layout, motion, k, backdrop)
            for (one, found, layout), motion in zip(drawn, frame, strict=True)
        }

    def _read_layout(self, one: _Known) -> Layout | None:
        run = one.run
        with suppress(RefusedError, *READ_ERRORS), open_layouts(self._catalog, run) as layouts:
            layout = decode_as(layouts.read_frame(layouts.newest("umap", self._step)), Layout)
            if len(layout.coordinates) == len(one.tokens) and np.isfinite(layout.coordinates).all():
                return layout
        return None


def _draw(words: list[str], most: int) -> list[str]:
    """Return at most `most` of some words, drawn evenly, the same each time."""
    if len(words) <= most:
        return words
    chosen = np.random.default_rng(0).choice(len(words), most, replace=False)
    return [words[index] for index in np.sort(chosen)]


def _common_ids(nearest: Sequence[tuple[_Known, _Nearest]], k: int) -> Lists:
    """Return the lists of all members, shape (M, W, k), with one id for each text."""
    common: dict[str, int] = {}
    return np.array(
        [
            [[common.setdefault(one.tokens[row], len(common)) for row in rows[:k]] for rows in found.ids]
            for one, found in nearest
        ],
        dtype=np.int64,
    )


def _known_number(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _typical(means: NDArray[np.float64]) -> TypicalJaccard:
    if not len(means):
        return TypicalJaccard(words=0, median=None, low=None, high=None)
    low, median, high = np.quantile(means, (0.1, 0.5, 0.9)).tolist()
    return TypicalJaccard(words=len(means), median=median, low=low, high=high)


def _place(
    one: _Known, found: _Nearest, layout: Layout, motion: Similarity, k: int, backdrop: list[str]
) -> MemberMap:
    def places(rows: Sequence[int]) -> list[tuple[float, float]]:
        return [(round(x, 4), round(y, 4)) for x, y in motion.apply(layout.coordinates[list(rows)]).tolist()]

    ((x, y),) = places([found.word])
    return MemberMap(
        step=layout.step,
        x=x,
        y=y,
        neighbours=places(found.ids[0, :k].tolist()),
        backdrop=places([one.id_of[text] for text in backdrop]),
        residual=motion.residual,
    )


def _bounds(maps: list[MemberMap]) -> Frame | None:
    points = [point for one in maps for point in ((one.x, one.y), *one.neighbours, *one.backdrop)]
    if not points:
        return None
    (left, bottom), (right, top) = np.min(points, axis=0).tolist(), np.max(points, axis=0).tolist()
    return Frame(left=left, right=right, bottom=bottom, top=top)


def _count_senses(known: _Known, homonym: Homonym, nearest: list[str]) -> MemberSenses:
    first, second = (sum(word in words for word in nearest) for words in homonym.words)
    return MemberSenses(run=known.member.id, first=first, second=second)


def _describe_homonym(homonym: Homonym, members: list[MemberSenses]) -> HomonymSpread:
    # Without a neighbour of either topic it leans to neither, nor is it between the two.
    lean = {
        one.run: (one.first - one.second) / NEAREST if one.first or one.second else None for one in members
    }
    return HomonymSpread(word=homonym.word, senses=homonym.topics, lean=spread_of(lean), members=members)
