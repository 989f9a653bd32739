/**
 * The page's names for the data that the server sends and accepts, over REST and as text on the socket. The
 * types are generated from `frontend/openapi.json`; no other file of the page uses its names.
 */

import type { Answered, Operations, Sent } from "./generated/schema";

export type Operation = keyof Operations;
/** The JSON body of an operation's request. */
export type Body<Of extends Operation> = Operations[Of]["body"];
/** The JSON body of an operation's response. */
export type Answer<Of extends Operation> = Operations[Of]["answer"];

/** A text message of the live socket, discriminated by `type`. */
export type SocketMessage = Answered["SocketMessage"];

export type Session = Answered["Session"];
/** The session of a presenter's browser. */
export type BrowserSession = Answered["BrowserSession"];

export type Run = Answered["Run"];
/** An uploaded text, and its statistics before training. */
export type Upload = Answered["Upload"];
export type Status = Answered["Status"];
export type Phase = Status["phase"];
export type Recipe = Answered["Recipe"];
export type MapRecipe = Answered["MapRecipe"];
/** A recipe in a request: the server fills in missing fields. */
export type PartialRecipe = Sent["Recipe"];
export type RunRecord = Answered["RunRecord"];
export type RecordPart = keyof RunRecord["parts"];
/** The disk size of a finished run. */
export type SizeEstimate = Answered["SizeEstimate"];
/** Where a fork comes from, and what it changed. Hostile: show its texts with `printableText`. */
export type ForkParent = NonNullable<Run["parent"]>;
/** What a fork at a step takes before it begins. */
export type ForkCost = Answer<"GET /api/runs/{run}/forks/{step}">;
/** How two runs differ at a step. It quotes the texts of both. Hostile: show with `printableToken`. */
export type RunDifference = Answer<"GET /api/runs/{run}/difference">;
export type DifferenceProgress = Answer<"GET /api/runs/{run}/difference/progress">;
/** A presenter's request to a run. */
export type TrainerRequest = Body<"POST /api/runs/{run}/requests">;

export type StepSummary = Answered["StepSummary"];
export type StepDetails = Answered["StepDetails"];
/** The rows that are in one set of a step and not in another. */
export type RowDifferences = Answered["RowDifferences"];
export type StepText = Answered["StepText"];
export type OutlyingSteps = Answered["OutlyingSteps"];
export type TurningPoints = Answered["TurningPoints"];
/** What was in a step, beside what is usual around it. */
export type StepCause = Answered["StepCause"];
export type Measures = Answered["Measures"];
/** The cost of a run; null if not known. */
export type Cost = Answered["Cost"];
export type CostEnergy = NonNullable<Cost["energy"]>;
/** A training, this one or another, and its actual or estimated cost. */
export type ScaleRow = Cost["scale"][number];
/**
 * An event in the life of a district. Its message quotes the run's text. Hostile: show with `printableText`.
 */
export type DistrictEvent = Answered["DistrictEvent"];

/** An event in the record of a run. Hostile: show its message with `printableText`. */
export type TimelineEvent = Answered["Event"];

export type Token = Answered["Token"];
export type TokenDetails = Answered["TokenDetails"];
export type Neighbours = Answered["Neighbours"];
export type MotionHistory = Answered["MotionHistory"];
export type GradientHistory = Answered["GradientHistory"];
export type PairHistory = Answered["PairHistory"];
export type Pairs = Answered["Pairs"];
export type PairsMeasured = Answered["PairsMeasured"];

export type MapSettings = Answered["MapSettings"];
export type Reprojection = Answered["Reprojection"];
export type LayoutList = Answered["LayoutList"];
/** The steps whose output matrix is kept. */
export type Waypoints = Answered["Waypoints"];

export type Export = Answered["Export"];
export type Import = Answered["Import"];
export type ExportFormat = Body<"POST /api/runs/{run}/exports">["format"];

/** The lines that the model generated after one step. */
export type LineSet = Answered["LineSet"];

/** A code for why the server refused a request. */
export type ReasonCode = NonNullable<Answered["Problem"]["code"]>;
/** A question about the model as it was at a step. */
export type ExaminationQuestion = Body<"POST /api/runs/{run}/examinations">;
export type QuestionOf<Kind extends AnswerKind> = Extract<ExaminationQuestion, { kind: Kind }>;
/** A question and its status. It quotes user text. Hostile: show with `printableText`. */
export type Examination = Answered["Examination"];

