/**
 * The page's names for what the server sends and takes, over REST and as text on the socket. The
 * types are generated from `frontend/openapi.json`; no other file of the page knows the names in it.
 */

import type { Answered, Operations, Sent } from "./generated/schema";

export type Operation = keyof Operations;
/** The JSON that an operation takes. */
export type Body<Of extends Operation> = Operations[Of]["body"];
/** The JSON that an operation answers with. */
export type Answer<Of extends Operation> = Operations[Of]["answer"];

/** A text message of the live socket, told apart by its `type`. */
export type SocketMessage = Answered["SocketMessage"];

export type Session = Answered["Session"];
/** A browser that presents. */
export type BrowserSession = Answered["BrowserSession"];

export type Run = Answered["Run"];
/** A text as it is kept, and what can be said of it before it is learned. */
export type Upload = Answered["Upload"];
export type Status = Answered["Status"];
export type Phase = Status["phase"];
export type Recipe = Answered["Recipe"];
export type MapRecipe = Answered["MapRecipe"];
/** A recipe as it is sent: the server fills in what is missing. */
export type PartialRecipe = Sent["Recipe"];
export type RunRecord = Answered["RunRecord"];
export type RecordPart = keyof RunRecord["parts"];
/** The disk size of a run, once finished. */
export type SizeEstimate = Answered["SizeEstimate"];
/** A presenter's request to a run. */
export type TrainerRequest = Body<"POST /api/runs/{run}/requests">;

export type StepSummary = Answered["StepSummary"];
export type StepDetails = Answered["StepDetails"];
/** Which rows are in one set of a step and not in another. */
export type RowDifferences = Answered["RowDifferences"];
export type StepText = Answered["StepText"];
export type Measures = Answered["Measures"];
/** The cost of a run; null where it is not known. */
export type Cost = Answered["Cost"];
export type CostEnergy = NonNullable<Cost["energy"]>;
/** A training, this one or another, and what it took or would take. */
export type ScaleRow = Cost["scale"][number];
/** An event in the life of a district. Text of the run is in its message. Hostile: show with `printableText`. */
export type DistrictEvent = Answered["DistrictEvent"];

/** An event in the record of a run. Hostile: show its message with `printableText`. */
export type RunEvent = Answered["RunEvent"];

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
export type ExportFormat = Body<"POST /api/runs/{run}/exports">["format"];

/** The lines that the model said after one step. */
export type LineSet = Answered["LineSet"];

/** A code of why the server refused something. */
export type ReasonCode = NonNullable<Answered["Problem"]["code"]>;
/** A question about the model as it was at a step. */
export type ExaminationQuestion = Body<"POST /api/runs/{run}/examinations">;
export type QuestionOf<Kind extends AnswerKind> = Extract<ExaminationQuestion, { kind: Kind }>;
/** A question, and what has become of it. Words of people are in it. Hostile: show with `printableText`. */
export type Examination = Answered["Examination"];

/** The claims about learning with what a run shows of each. */
export type ClaimBoard = Answered["ClaimBoard"];
/** A claim. Words of the run's own text may be in it. Hostile: show with `printableText`. */
export type ClaimRow = ClaimBoard["items"][number];
export type ClaimFigure = ClaimRow["figures"][number];
/** The finding of the rule of a claim on the control. Hostile as the claim is. */
export type ClaimControlFinding = NonNullable<ClaimRow["control"]>;
/** A part of the course with the numbers of a run. The server lets no sign through that cannot be shown; words of the run are hostile. */
export type LessonPart = Answered["LessonPart"];
export type LessonSummary = Answered["LessonSummary"];
export type LessonStage = LessonPart["stages"][number];
export type LessonBlock = LessonStage["blocks"][number];
export type LessonSpan = LessonBlock["lines"][number][number];
export type LessonPrediction = NonNullable<LessonStage["prediction"]>;
export type LessonNumber = LessonPart["numbers"][string];
/** A question that claims wait for. */
export type ClaimQuestion = ClaimBoard["questions"][number];

/** An answer of the examiner. Words of people and numbers of an imported run are in it. Hostile. */
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
/** A kind of word that is put in the place of another. */
export type Substitute = "near" | "tenth" | "chance";
export type MicroscopeText = Answered["MicroscopeText"];
export type MicroscopeOperations = Answered["MicroscopeOperations"];
export type ForwardOperation = Answered["ForwardOperation"];
export type LinearOutput = Answered["LinearOutput"];
export type MicroscopeRiver = Answered["MicroscopeRiver"];
export type RiverFlag = NonNullable<Answered["LayerGradient"]["flag"]>;
export type RowUpdate = Answered["RowUpdate"];

/** The class, as the presenter sees it: who is there, what they see, and what is asked. */
export type SchoolClass = Answered["SchoolClass"];
export type ClassMember = Answered["ClassMember"];
export type ClassChange = Body<"PATCH /api/class">;
/** A question to the class whose answer is measured. Words of a text are in it. Hostile: show with `printableText`. */
export type ClassQuestion = Answered["ClassQuestion"];
export type ClassOutcome = Answered["ClassOutcome"];
/** The predictions of a class at a stage of the course. Hostile as its question is. */
export type LessonAnswers = Answered["LessonAnswers"];
export type QuestionToClass = Sent["QuestionToClass"];
export type ClassSubject = QuestionToClass["about"];
/** All that a viewer is told of the class, whole each time. */
export type ClassMessage = Answered["ClassMessage"];
/** The beginning of the text that a step read, as it comes with the step's beat. */
export type WordsMessage = Answered["WordsMessage"];
/** Steps between two beats, as a chart shows them. */
export type PassedSteps = Answered["PassedMessage"];
/** A viewer's prediction, which the socket takes. */
export type PredictionMessage = Answered["PredictionMessage"];
/** A request of an assistant: to the trainer, or to point at a word. */
export type AssistantRequest = Pick<Answered["AssistBody"], "kind"> &
  Partial<Answered["AssistBody"]>;
