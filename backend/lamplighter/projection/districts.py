"""Districts: clusters of the space, which keep their identity while it moves.

They are found in the space, not in the picture: HDBSCAN (Campello, Moulavi and Sander 2013; scikit-learn's) on
the graph of the nearest neighbours that the living map keeps anyway, with 1 - cosine as the distance. On that
graph alone it costs a fraction of a second for 50,000 tokens, where on the vectors it takes minutes.

In a random space, too, some tokens lie nearer together than others. What is called a district must therefore
point one way: the mean of its members' unit vectors is at least `UNITY` long. (Measured on runs of 2,000 and
4,000 tokens, 64 wide: at most 0.57 for the clusters of a random start, at least 0.78 for those of a trained space.)

From look to look districts are matched to clusters by their overlap (Jaccard), as a whole (Kuhn 1955; SciPy's
`linear_sum_assignment`). A cluster is called a district when it was there twice in a row, and a district is given
up when it was missing twice in a row: what comes and goes from look to look is no news.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import unit_rows
from lamplighter.projection.naming import Namer
from lamplighter.wire.frames import Districts
from lamplighter.wire.vocabulary import Vocabulary

NEIGHBOURS = 15
UNITY = 0.65
SMALLEST = 8
"""Members a cluster needs, at least; in large vocabularies more (`smallest`)."""
PATIENCE = 2
"""Looks in a row for a cluster to become a district, and for a district to be given up."""
_SAME = 0.2
"""Least overlap of a district and the cluster that it became."""
_SAME_CANDIDATE = 0.5
_DENSITY = 5
"""Neighbours by which HDBSCAN measures how dense it is around a token."""
_APART = 4.0
"""A distance beyond all others: between pieces of the graph that hang together by nothing."""
_FEWEST = 3


def smallest(size: int) -> int:
    """Members a cluster of a vocabulary of `size` tokens needs: it grows with the square root, so that large
    vocabularies have more districts, and larger ones."""
    return max(SMALLEST, round(size**0.5 / 6))


def clusters_of(ids: NDArray[np.int32], cosines: NDArray[np.float32]) -> NDArray[np.int32]:
    """The clusters of the space.

    Args:
        ids: shape (V, K), the nearest neighbours of every token, nearest first, itself left out.
        cosines: shape (V, K), with them.

    Returns:
        Shape (V,): the number of each token's cluster, from 0, or -1 for a token in none.
    """
    size, k = ids.shape[0], min(ids.shape[1], NEIGHBOURS)
    least = smallest(size)
    if size < 2 * least or k < _DENSITY:
        return np.full(size, -1, dtype=np.int32)
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components
    from sklearn.cluster import HDBSCAN

    # Duplicates are near one another, not stored as "no edge".
    distances = np.maximum(1.0 - cosines[:, :k].astype(np.float64), 1e-6)
    heads = np.repeat(np.arange(size), k)
    graph = csr_matrix((distances.ravel(), (heads, ids[:, :k].ravel())), shape=(size, size))
    graph = graph.maximum(graph.T)
    pieces, piece_of = connected_components(graph, directed=False)
    if pieces > 1:
        first = np.unique(piece_of, return_index=True)[1]
        bridges = csr_matrix((np.full(pieces - 1, _APART), (first[:-1], first[1:])), shape=(size, size))
        graph = graph.maximum(bridges).maximum(bridges.T)
    found = HDBSCAN(
        min_cluster_size=least,
        min_samples=_DENSITY,
        metric="precomputed",
        cluster_selection_method="leaf",
        copy=False,  # pyright: ignore[reportArgumentType]
    ).fit(graph.tocsr())
    return np.asarray(found.labels_, dtype=np.int32)


@dataclass(frozen=True)
class Change:
    """Something became of a district."""

    kind: str
    """One of `runfolder.districts.KINDS`."""
    message: str
    """A sentence for the timeline."""


@dataclass
class _District:
    members: NDArray[np.int64]
    missed: int = 0


@dataclass
class _Look:
    """One look at the space: who belongs where, and what is new."""

    of: NDArray[np.int64]
    """Shape (V,): the id of each token's district, 0 for none."""
    changes: list[tuple[str, int, int | None]] = field(default_factory=list[tuple[str, int, int | None]])
    """Kind, district, and the other district that it came from or went into."""


