/** The presenter's desk: the polled state of the class, and the presenter's actions. */

import { requestBytes, requestJson, sendJson } from "../../api/rest";
import type {
  Body,
  ClassChange,
  ClassMember,
  ClassQuestion,
  QuestionToClass,
  SchoolClass,
  WrittenSubject,
} from "../../api/rest-types";
import { PolledQuery } from "../../state/query/polled-query.svelte";
import type { Question } from "../../state/query/query.svelte";
import type { ServerSession } from "../../state/run/server-session.svelte";

/** Poll intervals in ms: while the class is displayed, and otherwise. */
const CLOSE_POLL_INTERVAL = 1_000;
const POLL_INTERVAL = 3_000;
/** Session storage key of the window that the class follows: it survives a reload, and other windows lack it. */
const LEADS = "lamplighter.leads";

export class ClassDesk extends PolledQuery<SchoolClass> {
  /** The part that fills the window: the join page or the answers; null: none. */
  large = $state<"join" | "answers" | null>(null);
  /** True once the corner card was put away. */
  cardAway = $state(false);
  /** True if the class follows this window's view. */
  leadsHere = $state(readMark());
  private lookers = 0;
  private closeLookers = 0;

  protected get pollInterval(): number {
    return this.closeLookers || this.large || this.value?.question?.state === "open"
      ? CLOSE_POLL_INTERVAL
      : POLL_INTERVAL;
  }

  /** Keep the class up to date until the returned function is called; `closely`: its details are displayed. */
  look(closely: boolean): () => void {
    this.lookers += 1;
    if (closely) this.closeLookers += 1;
    this.poll();
    return () => {
      this.lookers -= 1;
      if (closely) this.closeLookers -= 1;
    };
  }

  /** Let a part of the class fill the window; null: none. */
  showLarge(large: "join" | "answers" | null) {
    this.large = large;
  }

  /** Put the corner card away. */
  putCardAway() {
    this.cardAway = true;
  }

  /** Return whether the class follows this window now. */
  get leads(): boolean {
    return this.leadsHere && this.value?.following === true;
  }

  /** Make the class follow this window, or stop following. */
  lead(on: boolean): Promise<void> {
    this.leadsHere = on;
    keepMark(on);
    return this.change({ following: on });
  }

  change(change: ClassChange): Promise<void> {
    return this.mutate(() => sendJson<"PATCH /api/class">("/api/class", change, PATCH));
  }

  /** Replace the join code; present members stay. */
  renewCode(): Promise<void> {
    return this.mutate(() => requestJson("/api/class/code", { method: "POST" }));
  }

  /** End the class for all members. */
  endClass(): Promise<void> {
    return this.mutate(() => requestJson("/api/class/members", DELETE));
  }

  removeMember({ id }: ClassMember): Promise<void> {
    return this.mutate(() => requestJson(memberPath(id), DELETE));
  }

  setRole({ id }: ClassMember, role: ClassMember["role"]): Promise<void> {
    return this.mutate(() =>
      sendJson<"PATCH /api/class/members/{member}">(memberPath(id), { role }, PATCH),
    );
  }

  /** Give the class access to a run's text, or withdraw it. */
  giveText(run: string, given: boolean): Promise<void> {
    const path = `/api/class/texts/${encodeURIComponent(run)}`;
    return this.mutate(() => sendJson<"POST /api/class/texts/{run}">(path, { given }));
  }

  askClass(question: QuestionToClass): Promise<void> {
    return this.mutate(() => sendJson<"POST /api/class/question">("/api/class/question", question));
  }

  /** Ask a question with written answers; one that was asked before opens again, with its answers. */
  askWritten(about: WrittenSubject, run: string, when: QuestionToClass["when"]): Promise<void> {
    return this.askClass({ run, about, when, lang: document.documentElement.lang });
  }

  /** Report this window's place in the course; the class is asked the prediction there. */
  comeToStage(place: Body<"POST /api/class/lesson">): Promise<void> {
    return this.mutate(() => sendJson<"POST /api/class/lesson">("/api/class/lesson", place));
  }

  /** Close the question, or reveal its answers with the measured result. */
  advanceQuestion(state: Exclude<ClassQuestion["state"], "open">): Promise<void> {
    return this.mutate(() =>
      sendJson<"PATCH /api/class/question">("/api/class/question", { state }, PATCH),
    );
  }

  dropQuestion(): Promise<void> {
    this.large = null;
    return this.mutate(() => requestJson("/api/class/question", DELETE));
  }

  /** Return the class's answers as a CSV file. Throws `ApiError`. */
  async fetchAnswers(): Promise<Blob> {
    return new Blob([await requestBytes("/api/class/answers.csv")], { type: "text/csv" });
  }

  protected question(): Question<SchoolClass> | null {
    if (!this.lookers) return null;
    return {
      key: null,
      subject: "class",
      fetch: (signal) => requestJson<SchoolClass>("/api/class", { signal }),
    };
  }
}

const PATCH = { method: "PATCH" } as const;
const DELETE = { method: "DELETE" } as const;
const desks = new WeakMap<ServerSession, ClassDesk>();

/** Return this page's only desk. */
export function deskOf(server: ServerSession): ClassDesk {
  const desk = desks.get(server) ?? new ClassDesk();
  desks.set(server, desk);
  return desk;
}

function memberPath(id: string): string {
  return `/api/class/members/${encodeURIComponent(id)}`;
}

function readMark(): boolean {
  try {
    return sessionStorage.getItem(LEADS) === "1";
  } catch {
    return false;
  }
}

function keepMark(on: boolean) {
  try {
    if (on) sessionStorage.setItem(LEADS, "1");
    else sessionStorage.removeItem(LEADS);
  } catch {
    // Without storage a reload of the window ends it.
  }
}
