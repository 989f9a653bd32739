/** Commands of single panels: questions to the model, the microscope, claims, geometry, the course, the class, the game. */

import type { Recipe } from "../../api/rest-types";
import { textOf } from "../../api/vocabulary";
import { referenceTo } from "../../model/token-reference";
import type { TextPlace } from "../../model/view/microscope-place";
import type { ExperimentName, GeometryView } from "../../model/view/view-options";
import type { ViewChange } from "../../model/view/view-state";
import type { CommandScope } from "./scope";

/** Close the panel that covers the window and reopen the previous one. */
export function closeCovering({
  apply,
  viewSettings,
}: Pick<CommandScope, "apply" | "viewSettings">) {
  const { panelBefore } = viewSettings;
  apply(panelBefore ? { panel: panelBefore, folded: null } : { folded: true });
}

/**
 * Return the change that restores the look from before the camera moved to the direction on display; empty if
 * it did not.
 */
export function wayBackFromDirection({
  viewSettings,
  viewpoint,
}: Pick<CommandScope, "viewSettings" | "viewpoint">): ViewChange {
  return viewSettings.geometry.arrow ? viewpoint.wayBack : {};
}

export function panelCommands(scope: CommandScope) {
  const { apply, viewSettings, openRun, server, history, following } = scope;

  const askModel = (ask: "speak" | "what_if", say: string) => {
    viewSettings.asked.unsent = server.presenter;
    apply({ panel: "ask", folded: null, asked: null, ask, say, times: null, after: null });
  };

  function toggleBoard(panel: "claims" | "seeds") {
    if (viewSettings.panel === panel) closeCovering(scope);
    else if (openRun.run && !server.packed) {
      viewSettings.panelBefore = viewSettings.sidePanel;
      apply({ panel, folded: null });
    }
  }

  return {
    /** Ask the model outside its panel, which opens and sends the question. */
    askModel,
    /** Record that the panel sends that question. */
    takeUnsent() {
      viewSettings.asked.unsent = false;
    },
    /** Adopt a question, or its draft: the words and the experiment's other settings. */
    takeAsked: (asked: ViewChange) => apply({ asked: null, ...asked }),
    /** Show the answer to a past question. */
    showAnswer: (asked: string) => apply({ asked }),
    toggleAsk: () => {
      if (server.answers)
        apply(viewSettings.panel === "ask" ? { folded: true } : { panel: "ask", folded: null });
    },
    /** Let the model continue these tokens. */
    askAbout: (ids: readonly number[]) => {
      const vocabulary = openRun.run?.vocabulary;
      if (vocabulary) askModel("speak", textOf(ids, vocabulary));
    },
    /** Ask how a head looks at a sentence at a step: its layer and its number there, from 1, as `2.3`. */
    lookAtHead: (head: string, say: string, at: number) => {
      viewSettings.asked.unsent = server.presenter;
      apply({
        ...{ panel: "ask", folded: null, asked: null, ask: "probe", say, head, at },
        ...{ second: null, other: null },
      });
    },
    chooseHead: (head: string) => apply({ head }),
    chooseExperiment: (ask: ExperimentName) => apply({ ask, asked: null }),

    /** Close the panel that covers the window. */
    closeCovering: () => closeCovering(scope),
    /** Open the microscope on the step displayed, or close it. */
    toggleMicroscope() {
      if (!server.answers) return;
      if (viewSettings.panel === "microscope") {
        closeCovering(scope);
        return;
      }
      const { run } = openRun;
      if (run && !run.paused && !run.externallyTrained && run.newestStep > 0) run.pausePicture();
      viewSettings.panelBefore = viewSettings.sidePanel;
      apply({ panel: "microscope", folded: null });
    },
    /** Record that the step that a view wanted under the microscope is open there. */
    takeStepToOpen() {
      viewSettings.stepToOpen = null;
    },
    /** Examine a word of the batch. */
    readWord(micro: TextPlace) {
      history.goOn();
      apply({ micro });
    },
    /** Follow a number in the row of a token. */
    followNumber(token: number, coordinate: number) {
      const vocabulary = openRun.run?.vocabulary;
      history.goOn();
      apply({ row: { token: vocabulary ? referenceTo(token, vocabulary) : token, coordinate } });
    },

    /** Open the board of claims, or close it. */
    toggleClaims: () => toggleBoard("claims"),
    /** Open what the other trainings of this run's set show, or close it. */
    toggleSeeds: () => toggleBoard("seeds"),
    /** Open a claim on the board. */
    chooseClaim(claim: number) {
      history.goOn();
      apply({ claim });
    },
    /**
     * Start the control of a run: its recipe, with the words of each document shuffled. Return its id. Throws
     * `ApiError`.
     */
    async trainControl(recipe: Recipe): Promise<string> {
      const corpus = { ...recipe.corpus, shuffle_words: true };
      const { id } = await server.createRun({ ...recipe, corpus }, null);
      void server.poll();
      return id;
    },

    openGeometry: (change: Pick<ViewChange, "lab" | "of" | "to"> = {}) =>
      apply({ panel: "geometry", folded: null, ...change }),
    /** Show another view of the lab, with its own words. */
    chooseGeometry: (lab: GeometryView) =>
      apply({
        ...{ lab, of: null, to: null },
        ...(lab !== "axis" && wayBackFromDirection(scope)),
      }),
    nameGeometryWords: (words: Pick<ViewChange, "of" | "to">) => apply(words),

    /** Open the table of contents of the course. */
    openCourse: () => apply({ lesson: "0" }),
    /** Go to a position in the course, with the view that it sets. */
    goToLesson: (lesson: string, view: ViewChange) => apply({ ...view, lesson }),
    /** Show the view of a course position that a link named alone. */
    arriveAtLesson(view: ViewChange) {
      history.goOn();
      apply(view);
    },
    /** Close the course and keep the rest of the view. */
    leaveCourse: () => apply({ lesson: null }),

    /** Adopt the presenter's view; it makes no history entry, and does not count as this viewer's choice. */
    followView(view: ViewChange) {
      history.goOn();
      apply(view);
    },
    /** Point at a token for the whole class, as an assistant; null: none. */
    pointAt(token: number | null) {
      void openRun.run?.requests.tryAssisting({ kind: "point", token });
    },
    /** Follow the presenter again. */
    rejoinPresenter: () => following.rejoin(),

    toggleGame() {
      if (viewSettings.panel === "game") apply({ folded: true });
      else if (openRun.run) apply({ panel: "game", folded: null });
    },
  };
}