class DistrictBook:
    """The districts from look to look. One thread only."""

    def __init__(self, vocabulary: Vocabulary, last: Districts | None = None, next_id: int = 1) -> None:
        """Begin with none, or with what an earlier process found last.

        Args:
            vocabulary: of the run, V tokens.
            last: the districts found last.
            next_id: the lowest id that no district has had yet.
        """
        self.next_id = next_id
        self._size = len(vocabulary)
        self._namer = Namer(vocabulary)
        self._districts: dict[int, _District] = {}
        self._candidates: list[NDArray[np.int64]] = []
        """Clusters that were there once."""
        if last is not None and len(last.of) == self._size:
            for place, (known, name) in enumerate(zip(last.ids.tolist(), last.names, strict=True), 1):
                self._districts[known] = _District(np.flatnonzero(last.of == place))
                self._namer.restore(known, name, len(self._districts[known].members))
            self.next_id = max([next_id, *(known + 1 for known in self._districts)])

    def look(
        self,
        vectors: NDArray[np.float32],
        ids: NDArray[np.int32],
        cosines: NDArray[np.float32],
        *,
        final: bool = False,
    ) -> tuple[dict[int, NDArray[np.int64]], dict[int, str], list[Change]]:
        """Take in the space as it is now.

        Args:
            vectors: shape (V, D), finite.
            ids: shape (V, K), nearest neighbours, as for `clusters_of`.
            cosines: shape (V, K), with them.
            final: it will not move any more: what is there counts, without patience.

        Returns:
            The members of each district by its id, ascending; their names; what became of districts.
        """
        units = unit_rows(vectors)
        labels = clusters_of(ids, cosines)
        clusters = [np.flatnonzero(labels == number) for number in range(int(labels.max(initial=-1)) + 1)]
        clusters = [some for some in clusters if np.linalg.norm(units[some].mean(axis=0)) >= UNITY]
        look = self._settle(clusters, final=final)
        old_names = self._namer.names
        members = {known: self._districts[known].members for known in sorted(self._districts)}
        names = self._namer.name(members, units)
        changes = [_told(*change, names=old_names | names, members=members) for change in look.changes]
        return members, names, changes

    def _settle(self, clusters: list[NDArray[np.int64]], *, final: bool) -> _Look:
        before = self._of()
        matched = self._match(clusters)
        look = _Look(np.zeros(self._size, dtype=np.int64))
        waiting: list[NDArray[np.int64]] = []
        seen_before = self._seen_before(clusters)
        for number, cluster in enumerate(clusters):
            known = matched.get(number)
            if known is not None:
                self._districts[known].missed = 0
                look.of[cluster] = known
            elif final or seen_before[number]:
                self._districts[self.next_id] = _District(cluster)
                look.of[cluster] = self.next_id
                parent = _most(before[cluster])
                parent = parent if parent in matched.values() else None
                look.changes.append(("district-split" if parent else "district-born", self.next_id, parent))
                self.next_id += 1
            else:
                waiting.append(cluster)
                look.of[cluster] = before[cluster]
        self._candidates = waiting
        self._give_up(set(matched.values()), before, look, final=final)
        return look

    def _give_up(self, found: set[int], before: NDArray[np.int64], look: _Look, *, final: bool) -> None:
        """Whoever is missing keeps its tokens for a while; what is left without any is gone."""
        missing = set(np.unique(before).tolist()) - found - {0}
        for known in sorted(missing):
            district = self._districts[known]
            district.missed += 1
            if district.missed >= PATIENCE or final:
                heir = _most(look.of[district.members])
                heir = heir if heir != known else None
                look.of[look.of == known] = 0
                look.changes.append(("district-merged" if heir else "district-gone", known, heir))
                del self._districts[known]
            else:
                look.of[district.members] = known
        # Tokens that wait with a district that was given up just now.
        look.of[~np.isin(look.of, list(self._districts))] = 0
        for known in list(self._districts):
            self._districts[known].members = np.flatnonzero(look.of == known)
            if len(self._districts[known].members) < _FEWEST:
                look.of[look.of == known] = 0
                del self._districts[known]
                look.changes.append(("district-gone", known, None))

    def _match(self, clusters: list[NDArray[np.int64]]) -> dict[int, int]:
        """By number of the cluster, the district that it is now."""
        if not clusters or not self._districts:
            return {}
        from scipy.optimize import linear_sum_assignment

        known = sorted(self._districts)
        overlap = self._overlaps(clusters, [self._districts[district].members for district in known])
        pairs = zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
        return {int(a): known[b] for a, b in pairs if overlap[a, b] >= _SAME}

    def _seen_before(self, clusters: list[NDArray[np.int64]]) -> list[bool]:
        """Whether each cluster was there, more or less, at the last look."""
        if not clusters or not self._candidates:
            return [False] * len(clusters)
        overlap = self._overlaps(clusters, self._candidates)
        return (overlap.max(axis=1) >= _SAME_CANDIDATE).tolist()

    def _overlaps(
        self, some: list[NDArray[np.int64]], others: list[NDArray[np.int64]]
    ) -> NDArray[np.float64]:
        """Jaccard's overlap of sets of tokens; the sets in `others` have no token in common. Shape (S, O)."""
        place = np.full(self._size, len(others))
        for at, members in enumerate(others):
            place[members] = at
        common = np.array([np.bincount(place[members], minlength=len(others) + 1)[:-1] for members in some])
        union = np.array([[len(members)] for members in some]) + [len(members) for members in others] - common
        return common / union

    def _of(self) -> NDArray[np.int64]:
        of = np.zeros(self._size, dtype=np.int64)
        for known, district in self._districts.items():
            of[district.members] = known
        return of


def _most(ids: NDArray[np.int64]) -> int | None:
    """The district that at least half of some tokens belong to; None where there is none."""
    found, counts = np.unique(ids, return_counts=True)
    largest = int(counts.argmax()) if len(counts) else 0
    half = len(counts) > 0 and found[largest] != 0 and 2 * counts[largest] >= len(ids)
    return int(found[largest]) if half else None


def _told(
    kind: str,
    district: int,
    other: int | None,
    *,
    names: dict[int, str],
    members: dict[int, NDArray[np.int64]],
) -> Change:
    name, size = names.get(district, "?"), len(members.get(district, ()))
    second = names.get(other or 0, "?")
    match kind:
        case "district-born":
            text = f"A district came together: {name}, {size} tokens."
        case "district-split":
            text = f"The district {second} split: {name} is one of its own, {size} tokens."
        case "district-merged":
            text = f"The district {name} became part of {second}."
        case _:
            text = f"The district {name} came apart."
    return Change(kind, text)
