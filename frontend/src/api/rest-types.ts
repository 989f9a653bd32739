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
export type SocketMessage =
  | Answered["SocketMessage"]
  | ({ type: "lines" } & LineSet)
  | { type: "examination"; examination: Examination };

export type Session = Answered["Session"];
/** A browser that presents. */
export type BrowserSession = Answered["BrowserSession"];

export type Run = Answered["RunDetails"];
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
export type Estimate = Answered["SizeEstimate"];
/** A presenter's request to a run. */
export type TrainerRequest = Body<"POST /api/runs/{run}/requests">;

export type StepRecord = Answered["StepSummary"];
export type StepDetail = Answered["StepDetails"];
export type StepText = Answered["StepText"];
export type Measures = Answered["Measures"];
/** An event in the life of a district. Text of the run is in its message. Hostile: show with `printableText`. */
export type DistrictEvent = Answered["DistrictEvent"];

export type Token = Answered["Token"];
export type TokenDetail = Answered["TokenDetails"];
export type Neighbours = Answered["Neighbours"];
export type Motion = Answered["MotionHistory"];
export type GradientPath = Answered["GradientHistory"];
export type PairPath = Answered["PairHistory"];
export type Pairs = Answered["Pairs"];
export type PairsMeasured = Answered["Similarity"];

export type MapSettings = Answered["MapSettings"];
export type Reprojection = Answered["Reprojection"];

export type Export = Answered["Export"];
export type ExportFormat = Body<"POST /api/runs/{run}/exports">["format"];

/** A continuation of a prompt that the trainer let the model say, by token id. */
export interface SpokenLine {
  prompt: number[];
  words: number[];
  /** The model's probability of each word. */
  probabilities: number[];
  /** False where each word is the likeliest one. */
  sampled: boolean;
}
/** What the model said at one step. */
export interface LineSet {
  step: number;
  attempt: number;
  lines: SpokenLine[];
}

/** A question to the model as it was at a step: let it go on with a prompt. Words of people are in it. Hostile. */
export interface SpeakQuestion {
  kind: "speak";
  /** The step after which the model is asked; 0 is before the first. */
  step: number;
  prompt: string;
  /** Tokens to say. */
  words?: number;
  seed?: number;
  temperature?: number;
}
/** A question that the page asks. */
export type ExaminationQuestion = SpeakQuestion;
/** A question of a kind that the page does not ask yet. */
interface OtherQuestion {
  kind: "microscope" | "what_if" | "transplant" | "rotation" | "probe";
  step: number;
}

/** A question, and what has become of it. */
export interface Examination {
  id: string;
  kind: (SpeakQuestion | OtherQuestion)["kind"];
  step: number;
  attempt: number;
  question: SpeakQuestion | OtherQuestion;
  state: "waiting" | "running" | "done" | "failed" | "cancelled";
  /** Progress, 0 to 1. */
  share: number;
  /** What is done now, in words. */
  activity: string;
  problem: string | null;
  /** When it was answered, Unix seconds; null if it was not. */
  made: number | null;
}

/** How the model was brought to the step, and whether every step came out as it is recorded; null where nothing says. */
export interface Replayed {
  from: number;
  steps: number;
  equal: boolean | null;
  /** Greatest difference of the embedding from the recorded one; null where not known. */
  difference: number | null;
}

/** A word that the model said, its probability, and what else it thought of: ids with probabilities, the likeliest first. */
export interface SaidWord {
  id: number;
  p: number;
  candidates: [number, number][];
}
export interface SpeakAnswer {
  prompt: number[];
  greedy: SaidWord[];
  sampled: SaidWord[];
  replayed: Replayed;
}
/** An examination with its answer, once it is there. */
export type AnsweredExamination = Examination & { answer: SpeakAnswer | null };
