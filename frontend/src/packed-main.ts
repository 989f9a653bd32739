/** The entry of a page that is a file: it opens what the file holds, and starts the page on it. */

import { setSource } from "./api/source";
import { PackedSource } from "./packed/packed-source";

void PackedSource.open().then((source) => {
  if (source) setSource(source);
  return import("./main");
});
