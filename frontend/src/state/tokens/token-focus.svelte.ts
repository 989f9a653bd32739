/**
 * The token in focus. A link may name it by a text that is not resolved before the vocabulary is known; a
 * text that the vocabulary lacks stays in the link until another token is chosen.
 */

import type { Failure } from "../../api/failure";
import { tokenIdOf, type TokenReference } from "../../model/token-reference";
import type { ViewChange } from "../../model/view/view-state";
import type { LiveRun } from "../run/live-run.svelte";
import { requestJson, runPath } from "../../api/rest";
import type { Neighbours, TokenDetails } from "../../api/rest-types";
import { PolledQuery } from "../query/polled-query.svelte";
import type { Question } from "../query/query.svelte";

const NEIGHBOURS = 12;
/** Debounce in ms: during a scrub only the last step is requested. */
const DEBOUNCE = 120;

interface TokenAtStep {
  detail: TokenDetails;
  neighbours: Neighbours;
}

export class FocusedToken extends PolledQuery<TokenAtStep> {
  protected readonly pollInterval = 2_000;
  token = $state<number | null>(null);
  /** The past step on display; null: the newest. */
  private step: number | null = null;

  /** Start without a token. `newestStep` returns the newest step of a live run. */
  constructor(
    private readonly run: string,
    private readonly newestStep: () => number,
  ) {
    super();
  }

  get detail(): TokenDetails | null {
    return this.value?.detail ?? null;
  }

  get neighbours(): Neighbours | null {
    return this.value?.neighbours ?? null;
  }

  choose(token: number | null) {
    if (token === this.token) return;
    this.token = token;
    this.poll();
  }

  /** Reject a token that does not exist: focus none and keep the reason. */
  reject(problem: Failure) {
    this.choose(null);
    this.problem = problem;
  }

  /** Follow the step on display; null: the newest. */
  setStep(step: number | null) {
    if (step === this.step) return;
    this.step = step;
    this.poll(DEBOUNCE);
  }

  protected question(): Question<TokenAtStep> | null {
    const { run, token, step } = this;
    if (token === null) return null;
    const at = step === null ? "" : `step=${step}`;
    const fetch = async (signal: AbortSignal): Promise<TokenAtStep> => {
      const [detail, neighbours] = await Promise.all([
        requestJson<TokenDetails>(runPath(run, `tokens/${token}${at && `?${at}`}`), { signal }),
        requestJson<Neighbours>(
          runPath(run, `neighbours?token_id=${token}&k=${NEIGHBOURS}${at && `&${at}`}`),
          { signal },
        ),
      ]);
      return { detail, neighbours };
    };
    return { key: `${token} ${step ?? this.newestStep()}`, subject: String(token), fetch };
  }
}

export class TokenFocus {
  private run: LiveRun | null = null;
  private current = $state.raw<FocusedToken | null>(null);
  /** A text that is not in the vocabulary, or a token that is not resolved yet. */
  private unresolved = $state<TokenReference | null>(null);

  /** Return the id of the token; null: none. */
  get token(): number | null {
    return this.current?.token ?? null;
  }

  /** Return the chosen token, which may be missing from the vocabulary; null: none. */
  get reference(): TokenReference | null {
    return this.unresolved ?? this.token;
  }

  /** Return the token's row at the step on display; null until fetched. */
  get detail() {
    return this.current?.detail ?? null;
  }

  /** Return the token's neighbours at the step on display; null until fetched. */
  get neighbours() {
    return this.current?.neighbours ?? null;
  }

  /** Return why the token, or its row, is not known. */
  get problem(): Failure | null {
    return this.current?.problem ?? null;
  }

  /** Return the focus's part of the view state. */
  toViewState(): ViewChange {
    return { token: this.reference };
  }

  applyView({ token }: ViewChange) {
    if (token !== undefined) this.choose(token);
  }

  /** Switch to another run, without a token; null: none. */
  switchRun(run: LiveRun | null) {
    this.current?.close();
    this.unresolved = null;
    this.run = run;
    this.current = run && new FocusedToken(run.id, () => run.displayedStep ?? 0);
  }

  /** Follow the step on display; null: the newest. */
  setStep(step: number | null) {
    this.current?.setStep(step);
  }

  /** Resolve the token of a link, once the tokens are known. */
  resolvePending() {
    // The reason for a failure stays, however often new data allow another attempt.
    if (this.run?.vocabulary && this.reference !== null) this.choose(this.reference);
  }

  private choose(token: TokenReference | null) {
    const { current } = this;
    const vocabulary = this.run?.vocabulary ?? null;
    // Before the vocabulary is known an id suffices; its row can be fetched already.
    const id = vocabulary && token !== null ? tokenIdOf(token, vocabulary) : null;
    this.unresolved = id === null && (typeof token === "string" || !current) ? token : null;
    if (!current) return;
    if (id !== null) current.choose(id);
    else if (token === null || !vocabulary) {
      current.choose(typeof token === "number" ? token : null);
      if (token === null) current.problem = null;
    } else
      current.reject(
        typeof token === "number" ? { code: "noToken" } : { code: "noWord", word: token },
      );
  }
}
