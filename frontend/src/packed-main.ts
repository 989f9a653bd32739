/** The entry point of a page that is a file: it opens the packed run and starts the page on it. */

import { setSource } from "./api/source";
import { PackedSource } from "./packed/packed-source";

const page = document.getElementById("page")!;
/** Built in, because none of the page's texts are loaded yet. */
const DAMAGED =
  "This file cannot be read: it is damaged or incomplete. Copy it again, or export the run again.";

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
