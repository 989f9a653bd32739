/** Id of the form that asks the question: Enter in an experiment's field submits it. */
export const ASK_FORM = "ask-form";
