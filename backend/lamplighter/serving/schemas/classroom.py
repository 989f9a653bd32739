"""Schemas of the class: what the presenter sees and sets, what a viewer may send, and what all are told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lamplighter.lessons.part_parser import MAX_STAGES
from lamplighter.serving.schemas.base import ApiModel, Items, RequestBody
from lamplighter.wire.binary import MAX_VOCABULARY

Role = Literal["viewer", "assistant"]
ViewQuery = Annotated[str, Field(max_length=2_000, pattern=r"^[!-~]*$")]
"""The query of a page's address, without "?": a whole view."""
TokenNumber = Annotated[int, Field(ge=0, lt=MAX_VOCABULARY)]
ShortCode = Annotated[str, Field(max_length=64)]


class ClassMember(ApiModel):
    """A viewer of the class. There are no names."""

    id: str
    """The public name of the session, to raise or to end it by; no secret."""
    number: int
    """The place in the order of joining, from 1."""
    browser: str
    """Browser and system, such as "Safari on iPhone"."""
    role: Role
    joined: float
    """Unix seconds."""
    connected: bool
    """True while a socket of the viewer's is open."""


class ClassText(ApiModel):
    """The permission to see the text of a run."""

    run: str
    given: bool
    """True if it is given: for texts of ours from the start, for a person's own only by the presenter."""
    own: bool
    """True if a person brought the text."""


class Outcome(ApiModel):
    """The measured answer to a question, and what was predicted."""

    value: float | None
    """The measured number; of a choice, the number of the right choice, from 0. Null until it is measured."""
    step: int | None
    """The step at which it was measured."""
    counts: list[int]
    """How many chose each choice; of a number, how many predicted a number in each bin."""
    edges: list[float]
    """The edges of the bins, one more than there are; none of a choice."""
    median: float | None
    """The median of the predicted numbers; null of a choice, or if nobody predicted."""


class ClassQuestion(ApiModel):
    """A question whose answer will be measured. Viewers predict it; then it is revealed."""

    id: int
    about: Literal[
        "lit_next", "loss_later", "moved_later", "read_later", "lit_word", "falls_later", "nearest", "lesson"
    ]
    """The measured quantity: `docs/rest.md` says how each is measured; `lesson`: a number of the course."""
    text: str
    """The question in words."""
    unit: str
    """The unit of a number; empty of a choice."""
    choices: list[str]
    """Two to six choices; none if a number is asked for."""
    low: float
    """The smallest number taken."""
    high: float
    """The largest number taken."""
    run: str
    from_step: int
    """The step at which it was asked."""
    at_step: int
    """The step whose record answers it."""
    part: int | None
    """The part of the course that asks it; null of any other question."""
    stage: int | None
    """The stage in it, from 1."""
    state: Literal["open", "closed", "revealed"]
    answered: int
    """How many have predicted."""
    outcome: Outcome | None
    """Null until it is revealed; the presenter sees the predictions before."""


class LessonAnswers(ApiModel):
    """The class's predictions at a stage of the course, beside what was measured."""

    question: ClassQuestion
    least: float
    """The left end of the line; of choices, 0."""
    most: float
    """The right end of it; of choices, the place of the last one."""
    measured: float | None
    """The measured number as it is predicted, a percentage from 0 to 100; null: it is not known yet."""
    quartiles: list[float] | None
    """The numbers below which a quarter, half and three quarters of the predictions lie, of choices their places from 0 on; null: nobody has predicted."""


class LessonAnswersList(Items[LessonAnswers]):
    """The predictions of the course that were revealed, in the order of the course."""


class PointedWord(ApiModel):
    """The word that an assistant points at."""

    run: str
    token: int


class Class(ApiModel):
    """The class, as the presenter sees it."""

    available: bool
    """False if the server was started without `--classroom`."""
    listening: bool
    """True while the class's address can be reached from the network."""
    door: bool
    """True while people may join."""
    addresses: list[str]
    """The addresses of the class, the likeliest first."""
    code: str
    """The code to type."""
    link: str
    """The link to join by, as the QR code has it. Its secret stands behind the `#`, which browsers do not send."""
    qr: list[str]
    """The rows of the QR code, a character for each module: 1 is dark."""
    encrypted: bool
    """True if people reach the class over https."""
    most: int
    """The most viewers at a time."""
    members: list[ClassMember]
    connected: int
    """Viewers with an open socket."""
    behind: int
    """Viewers among them that are more than a second behind."""
    following: bool
    """True while the presenter's view is sent to the class."""
    texts: list[ClassText]
    """The runs that are being watched, and the presenter's own."""
    question: ClassQuestion | None
    lessons: int
    """A number that grows whenever predictions of the course are revealed, or forgotten."""
    pointed: PointedWord | None
    """The word that an assistant points at; null for none."""
    wrong_codes: int
    """Wrong codes since the class began."""


class ClassChange(RequestBody):
    """A change of the class; what is left out stays."""

    listening: bool | None = None
    door: bool | None = None
    following: bool | None = None


class TextChange(RequestBody):
    """A permission to see a run's text, given or withdrawn."""

    given: bool


class MemberChange(RequestBody):
    """A change of a viewer's role."""

    role: Role


class PresentedView(RequestBody):
    """The presenter's view, for those who follow."""

    query: ViewQuery


class LessonPlace(RequestBody):
    """The presenter's place in the course."""

    run: Annotated[str, Field(max_length=200)]
    part: Annotated[int, Field(ge=0, le=99)]
    """The part; 0: the list of them, or no place in it at all."""
    stage: Annotated[int, Field(ge=1, le=MAX_STAGES)] = 1
    lang: Annotated[str, Field(pattern="^[a-z]{2}$")] = "en"
    """The language in which the class is asked: that of the presenter's page."""


class QuestionBody(RequestBody):
    """A question to the class."""

    run: Annotated[str, Field(max_length=200)]
    about: Literal[
        "lit_next", "loss_later", "moved_later", "read_later", "lit_word", "falls_later", "nearest"
    ]
    token: TokenNumber | None = None
    """The word asked about, where a word is."""
    steps: Annotated[int, Field(ge=1, le=1_000)] = 100
    """How many steps later the answer is measured; one for what is about the next step."""
    words: Annotated[list[TokenNumber], Field(max_length=6)] = Field(default_factory=list)
    """The words to choose from, by token id: two to six, for `nearest`."""


class QuestionChange(RequestBody):
    """A change of the question's state, forwards only."""

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
    """A live socket message to the class: all that the class has in common, whole each time."""

    type: Literal["class"] = "class"
    role: Role
    text: bool
    """True if this viewer may see the text of the run of this socket."""
    view: str | None
    """The presenter's view; null if nobody is to follow."""
    question: ClassQuestion | None
    answer: float | None
    """This viewer's prediction."""
    pointed: PointedWord | None
    newest_run: str | None
    """The run that was started last."""
    lessons: int
    """A number that grows whenever predictions of the course are revealed, or forgotten."""


class PredictionMessage(RequestBody):
    """A message from a viewer: a prediction. The last one counts while the question is open."""

    question: int
    answer: Annotated[float, Field(allow_inf_nan=False)]