/** The claims about learning, with the evidence of a run for each. */
/** Trainings of one recipe that differ in a few settings, mostly in the seed. Its name is hostile. */
export type RunSet = Answered["SetSummary"];
export type SetCurves = Answered["SetCurves"];
export type SetClaims = Answered["SetClaims"];
export type SetSpread = Answered["SetSpread"];
/** A number of every training of a set. */
export type MemberSpread = SetSpread["relations"][number]["accuracy"];
export type SetWord = Answered["SetWord"];

export type ClaimBoard = Answered["ClaimBoard"];
/** A claim. It may quote the run's text. Hostile: show with `printableText`. */
export type ClaimRow = ClaimBoard["items"][number];
export type ClaimFigure = ClaimRow["figures"][number];
/**
 * A part of the course with the numbers of a run. The server removes unprintable characters; words of the run
 * are hostile.
 */
export type LessonPart = Answered["LessonPart"];
export type LessonSummary = Answered["LessonSummary"];
export type LessonStage = LessonPart["stages"][number];
export type LessonBlock = LessonStage["blocks"][number];
export type LessonSpan = LessonBlock["lines"][number][number];
export type LessonPrediction = NonNullable<LessonStage["prediction"]>;
export type LessonNumber = LessonPart["numbers"][string];
/** A question that claims need an answer to. */
export type ClaimQuestion = ClaimBoard["questions"][number];

/** An answer of the examiner, with user text and numbers of an imported run. Hostile. */
export type StoredAnswer = NonNullable<Answered["ExaminationDetails"]["answer"]>;
export type AnswerKind = StoredAnswer["kind"];
export type AnswerTo<Kind extends AnswerKind> = Extract<StoredAnswer, { kind: Kind }>;
export type Replayed = Answered["Replayed"];
export type SaidWord = Answered["SaidWord"];
export type TaughtRows = Answered["TaughtRows"];
export type EnvironmentPoint = Answered["EnvironmentPoint"];
export type RuleReading = Answered["RuleReading"];
export type WordGroup = Answered["WordGroup"];
export type OptimiserReading = Answered["OptimiserReading"];
/** The kind of word that replaces another. */
export type Substitute = "near" | "tenth" | "chance";
export type MicroscopeText = Answered["MicroscopeText"];
export type MicroscopeOperations = Answered["MicroscopeOperations"];
export type ForwardOperation = Answered["ForwardOperation"];
export type LinearOutput = Answered["LinearOutput"];
export type MicroscopeRiver = Answered["MicroscopeRiver"];
export type RiverFlag = NonNullable<Answered["LayerGradient"]["flag"]>;
export type RowUpdate = Answered["RowUpdate"];

/** The class as the presenter sees it: the viewers, their views, and the open question. */
export type SchoolClass = Answered["SchoolClass"];
export type ClassMember = Answered["ClassMember"];
export type ClassChange = Body<"PATCH /api/class">;
/** A question to the class whose answer is measured. It quotes a text. Hostile: show with `printableText`. */
export type ClassQuestion = Answered["ClassQuestion"];
export type ClassOutcome = Answered["ClassOutcome"];
/** The predictions of a class at a stage of the course. Hostile, as the question is. */
export type LessonAnswers = Answered["LessonAnswers"];
export type QuestionToClass = Sent["QuestionToClass"];
/** The questions whose answers are written, asked before the lesson and again after it. */
export type WrittenSubject = "how" | "change";
export type ClassSubject = Exclude<QuestionToClass["about"], WrittenSubject>;
/** The state of the class as a viewer gets it, complete each time. */
export type ClassMessage = Answered["ClassMessage"];
/** The beginning of the text that a step read, sent with the step's beat. */
export type WordsMessage = Answered["WordsMessage"];
/** Steps between two beats, as points of a chart. */
export type PassedSteps = Answered["PassedMessage"];
/** A viewer's prediction, sent over the socket with an id. */
export type PredictionMessage = Pick<Answered["PredictionMessage"], "question"> &
  Partial<Omit<Answered["PredictionMessage"], "id">>;
/** A request of an assistant: to the trainer, or to point at a word. */
export type AssistantRequest = Pick<Answered["AssistBody"], "kind"> &
  Partial<Answered["AssistBody"]>;
