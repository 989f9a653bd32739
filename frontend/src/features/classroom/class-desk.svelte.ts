/** The presenter's desk: the class as the server knows it, asked for again and again, and what the presenter does with it. */

import { requestBytes, requestJson, sendJson } from "../../api/rest";
import type {
  Body,
  ClassChange,
  ClassMember,
  ClassQuestion,
  QuestionToClass,
  SchoolClass,
} from "../../api/rest-types";
import { PolledQuery } from "../../state/query/polled-query.svelte";
import type { Question } from "../../state/query/query.svelte";
import type { ServerSession } from "../../state/run/server-session.svelte";

/** Pauses between two looks at the class, in ms: while it is on the screen, and otherwise. */
const CLOSE_LOOK = 1_000;
const CALM_LOOK = 3_000;
/** Mark of the window whose view the class follows; it outlives a reload of that window, and is in no other. */
const LEADS = "lamplighter.leads";

export class ClassDesk extends PolledQuery<SchoolClass> {
  /** Part of the class that fills the window: the page to join at, or the answers to the question; null: none. */
  large = $state<"join" | "answers" | null>(null);
  /** Set once the card in the corner was put away. */
  cardAway = $state(false);
  /** True if this is the window whose view the class follows. */
  leadsHere = $state(readMark());
  private lookers = 0;
  private closeLookers = 0;

  protected get pollInterval(): number {
    return this.closeLookers || this.large || this.value?.question?.state === "open"
      ? CLOSE_LOOK
      : CALM_LOOK;
  }

  /** Keep the class up to date until the returned function is called; `closely`: its details are on the screen. */
  look(closely: boolean): () => void {
    this.lookers += 1;
    if (closely) this.closeLookers += 1;
    this.poll();
    return () => {
      this.lookers -= 1;
      if (closely) this.closeLookers -= 1;
    };
  }

  /** Let something of the class fill the window, or nothing. */
  showLarge(large: "join" | "answers" | null) {
    this.large = large;
  }

  /** Clear the card from the corner. */
  putCardAway() {
    this.cardAway = true;
  }

  /** Return whether this window's view is what the class follows now. */
  get leads(): boolean {
    return this.leadsHere && this.value?.following === true;
  }

  /** Let the class follow this window, or nobody. */
  lead(on: boolean): Promise<void> {
    this.leadsHere = on;
    keepMark(on);
    return this.change({ following: on });
  }

  change(change: ClassChange): Promise<void> {
    return this.mutate(() => sendJson<"PATCH /api/class">("/api/class", change, PATCH));
  }

  /** Replace the code; those who are in stay in. */
  renewCode(): Promise<void> {
    return this.mutate(() => requestJson("/api/class/code", { method: "POST" }));
  }

  /** End the class for everybody. */
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

  /** Let the class see the text of a run, or withhold it. */
  giveText(run: string, given: boolean): Promise<void> {
    const path = `/api/class/texts/${encodeURIComponent(run)}`;
    return this.mutate(() => sendJson<"POST /api/class/texts/{run}">(path, { given }));
  }

  askClass(question: QuestionToClass): Promise<void> {
    return this.mutate(() => sendJson<"POST /api/class/question">("/api/class/question", question));
  }

  /** Report where this window is in the course: a prediction there is asked of the class. */
  comeToStage(place: Body<"POST /api/class/lesson">): Promise<void> {
    return this.mutate(() => sendJson<"POST /api/class/lesson">("/api/class/lesson", place));
  }

  /** Take no more answers, or show them with what was measured. */
  advanceQuestion(state: Exclude<ClassQuestion["state"], "open">): Promise<void> {
    return this.mutate(() =>
      sendJson<"PATCH /api/class/question">("/api/class/question", { state }, PATCH),
    );
  }

  dropQuestion(): Promise<void> {
    this.large = null;
    return this.mutate(() => requestJson("/api/class/question", DELETE));
  }

  /** Return the answers of the class as a CSV file. Throws `ApiError`. */
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

/** Return the one desk of this page. */
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
