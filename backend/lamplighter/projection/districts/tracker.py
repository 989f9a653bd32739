"""Districts: clusters of the embedding that keep their identity while it moves.

They are found in the embedding, not in its layout: HDBSCAN (Campello, Moulavi and Sander 2013;
scikit-learn's) on the nearest-neighbour graph that the incremental UMAP keeps anyway, with 1 - cosine as the
distance. On that graph it costs a fraction of a second for 50,000 tokens; on the vectors it takes minutes.

Even a random embedding has denser spots. A cluster therefore counts as a district only if its members point
in one direction: the mean of their unit vectors must have a length of at least `MIN_COHERENCE`. (Measured on
runs of 2,000 and 4,000 tokens, 64 wide: at most 0.57 for the clusters of a random start, at least 0.78 for
those of a trained embedding.)

From one observation to the next, districts are matched to clusters by their overlap (Jaccard), as one
assignment problem (Kuhn 1955; SciPy's `linear_sum_assignment`). A cluster becomes a district when two
consecutive observations find it, and a district is removed when two consecutive observations miss it, so that
flickering clusters cause no events.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import unit_rows
from lamplighter.projection.districts.labels import Namer
from lamplighter.wire.frames import Districts
from lamplighter.wire.vocabulary import Vocabulary

NEIGHBOURS = 15
UNITY = 0.65
SMALLEST = 8
"""Fewest members of a cluster; large vocabularies need more (`min_cluster_size`)."""
PATIENCE = 2
"""Consecutive observations after which a cluster becomes a district, or a missing district is removed."""
_SAME = 0.2
"""Least overlap of a district with the cluster that continues it."""
_SAME_CANDIDATE = 0.5
_DENSITY = 5
"""Number of neighbours from which HDBSCAN estimates the density around a token (its `min_samples`)."""
_APART = 4.0
"""A distance larger than any cosine distance, for the edges that join disconnected components of the graph."""
_FEWEST = 3


def smallest(size: int) -> int:
    """Return the fewest members of a cluster in a vocabulary of `size` tokens.

    It grows with the square root, so that large vocabularies have both more and larger districts.
    """
    return max(SMALLEST, round(size**0.5 / 6))


def clusters_of(ids: NDArray[np.int32], cosines: NDArray[np.float32]) -> NDArray[np.int32]:
    """Cluster the embedding by its nearest-neighbour graph.

    Args:
        ids: shape (V, K), the nearest neighbours of every token, nearest first, without the token itself.
        cosines: shape (V, K), the cosines with them.

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

    # A sparse matrix drops zeros, so duplicates get a tiny distance instead of losing their edge.
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
    """A change of a district."""

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
    """The districts of one observation, and what changed since the last."""

    of: NDArray[np.int64]
    """Shape (V,): the id of each token's district, 0 for none."""
    changes: list[tuple[str, int, int | None]] = field(default_factory=list[tuple[str, int, int | None]])
    """Kind, district, and the other district that it came from or merged into."""


class DistrictBook:
    """A tracker of districts from one observation to the next. For one thread only."""

    def __init__(self, vocabulary: Vocabulary, last: Districts | None = None, next_id: int = 1) -> None:
        """Start without districts, or from the last ones that an earlier process found.

        Args:
            vocabulary: the run's vocabulary, V tokens.
            last: the districts found last.
            next_id: the lowest id never used for a district.
        """
        self.next_id = next_id
        self._size = len(vocabulary)
        self._namer = Namer(vocabulary)
        self._districts: dict[int, _District] = {}
        self._candidates: list[NDArray[np.int64]] = []
        """Clusters found once, which become districts if the next observation finds them too."""
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
        """Find the districts of the current embedding, and match them to the known ones.

        Args:
            vectors: shape (V, D), finite.
            ids: shape (V, K), nearest neighbours, as for `find_clusters`.
            cosines: shape (V, K), the cosines with them.
            final: the embedding will not move any more, so changes count at once, without a second
                observation.

        Returns:
            The members of each district by its id, ascending; the districts' names; the changes.
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
        """Keep the tokens of districts missing for a short time, and remove those missing too long or with
        too few tokens."""
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
        # Tokens of candidates may still belong to a district that was removed above.
        look.of[~np.isin(look.of, list(self._districts))] = 0
        for known in list(self._districts):
            self._districts[known].members = np.flatnonzero(look.of == known)
            if len(self._districts[known].members) < _FEWEST:
                look.of[look.of == known] = 0
                del self._districts[known]
                look.changes.append(("district-gone", known, None))

    def _match(self, clusters: list[NDArray[np.int64]]) -> dict[int, int]:
        """Return the district that each matched cluster continues, by the cluster's number."""
        if not clusters or not self._districts:
            return {}
        from scipy.optimize import linear_sum_assignment

        known = sorted(self._districts)
        overlap = self._overlaps(clusters, [self._districts[district].members for district in known])
        pairs = zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
        return {int(a): known[b] for a, b in pairs if overlap[a, b] >= _SAME}

    def _seen_before(self, clusters: list[NDArray[np.int64]]) -> list[bool]:
        """Return for each cluster whether the last observation found about the same one."""
        if not clusters or not self._candidates:
            return [False] * len(clusters)
        overlap = self._overlaps(clusters, self._candidates)
        return (overlap.max(axis=1) >= _SAME_CANDIDATE).tolist()

    def _overlaps(
        self, some: list[NDArray[np.int64]], others: list[NDArray[np.int64]]
    ) -> NDArray[np.float64]:
        """Return the Jaccard index of every set in `some` with every set in `others`, shape (S, O).

        The sets in `others` must be disjoint.
        """
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
    """Return the district that at least half of the given tokens belong to, or None."""
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
