/** Commands of the course. */

import type { ViewChange } from "../../model/view/view-state";
import type { CommandScope } from "./scope";

export function lessonCommands({ apply, history }: CommandScope) {
  return {
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
  };
}
