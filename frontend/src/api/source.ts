/**
 * The source of the page's data: the server that it came from, or a file that holds a run (`packed/`). Both
 * answer the requests of `docs/rest.md`; a file answers fewer, and changes nothing.
 */

import type { Frame } from "./frames";
import { serverPath } from "./server-path";
import { KEY_HEADER, sessionKey } from "./session-key";

/** Frames, and the size of the response that held them in bytes. */
export interface ReceivedFrames {
  frames: Frame[];
  bytes: number;
}

/** Contents of a file that holds a run, as far as the page needs to know them. */
export interface PackedContents {
  run: string;
  /** The folder beside the page with what happens after it was packed; null: nothing follows. */
  live: string | null;
  /** Steps that can be shown, ascending, step 0 among them if it has a map. */
  steps: readonly number[];
  /** Sentences about the parts that were left out. */
  leftOut: readonly string[];
  /** Stored neighbours of each word. */
  neighbours: number;
  /** Set if the file holds answers of the model. */
  answers: boolean;
  /** Set if the file holds parts of the course. */
  course: boolean;
}

/** What a connection needs of a socket. */
export type LiveSocket = Pick<
  WebSocket,
  "binaryType" | "readyState" | "onopen" | "onmessage" | "onclose" | "send" | "close"
>;

/** A page that frames this one, and shares its selected tokens. */
export interface SelectionHost {
  /** Called with the tokens that the host selects; empty: none. */
  onSelect: ((ids: readonly number[]) => void) | null;
  /** Tell the host what is selected. The first call asks for the host's own selection instead. */
  tell(ids: readonly number[]): void;
}

export interface Source {
  /** Contents of the file; null for a server. */
  readonly packed: PackedContents | null;
  /**
   * Return the response to a request, of any status; `path` starts at the server's root. Rejects if
   * there is none.
   */
  respond(path: string, init: RequestInit): Promise<Response>;
  /** Return the frames at a path; null if they come as bytes, in a response. Throws `ApiError`. */
  readFrames(path: string): Promise<ReceivedFrames> | null;
  /** Open the stream of what happens after the page was packed; null if none follows, or for a server. */
  readonly openLive: (() => LiveSocket) | null;
  /** The page that frames this one; null: none, or it shares nothing. */
  readonly host: SelectionHost | null;
  /** Run a script that is not part of the page; resolves once it has run or failed to load. */
  runScript(path: string): Promise<void>;
}

class ServerSource implements Source {
  readonly packed = null;
  readonly openLive = null;
  readonly host = null;

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

/** Replace the server as the source. Called once, before the first request. */
export function setSource(another: Source) {
  source = another;
}
