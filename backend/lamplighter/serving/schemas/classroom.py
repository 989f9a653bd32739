"""Schemas of the class: the presenter's view and settings, viewers' messages, and messages to all."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lamplighter.lessons.part_parser import MAX_STAGES
from lamplighter.serving.schemas.base import ApiModel, Items, RequestBody
from lamplighter.wire.binary import MAX_VOCABULARY

Role = Literal["viewer", "assistant"]
ViewQuery = Annotated[str, Field(max_length=2_000, pattern=r"^[!-~]*$")]
"""The query of a page's address, without "?": a complete view."""
TokenNumber = Annotated[int, Field(ge=0, lt=MAX_VOCABULARY)]
ShortCode = Annotated[str, Field(max_length=64)]
Language = Annotated[str, Field(pattern="^[a-z]{2}$")]
When = Literal["before", "after"]
"""The round of a question that is asked before the lesson and again after it."""
Subject = Literal[
    "lit_next",
    "loss_later",
    "moved_later",
    "read_later",
    "lit_word",
    "falls_later",
    "nearest",
    "how",
    "change",
]
"""What a presenter may ask the class."""
MAX_WRITTEN = 500
"""Maximum number of characters of a written answer."""


class ClassMember(ApiModel):
    """A viewer of the class, anonymous."""

    id: str
    """The public id of the session, for changing or ending it."""
    number: int
    """The position in the order of joining, from 1."""
    browser: str
    """Browser and system, such as "Safari on iPhone"."""
    role: Role
    joined: float
    """Unix seconds."""
    connected: bool
    """True while the viewer has an open socket."""


class ClassText(ApiModel):
    """The permission to see the text of a run."""

    run: str
    given: bool
    """True if the text is shared: for our texts always, for a user's text only by the presenter."""
    own: bool
    """True if the text is a user's."""


class ClassOutcome(ApiModel):
    """The measured answer to a question, and the predictions."""

    value: float | None
    """The measured number; for choices, the index of the right one. Null until it is measured."""
    step: int | None
    """The step at which it was measured."""
    counts: list[int]
    """The number of predictions for each choice, or for a number in each bin."""
    edges: list[float]
    """The edges of the bins, one more than bins; empty for choices."""
    median: float | None
    """The median of the predicted numbers; null for choices, or without predictions."""


class ClassQuestion(ApiModel):
    """A question whose answer will be measured. Viewers predict it; then it is revealed."""

    id: int
    about: Literal[Subject, "lesson"]
    """The measured quantity: `docs/rest.md` says how each is measured; `lesson`: a number of the course; `how` and
    `change`: nothing is measured, and the answer is written."""
    when: When | None
    """The round of a question with written answers; null for other questions."""
    text: str
    """The question in words."""
    unit: str
    """The unit of a number; empty for choices."""
    choices: list[str]
    """Two to six choices; empty if a number is asked for."""
    low: float
    """The smallest accepted number."""
    high: float
    """The largest accepted number."""
    run: str
    from_step: int
    """The step at which it was asked."""
    at_step: int
    """The step whose record answers it."""
    part: int | None
    """The part of the course that asks it; null for other questions."""
    stage: int | None
    """The stage of the part, from 1."""
    state: Literal["open", "closed", "revealed"]
    answered: int
    """The number of answers."""
    outcome: ClassOutcome | None
    """Null until revealed; the presenter sees the predictions earlier."""


class LessonAnswers(ApiModel):
    """The class's predictions at a stage of the course, and the measured number."""

    question: ClassQuestion
    least: float
    """The lower end of the range; for choices, 0."""
    most: float
    """The upper end of the range; for choices, the index of the last."""
    measured: float | None
    """The measured number in the prediction's unit, a percentage from 0 to 100; null: not yet known."""
    quartiles: list[float] | None
    """The quartiles of the predictions, for choices of their indices; null without predictions."""


class LessonAnswersList(Items[LessonAnswers]):
    """The revealed predictions of the course, in the order of the course."""


class PointedWord(ApiModel):
    """The word that an assistant points at."""

    run: str
    token: int


