"""Districts: clusters of the embedding that keep their identity while it moves, and when they are sought.

They are found in the embedding, not in its layout: by HDBSCAN (Campello, Moulavi and Sander 2013; scikit-learn's) on
the nearest-neighbour graph that the incremental UMAP maintains, with 1 - cosine as the distance. On that graph it takes
a fraction of a second for 50,000 tokens; on the vectors it takes minutes.

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

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.districts.labels import DistrictNamer
from lamplighter.projection.quality import NearestNeighbours
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.wire.binary import FrameError
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import decode
from lamplighter.wire.vocabulary import Vocabulary
from living_map.rows import unit_rows

NEIGHBOURS = 15
MIN_COHERENCE = 0.65
MIN_CLUSTER_SIZE = 8
"""Minimum members of a cluster; larger vocabularies need more (`min_cluster_size`)."""
_DENSITY = 5
"""Number of neighbours from which HDBSCAN estimates the density around a token (its `min_samples`)."""
_BRIDGE_DISTANCE = 4.0
"""A distance larger than any cosine distance, for the edges that join disconnected components of the graph."""
MIN_MEMBERS = 3


def min_cluster_size(size: int) -> int:
    """Return the minimum members of a cluster: large vocabularies have both more and larger ones."""
    return max(MIN_CLUSTER_SIZE, round(size**0.5 / 6))


def find_clusters(ids: NDArray[np.int32], cosines: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the number of each token's cluster, from 0, or -1 for none, shape (V,). `ids`, `cosines`: the
    nearest neighbours of every token, nearest first, without itself, shape (V, K).
    """
    size, k = ids.shape[0], min(ids.shape[1], NEIGHBOURS)
    least = min_cluster_size(size)
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
        bridges = csr_matrix(
            (np.full(pieces - 1, _BRIDGE_DISTANCE), (first[:-1], first[1:])), shape=(size, size)
        )
        graph = graph.maximum(bridges).maximum(bridges.T)
    clustering = HDBSCAN(
        min_cluster_size=least,
        min_samples=_DENSITY,
        metric="precomputed",
        cluster_selection_method="leaf",
        copy=False,  # pyright: ignore[reportArgumentType]
    ).fit(graph.tocsr())
    return np.asarray(clustering.labels_, dtype=np.int32)


PATIENCE = 2
"""Consecutive observations after which a cluster becomes a district, or a missing district is removed."""
_MIN_OVERLAP = 0.2
"""Minimum overlap of a district with the cluster that continues it."""
_MIN_CANDIDATE_OVERLAP = 0.5


@dataclass(frozen=True)
class DistrictChange:
    """A change of a district."""

    kind: str
    """One of `DISTRICT_EVENT_KINDS`."""
    message: str
    """A sentence for the timeline."""


@dataclass
class _District:
    members: NDArray[np.int64]
    missed: int = 0


@dataclass
class _Observation:
    """The districts of one observation, and the changes since the last."""

    district_of: NDArray[np.int64]
    """Shape (V,): the id of each token's district, 0 for none."""
    changes: list[tuple[str, int, int | None]] = field(default_factory=list[tuple[str, int, int | None]])
    """Kind, district, and the other district that it came from or merged into."""


