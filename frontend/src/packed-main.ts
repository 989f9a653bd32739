/** The entry of a page that is a file: it opens what the file holds, and starts the page on it. */

import { setSource } from "./api/source";
import { PackedSource } from "./packed/packed-source";

const page = document.getElementById("page")!;
/** A text of its own, since nothing of the page is there yet. */
const DAMAGED =
  "This file cannot be read: it is damaged, or was not copied to its end. Copy it again, or export the run again.";

PackedSource.open()
  .then((source) => {
    if (source) setSource(source);
    page.replaceChildren();
    return import("./main");
  })
  .catch((error: unknown) => {
    console.error("Lamplighter:", error);
    page.textContent = DAMAGED;
  });
