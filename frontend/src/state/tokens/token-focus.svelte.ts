/**
 * The token in focus. A link may name it by a text that is not resolved before the vocabulary is known; a
 * text that the vocabulary lacks stays in the link until another token is chosen.
 */

import type { Failure } from "../../api/failure";
import { tokenIdOf, type TokenReference } from "../../model/token-reference";
import type { ViewChange } from "../../model/view/view-state";
import type { LiveRun } from "../run/live-run.svelte";
import { FocusedToken } from "./focused-token.svelte";

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