class DistrictTracker:
    """A tracker of districts from one observation to the next. For one thread only."""

    def __init__(self, vocabulary: Vocabulary, last: Districts | None = None, next_id: int = 1) -> None:
        """Start without districts, or from the `last` ones; `next_id`: the lowest that was never used."""
        self.next_id = next_id
        self._size = len(vocabulary)
        self._namer = DistrictNamer(vocabulary)
        self._districts: dict[int, _District] = {}
        self._candidates: list[NDArray[np.int64]] = []
        """Clusters found once, which become districts if the next observation finds them too."""
        if last is not None and len(last.of) == self._size:
            for index, (known, name) in enumerate(zip(last.ids.tolist(), last.names, strict=True), 1):
                self._districts[known] = _District(np.flatnonzero(last.of == index))
                self._namer.restore(known, name, len(self._districts[known].members))
            self.next_id = max([next_id, *(known + 1 for known in self._districts)])

    def detect(
        self,
        vectors: NDArray[np.float32],
        ids: NDArray[np.int32],
        cosines: NDArray[np.float32],
        *,
        final: bool = False,
    ) -> tuple[dict[int, NDArray[np.int64]], dict[int, str], list[DistrictChange]]:
        """Return the members of each district by id, ascending, their names, and what changed since the last
        call.

        `vectors`: shape (V, D), finite; `ids`, `cosines` as for `find_clusters`. `final`: the embedding will
        not move again, so changes count at once, without a second observation.
        """
        units = unit_rows(vectors)
        labels = find_clusters(ids, cosines)
        clusters = [np.flatnonzero(labels == number) for number in range(int(labels.max(initial=-1)) + 1)]
        clusters = [some for some in clusters if np.linalg.norm(units[some].mean(axis=0)) >= MIN_COHERENCE]
        observation = self._assign_clusters(clusters, final=final)
        old_names = self._namer.names
        members = {known: self._districts[known].members for known in sorted(self._districts)}
        names = self._namer.assign_names(members, units)
        changes = [
            described
            for change in observation.changes
            if (described := _describe_change(*change, before=old_names, names=names, members=members))
        ]
        return members, names, changes

    def _assign_clusters(self, clusters: list[NDArray[np.int64]], *, final: bool) -> _Observation:
        before = self._district_of_tokens()
        matched = self._match(clusters)
        observation = _Observation(np.zeros(self._size, dtype=np.int64))
        waiting: list[NDArray[np.int64]] = []
        seen_before = self._seen_before(clusters)
        for number, cluster in enumerate(clusters):
            known = matched.get(number)
            if known is not None:
                self._districts[known].missed = 0
                observation.district_of[cluster] = known
            elif final or seen_before[number]:
                self._districts[self.next_id] = _District(cluster)
                observation.district_of[cluster] = self.next_id
                parent = _majority_district(before[cluster])
                parent = parent if parent in matched.values() else None
                observation.changes.append(
                    ("district-split" if parent else "district-born", self.next_id, parent)
                )
                self.next_id += 1
            else:
                waiting.append(cluster)
                observation.district_of[cluster] = before[cluster]
        self._candidates = waiting
        self._retire_missing(set(matched.values()), before, observation, final=final)
        return observation

    def _retire_missing(
        self, matched: set[int], before: NDArray[np.int64], observation: _Observation, *, final: bool
    ) -> None:
        """Keep the tokens of districts missing for a short time, and remove the others."""
        missing = set(np.unique(before).tolist()) - matched - {0}
        for known in sorted(missing):
            district = self._districts[known]
            district.missed += 1
            if district.missed >= PATIENCE or final:
                heir = _majority_district(observation.district_of[district.members])
                heir = heir if heir != known else None
                observation.district_of[observation.district_of == known] = 0
                observation.changes.append(("district-merged" if heir else "district-gone", known, heir))
                del self._districts[known]
            else:
                observation.district_of[district.members] = known
        # Tokens of candidates may still belong to a district that was removed above.
        observation.district_of[~np.isin(observation.district_of, list(self._districts))] = 0
        for known in list(self._districts):
            self._districts[known].members = np.flatnonzero(observation.district_of == known)
            if len(self._districts[known].members) < MIN_MEMBERS:
                observation.district_of[observation.district_of == known] = 0
                del self._districts[known]
                observation.changes.append(("district-gone", known, None))

    def _match(self, clusters: list[NDArray[np.int64]]) -> dict[int, int]:
        """Return the district that each matched cluster continues, by the cluster's number."""
        if not clusters or not self._districts:
            return {}
        from scipy.optimize import linear_sum_assignment

        known = sorted(self._districts)
        overlap = self._overlaps(clusters, [self._districts[district].members for district in known])
        pairs = zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
        return {int(a): known[b] for a, b in pairs if overlap[a, b] >= _MIN_OVERLAP}

    def _seen_before(self, clusters: list[NDArray[np.int64]]) -> list[bool]:
        if not clusters or not self._candidates:
            return [False] * len(clusters)
        overlap = self._overlaps(clusters, self._candidates)
        return (overlap.max(axis=1) >= _MIN_CANDIDATE_OVERLAP).tolist()

    def _overlaps(
        self, some: list[NDArray[np.int64]], others: list[NDArray[np.int64]]
    ) -> NDArray[np.float64]:
        """Return the Jaccard index of every set in `some` with every one of the disjoint `others`, (S, O)."""
        cluster_of = np.full(self._size, len(others))
        for index, members in enumerate(others):
            cluster_of[members] = index
        common = np.array(
            [np.bincount(cluster_of[members], minlength=len(others) + 1)[:-1] for members in some]
        )
        union = np.array([[len(members)] for members in some]) + [len(members) for members in others] - common
        return common / union

    def _district_of_tokens(self) -> NDArray[np.int64]:
        district_of = np.zeros(self._size, dtype=np.int64)
        for known, district in self._districts.items():
            district_of[district.members] = known
        return district_of


