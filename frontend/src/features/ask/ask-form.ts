/** Id of the form in which one asks: a field of an experiment that belongs to it asks with Enter. */
export const ASK_FORM = "ask-form";
