/** This browser's session with the server, and the server's runs, polled every few seconds. */

import { requestJson, runPath, sendJson } from "../../api/rest";
import { forgetSessionKey } from "../../api/session-key";
import type {
  Answer,
  BrowserSession,
  ClassMessage,
  PartialRecipe,
  Run,
  Session,
  Upload,
} from "../../api/rest-types";
import { ApiError } from "../../api/failure";
import { getSource } from "../../api/source";
import { LAB_PANELS } from "../../model/view/view-options";
import { hasEnded } from "../../model/phase";

const POLL_INTERVAL = 5_000;
/**
 * Poll intervals, in ms: for a viewer in a class, which is told of new runs; and without a run or a server,
 * when nothing announces changes.
 */
const POLL_INTERVAL_IN_CLASS = 60_000;
const POLL_INTERVAL_WITHOUT_RUN = 10_000;
/** Maximum length of a text's name in the server, in characters. */
const MAX_TEXT_NAME = 200;

/** Panels of the lab that need no server: a file that holds a run has all their data. */
const LAB_PANELS_OF_A_FILE: readonly (typeof LAB_PANELS)[number][] = ["measures", "run", "export"];

export class ServerSession {
  /** Contents of the file that replaces the server; null with a server. */
  readonly packed = getSource().packed;
  session = $state.raw<Session | null>(null);
  runs = $state.raw<Run[] | null>(null);
  /** Set if the server did not answer the last request for the list of runs. */
  unreachable = $state(false);
  /** A run started elsewhere while this page is open, until it is opened or dismissed. */
  newRun = $state<string | null>(null);
  /** The last message about the class; null outside one. */
  classMessage = $state.raw<ClassMessage | null>(null);
  /** Set once the class has closed this viewer's connection for good. */
  private ended = $state(false);

  /** Runs that need no notice; null before the first list. */
  private known: Set<string> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Start without an answer. `answered` is called after each one. */
  constructor(private readonly answered: () => void) {}

  // The session is fetched repeatedly, but effects that depend on these two must rerun only on a change.
  /** True for a viewer who may change runs. */
  readonly presenter = $derived(this.session?.presenter ?? false);
  /** True on the class's address; null if not known yet. */
  readonly inClass = $derived(this.session && this.session.classroom);

  /** Return the panels of the lab, in the order of their tabs. */
  get labPanels(): readonly (typeof LAB_PANELS)[number][] {
    if (!this.packed) return LAB_PANELS;
    return this.packed.answers ? [...LAB_PANELS_OF_A_FILE, "experiments"] : LAB_PANELS_OF_A_FILE;
  }

  /** Return whether movement of rows is available: a file holds no vectors. */
  get tellsMovement(): boolean {
    return this.packed === null;
  }

  /** Return whether the model has answers, or can be asked. */
  get answers(): boolean {
    return this.packed === null || this.packed.answers;
  }

  /** Return whether a course is available. */
  get teaches(): boolean {
    return this.packed === null || this.packed.course;
  }

  /** Return whether the class has removed this viewer. */
  get outside(): boolean {
    return this.inClass === true && (this.ended || this.session?.role === "nobody");
  }

  /** Return whether this viewer may control training as an assistant of the presenter. */
  get assists(): boolean {
    return (this.classMessage ?? this.session)?.role === "assistant";
  }

  /** Return whether this viewer may pause training and set its pace. */
  get steers(): boolean {
    return this.presenter || this.assists;
  }

  /** Return the run to show by default: one in progress, or else the newest readable one. */
  get defaultRun(): Run | null {
    const readable = (this.runs ?? []).filter((run) => run.readable);
    readable.sort((a, b) => (b.created ?? 0) - (a.created ?? 0));
    return readable.find((run) => run.status?.alive) ?? readable[0] ?? null;
  }