def _majority_district(ids: NDArray[np.int64]) -> int | None:
    """Return the district that at least half of the given tokens belong to, or None."""
    found, counts = np.unique(ids, return_counts=True)
    largest = int(counts.argmax()) if len(counts) else 0
    half = len(counts) > 0 and found[largest] != 0 and 2 * counts[largest] >= len(ids)
    return int(found[largest]) if half else None


def _describe_change(
    kind: str,
    district: int,
    other: int | None,
    *,
    before: dict[int, str],
    names: dict[int, str],
    members: dict[int, NDArray[np.int64]],
) -> DistrictChange | None:
    """Describe a change of one of `DISTRICT_EVENT_KINDS`; return None if there is nothing to report. A
    cluster may become a district and lose its tokens in one observation: it was never shown, so neither its
    beginning nor its end is reported. `other`: the district that it split from, or merged into.
    """
    begins = kind in ("district-born", "district-split")
    if district not in (members if begins else before):
        return None
    second = (before | names).get(other) if other is not None else None
    if begins:
        what, size = names[district], len(members[district])
        if second is None:
            return DistrictChange("district-born", f"A neighbourhood came together: {what}, {size} words.")
        return DistrictChange(
            "district-split",
            f"The neighbourhood {second} split: {what}, {size} words, is one of its own now.",
        )
    if second is None or other not in members:
        return DistrictChange("district-gone", f"The neighbourhood {before[district]} came apart.")
    return DistrictChange("district-merged", f"The neighbourhood {before[district]} became part of {second}.")


MIN_INTERVAL = 2.0
"""Minimum seconds between two detections."""
TIME_SHARE = 0.1
"""Maximum share of the projector's time."""
_MAX_EVENTS = 20
"""Maximum events of one detection on the timeline; the last one summarises the rest."""


class DistrictSchedule:
    """The detector of districts in the embeddings that the projector draws. For the main thread only."""

    def __init__(self, writer: LayoutsWriter, earlier: LayoutsReader, vocabulary: Vocabulary) -> None:
        self._writer = writer
        last = _last_districts(earlier)
        next_id = earlier.facts().get("next_district", 1)
        self._tracker = DistrictTracker(vocabulary, last, next_id)
        self._seen = (last.attempt, last.step) if last else None
        self._due = 0.0
        self._final = False

    def detect_if_due(
        self,
        vectors: NDArray[np.float32],
        nearest: NearestNeighbours | None,
        attempt: int,
        step: int,
        *,
        due: bool = False,
        final: bool = False,
    ) -> None:
        """Detect the districts of a step, if detection is due. `vectors`: shape (V, D), finite. Clusters
        before the first step do not count: nothing has been learned. `due`: however little time has passed;
        `final`: this is the last embedding.
        """
        fresh = self._seen != (attempt, step) or (final and not self._final)
        if nearest is None or not fresh or (time.monotonic() < self._due and not (due or final)):
            return
        used = time.thread_time()
        members, names, changes = (
            ({}, {}, []) if step == 0 else self._tracker.detect(vectors, *nearest, final=final)
        )
        district_of = np.zeros(len(vectors), dtype=np.uint16)
        for index, some in enumerate(members.values(), 1):
            district_of[some] = index
        ids = np.array(list(members), dtype=np.uint32)
        self._writer.set_facts({"next_district": self._tracker.next_id})
        self._writer.commit_districts(
            Districts(attempt, step, time.time(), ids, tuple(names[known] for known in members), district_of),
            [(change.kind, change.message) for change in _limit_events(changes)],
        )
        self._seen, self._final = (attempt, step), final
        self._due = time.monotonic() + max(MIN_INTERVAL, (time.thread_time() - used) / TIME_SHARE)


def _limit_events(changes: list[DistrictChange]) -> list[DistrictChange]:
    if len(changes) <= _MAX_EVENTS:
        return changes
    rest = len(changes) - _MAX_EVENTS + 1
    kind = changes[-1].kind
    return [
        *changes[: _MAX_EVENTS - 1],
        DistrictChange(kind, f"{rest} other districts came, changed or went."),
    ]


def _last_districts(earlier: LayoutsReader) -> Districts | None:
    record = earlier.last_written_districts()
    try:
        districts = None if record is None else decode(record)
    except FrameError:
        return None
    return districts if isinstance(districts, Districts) else None
