/**
 * The source of all that the page shows: the server that it came from, or a file that holds a run (`packed/`). Both answer
 * the requests of `docs/rest.md`; a file answers fewer, and changes nothing.
 */

import type { Frame } from "./frames";
import { serverPath } from "./server-path";
import { KEY_HEADER, sessionKey } from "./session-key";

/** Frames, and the size of the response that held them. */
export interface ReceivedFrames {
  frames: Frame[];
  bytes: number;
}

/** Contents of a file that holds a run, as far as the page has to know of them. */
export interface PackedContents {
  run: string;
  /** Steps that can be shown, ascending, step 0 among them if it has a map. */
  steps: readonly number[];
  /** Sentences about what was left out. */
  leftOut: readonly string[];
  /** Number of neighbours of each word that are here. */
  neighbours: number;
  /** Set if the model was asked something, and its answers are here. */
  answers: boolean;
  /** Set if there are parts of the course here. */
  course: boolean;
}

export interface Source {
  /** Contents of the file; null for a server. */
  readonly packed: PackedContents | null;
  /** Return the response to a request, whatever its status; `path` starts at the server's root. Rejects if there is none. */
  respond(path: string, init: RequestInit): Promise<Response>;
  /** Return the frames at a path; null where they come as bytes, in a response. Throws `ApiError`. */
  readFrames(path: string): Promise<ReceivedFrames> | null;
  /** Run a script that is not part of the page; resolves when it has run, or could not be had. */
  runScript(path: string): Promise<void>;
}

class ServerSource implements Source {
  readonly packed = null;

  respond(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    const key = sessionKey();
    if (key) headers.set(KEY_HEADER, key);
    return fetch(serverPath(path), { credentials: "same-origin", ...init, headers });
  }

  readFrames() {
    return null;
  }

  runScript(path: string): Promise<void> {
    return new Promise((done) => {
      const script = document.createElement("script");
      script.src = serverPath(path);
      script.onload = script.onerror = () => done();
      document.head.append(script);
    });
  }
}

let source: Source = new ServerSource();

/** Return the source that the page uses. */
export function getSource(): Source {
  return source;
}

/** Use another source than the server. Called once, before anything is asked. */
export function setSource(another: Source) {
  source = another;
}