  /** Upload a text; return its statistics, without creating a run. Throws `ApiError`, or the abort. */
  sendText(text: Blob, name: string, signal: AbortSignal): Promise<Upload> {
    const path = `/api/uploads?name=${encodeURIComponent(name.slice(0, MAX_TEXT_NAME))}`;
    return requestJson<Upload>(path, { method: "POST", body: text, signal });
  }

  /** Create a run from a recipe, and an uploaded text if any. Throws `ApiError`. */
  async createRun(recipe: PartialRecipe, upload: string | null): Promise<Run> {
    const run = await sendJson<"POST /api/runs">(
      "/api/runs",
      upload ? { recipe, upload } : { recipe },
    );
    this.dismissNewRun(run.id);
    return run;
  }

  /** Dismiss the notice of a run, or suppress it. */
  dismissNewRun(id: string) {
    this.known?.add(id);
    if (this.newRun === id) this.newRun = null;
  }

  /** Rename a run. Throws `ApiError`. */
  async renameRun(id: string, name: string): Promise<void> {
    await sendJson<"PATCH /api/runs/{run}">(runPath(id), { name }, { method: "PATCH" });
  }

  /** Continue a run by `steps` beyond its end. Throws `ApiError`. */
  async continueRun(id: string, steps: number, confirmed: boolean): Promise<void> {
    const request = { kind: "continue", steps, ...(confirmed ? { confirmed } : {}) } as const;
    await sendJson<"POST /api/runs/{run}/requests">(runPath(id, "requests"), request);
  }

  /** Remove a run. Throws `ApiError`. */
  async removeRun(id: string): Promise<void> {
    await requestJson(runPath(id), { method: "DELETE" });
  }

  /** Return the browsers that present, most recently used first. Throws `ApiError`. */
  async listSessions(): Promise<BrowserSession[]> {
    return (await requestJson<Answer<"GET /api/sessions">>("/api/sessions")).items;
  }

  /** End a browser's session; without its own, this browser becomes a viewer. Throws `ApiError`. */
  async endSession({ id, current }: BrowserSession): Promise<void> {
    await requestJson(`/api/sessions/${encodeURIComponent(id)}`, { method: "DELETE" });
    if (!current) return;
    forgetSessionKey();
    await this.poll();
  }

  hear(message: ClassMessage) {
    this.classMessage = message;
    const { newest_run: id } = message;
    if (id === null || !this.known || this.known.has(id)) return;
    this.known.add(id);
    this.newRun = id;
  }

  end() {
    this.ended = true;
  }

  private get pollInterval(): number {
    if (!this.inClass) return POLL_INTERVAL;
    const calm = this.runs?.length && !this.unreachable;
    const interval = calm ? POLL_INTERVAL_IN_CLASS : POLL_INTERVAL_WITHOUT_RUN;
    // Spread the requests of a class.
    return interval * (0.5 + Math.random());
  }

  /** Fetch the session and the list of runs, and again every few seconds. */
  poll = async () => {
    clearTimeout(this.timer);
    try {
      const [session, runs] = await Promise.all([
        requestJson<Session>("/api/session"),
        requestJson<Answer<"GET /api/runs">>("/api/runs"),
      ]);
      this.session = session;
      this.runs = runs.items;
      this.noticeNewRun(runs.items);
      this.unreachable = false;
      this.answered();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.unreachable = true;
    } finally {
      this.timer = setTimeout(() => void this.poll(), this.pollInterval);
    }
  };

  private noticeNewRun(runs: readonly Run[]) {
    if (this.newRun !== null && runs.every(({ id }) => id !== this.newRun)) this.newRun = null;
    // An unreadable run may become readable soon.
    const readable = runs.filter((run) => run.readable);
    const fresh = this.known && readable.find(({ id }) => !this.known?.has(id));
    this.known = new Set([...(this.known ?? []), ...readable.map(({ id }) => id)]);
    if (fresh?.status && !hasEnded(fresh.status.phase)) this.newRun = fresh.id;
  }
}
