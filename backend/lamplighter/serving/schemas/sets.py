"""Schemas of sets of runs."""

from __future__ import annotations

from typing import Literal

from lamplighter.claims.board import SetClaim, UnansweredMember
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.run_set import Setting
from lamplighter.serving.schemas.base import ApiModel, HasReason, Items

Settings = dict[str, Setting]
"""Values by field of the recipe, such as `optimiser.learning_rate`."""
MemberState = Phase | Literal["missing", "unreadable"]
"""`missing`: the run was moved away."""
ReadingProblem = Literal["missing", "not_begun", "unreadable", "unknown_token", "not_kept", "too_many"]
"""The reason why a member is left out: `not_kept`: no matrix at or before the step; `too_many`: only the first members
of a large set are compared."""


class Axis(ApiModel):
    """A field of the recipe that the members differ in."""

    field: str
    values: list[Setting]


class Member(ApiModel):
    """A member of a set: a run like any other."""

    run: str
    """The id of the run."""
    settings: Settings
    """Its value on each axis."""
    state: MemberState
    """A phase, or `missing` or `unreadable`."""
    alive: bool
    """True while a trainer holds it."""
    step: int
    steps: int
    loss: float | None


class SetSummary(HasReason):
    """A set: runs that differ in a few settings, mostly in the seed."""

    id: str
    name: str
    """The display name. It is untrusted: show it only as plain text."""
    readable: bool
    problem: str | None
    """The reason why its file cannot be read. Its members are then the runs in its folder, without settings."""
    created: float | None
    grid: list[Axis]
    sweeping: bool
    """True while a sweep trains it."""
    members: list[Member]
    """In the order of the grid, the last axis varying fastest."""
    counts: dict[str, int]
    """The number of members in each state that occurs."""


class SetList(Items[SetSummary]):
    """Every set, newest first."""


class LeftOut(ApiModel):
    """A member that is not in the answer."""

    run: str
    reason: ReadingProblem


class CurveBand(ApiModel):
    """A measure by step: the quantiles over the members of a group, and the line of each."""

    name: str
    steps: list[int]
    count: list[int]
    """The number of members with a value at each step."""
    median: list[float | None]
    q10: list[float | None]
    q25: list[float | None]
    q75: list[float | None]
    q90: list[float | None]
    lines: list[list[float | None]]
    """A line for each run of the group; null where it has no value."""


class CurveGroup(ApiModel):
    """Members that differ only in their seed."""

    settings: Settings
    """Their settings without the seed."""
    runs: list[str]
    curves: list[CurveBand]


class SetCurves(ApiModel):
    """Measures of the members by step."""

    set: str
    available: list[str]
    """The names of all measures that any member has."""
    groups: list[CurveGroup]


class OfGroup(ApiModel):
    """An answer about members that differ only in their seed."""

    set: str
    group: int
    """The group that the answer is about: its place in `groups`."""
    groups: list[Settings]
    """The settings of each group without the seed, in the order of the curves' groups."""


class SetClaims(Items[SetClaim], OfGroup):
    """The claims by number, each with the number of members of the group in each state."""

    members: int
    answered: int
    """The number of members with a board."""
    unanswered: list[UnansweredMember]


class MemberValue(ApiModel):
    """A number of one member; null if it has none."""

    run: str
    value: float | None


class MemberSpread(ApiModel):
    """A number over the members; null where none has one."""

    median: float | None
    low: float | None
    """The least."""
    high: float | None
    """The most."""
    members: list[MemberValue]


class RelationSpread(ApiModel):
    """A planted relation, at the last measured step of each member."""

    name: str
    accuracy: MemberSpread
    """The share of its analogies that are answered."""
    consistency: MemberSpread
    """The mean cosine of the offsets of its pairs."""
    chance: float | None
    """The share of answers by guessing, median over the members."""


class MemberSenses(ApiModel):
    """The ten words nearest to a homonym in one member: the numbers from either topic."""

    run: str
    first: int
    second: int


class HomonymSpread(ApiModel):
    """A homonym of Lamptown: whose neighbour it is, in each member."""

    word: str
    senses: tuple[str, str]
    """The two topics."""
    lean: MemberSpread
    """From 1, all its nearest are of the first topic, to -1, all are of the second; null where none is of either."""
    members: list[MemberSenses]


class SetSpread(OfGroup):
    """Relations and homonyms, with their spread over the members of a group."""

    step: int
    left_out: list[LeftOut]
    """Members without a matrix, and so without homonyms."""
    relations: list[RelationSpread]
    homonyms: list[HomonymSpread]


class SharedWords(ApiModel):
    """The words that are among the nearest in every member."""

    words: list[str]
    share: float
    """Their share of the nearest."""
    chance: float | None
    """The share that random lists would give."""


class JaccardSpread(ApiModel):
    """The Jaccard index of two members' lists, the share of the words in either that are in both, over all pairs."""

    mean: float | None
    low: float | None
    high: float | None
    chance: float | None
    """The mean that random lists would give."""


class TypicalJaccard(ApiModel):
    """The mean Jaccard index of other words, drawn evenly: the median, and the tenths on both ends."""

    words: int
    median: float | None
    low: float | None
    high: float | None


class FoundWord(ApiModel):
    """A word that is among the nearest in some members."""

    token: str
    members: int


class SetNeighbour(ApiModel):
    """A nearby token in one member."""

    token: str
    token_id: int
    cosine: float | None


class MemberMap(ApiModel):
    """The word and its neighbours on a member's map, moved, turned, mirrored and scaled into the common frame."""

    step: int
    x: float
    y: float
    neighbours: list[tuple[float, float]]
    """In the order of the member's neighbours."""
    backdrop: list[tuple[float, float]]
    """The same words in every member, in the order of `backdrop_tokens`: the outline of the city."""
    residual: float
    """Root mean square distance of the shared words to the common frame, in which their distance from the middle is 1:
    0 for equal maps."""


class MemberWord(ApiModel):
    """A word in one member."""

    run: str
    settings: Settings
    token_id: int
    step: int
    """The step of the matrix."""
    neighbours: list[SetNeighbour]
    """Nearest first."""
    map: MemberMap | None
    """Null before the map is made."""


class Frame(ApiModel):
    """The bounds of everything that the members' maps show."""

    left: float
    right: float
    bottom: float
    top: float


class SetWord(OfGroup):
    """A word's neighbourhood in every member of a group, and how much of it is the same."""

    token: str
    step: int
    k: int
    """The number of nearest words."""
    left_out: list[LeftOut]
    shared_tokens: int
    """The number of tokens that all members have that are compared."""
    same_in_all: SharedWords
    jaccard: JaccardSpread
    typical: TypicalJaccard
    words: list[FoundWord]
    """Every word in any list, most members first."""
    members: list[MemberWord]
    frame: Frame | None
    """Null without a map."""
    backdrop_tokens: list[str]