class SchoolClass(ApiModel):
    """The class, as the presenter sees it."""

    available: bool
    """False if the server was started without `--classroom`."""
    listening: bool
    """True while the class's address can be reached from the network."""
    door: bool
    """True while the door is open."""
    addresses: list[str]
    """The addresses of the class, the likeliest first."""
    code: str
    """The code to type."""
    link: str
    """The join link in the QR code. Its secret is after the `#`, which browsers do not send."""
    qr: list[str]
    """The rows of the QR code, one character per module: 1 is dark."""
    encrypted: bool
    """True if people reach the class over https."""
    most: int
    """The maximum number of viewers."""
    members: list[ClassMember]
    connected: int
    """Number of viewers with an open socket."""
    behind: int
    """Number of those that are more than a second behind."""
    following: bool
    """True while the presenter's view is sent to the class."""
    texts: list[ClassText]
    """The runs that are being watched, and the presenter's own."""
    question: ClassQuestion | None
    lessons: int
    """A version that grows when predictions of the course are revealed or forgotten."""
    written: list[ClassQuestion]
    """The questions with written answers that were asked, without the answers; at most four."""
    pointed: PointedWord | None
    """The word that an assistant points at; null for none."""
    wrong_codes: int
    """Number of wrong codes since the class began."""


class ClassChange(RequestBody):
    """A change of the class; omitted fields stay."""

    listening: bool | None = None
    door: bool | None = None
    following: bool | None = None


class TextChange(RequestBody):
    """A change of the permission to see a run's text."""

    given: bool


class MemberChange(RequestBody):
    """A change of a viewer's role."""

    role: Role


class PresentedView(RequestBody):
    """The presenter's view, for viewers who follow."""

    query: ViewQuery


class LessonPlace(RequestBody):
    """The presenter's place in the course."""

    run: Annotated[str, Field(max_length=200)]
    part: Annotated[int, Field(ge=0, le=99)]
    """The part; 0: the list of parts, or outside the course."""
    stage: Annotated[int, Field(ge=1, le=MAX_STAGES)] = 1
    lang: Language = "en"
    """The language of the question: that of the presenter's page."""


class QuestionToClass(RequestBody):
    """A question to the class."""

    run: Annotated[str, Field(max_length=200)]
    about: Subject
    when: When | None = None
    """The round of `how` and `change`, which need one; other questions have none."""
    lang: Language = "en"
    """The language of `how` and `change`: that of the presenter's page. The page translates the other questions."""
    token: TokenNumber | None = None
    """The word of the question, if it has one."""
    steps: Annotated[int, Field(ge=1, le=1_000)] = 100
    """The number of steps after which the answer is measured; 1 for questions about the next step."""
    words: Annotated[list[TokenNumber], Field(max_length=6)] = Field(default_factory=list)
    """The words to choose from, by token id: two to six, for `nearest`."""


class QuestionChange(RequestBody):
    """A change of the question's state, only forwards."""

    state: Literal["closed", "revealed"]


class JoinBody(RequestBody):
    """A request to join, with the code or the secret of the link."""

    code: ShortCode


class AssistBody(RequestBody):
    """A request of an assistant."""

    kind: Literal["pause", "resume", "step", "pace", "point"]
    run: Annotated[str, Field(max_length=200)]
    steps_per_second: Annotated[float, Field(gt=0, le=10_000)] | None = None
    """For `pace`; null is full speed."""
    token: TokenNumber | None = None
    """For `point`; null points at nothing."""


class ClassMessage(ApiModel):
    """A live socket message to the class: its complete common state."""

    type: Literal["class"] = "class"
    role: Role
    text: bool
    """True if this viewer may see the text of the run of this socket."""
    view: str | None
    """The presenter's view; null if the class does not follow."""
    question: ClassQuestion | None
    answer: float | None
    """This viewer's prediction; 0 for a written answer."""
    written: str | None
    """This viewer's written answer."""
    pointed: PointedWord | None
    newest_run: str | None
    """The run that was started last."""
    lessons: int
    """A version that grows when predictions of the course are revealed or forgotten."""


class PredictionMessage(RequestBody):
    """A prediction from a viewer. It replaces an earlier one while the question is open."""

    question: int
    answer: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    written: Annotated[str, Field(max_length=MAX_WRITTEN)] = ""
    """The answer to a question with written answers, which ignores `answer`."""
    id: Annotated[int, Field(ge=0, lt=1 << 53)] = 0
    """Its number among this viewer's, which grows, as the time does: one that comes late, by way of another server, does
    not replace a later one."""
