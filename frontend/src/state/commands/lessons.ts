/** Commands of the course. */

import type { ViewChange } from "../../model/view/view-state";
import type { CommandScope } from "./scope";

export function lessonCommands({ apply, history }: CommandScope) {
  return {
    /** Open the list of the parts of the course. */
    openCourse: () => apply({ lesson: "0" }),
    /** Go to a place in the course, with the view that it sets. */
    goToLesson: (lesson: string, view: ViewChange) => apply({ ...view, lesson }),
    /** Show the view of the place that a link has named alone. */
    arriveAtLesson(view: ViewChange) {
      history.goOn();
      apply(view);
    },
    /** Close the course; everything else stays as it is. */
    leaveCourse: () => apply({ lesson: null }),
  };
}
