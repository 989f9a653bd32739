/** The asking of what stages need of the model, once each, while the class thinks. */

import { failureOf, type Failure } from "../../api/failure";
import { requestJson, runPath } from "../../api/rest";

interface StageQuestion {
  readonly id: string;
  readonly question: object;
}

export class LessonAsking {
  /** Why the last question could not be asked. */
  problem = $state.raw<Failure | null>(null);
  private readonly tried = new Set<string>();
  private refused: StageQuestion | null = null;

  constructor(
    private readonly run: string,
    /** Called when a question was taken. */
    private readonly taken: () => void,
  ) {}

  /** Ask, unless that was tried before. */
  async ask(asked: StageQuestion) {
    if (this.tried.has(asked.id)) return;
    this.tried.add(asked.id);
    await this.send(asked, false);
  }

  /** Ask again what was not taken, or was not answered. */
  async again(asked: StageQuestion) {
    await this.send(asked, false);
  }

  /** Ask once more what has to be confirmed. */
  async confirm() {
    if (this.refused) await this.send(this.refused, true);
  }

  private async send(asked: StageQuestion, confirmed: boolean) {
    this.problem = this.refused = null;
    try {
      await requestJson(runPath(this.run, "examinations"), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...asked.question, ...(confirmed && { confirmed }) }),
      });
      this.taken();
    } catch (error) {
      this.problem = failureOf(error);
      this.refused = asked;
    }
  }
}
