/**
 * A live connection to one run that heals itself: it reconnects with growing, jittered pauses until the
 * server says that this is pointless. The caller fetches what it missed each time the state becomes `open`.
 *
 * Hundreds of viewers of a class lose their connection at the same moment. All viewers receive the same
 * envelopes of several frames.
 */

import type { Frame } from "./frames";
import { FrameError } from "./binary-reader";
import type { SocketMessage } from "./rest-types";
import type { LiveSocket } from "./source";

/** Close codes that make another attempt pointless. */
const FINAL_CODES: ReadonlySet<number> = new Set([1008, 4400, 4403, 4404, 4409]);

const FIRST_PAUSE = 400;
const MAX_PAUSE = 8_000;
/** First pause in a class, in ms; attempts are spread over the whole pause. */
const FIRST_PAUSE_IN_CLASS = 3_000;
const MAX_PAUSE_IN_CLASS = 12_000;

/** Opens the envelopes of one connection, in order. Rejects with `FrameError` for anything else. */
export type EnvelopeOpener = (data: ArrayBuffer) => Promise<(Frame | SocketMessage)[]>;

/** Target of a page that needs no connection, because it sends and receives nothing. */
export const NOTHING_SENT = "nothing sent";

/** Where to connect to. */
export interface ConnectionTarget {
  url: string;
  /** Opens something else than a web socket; null: a web socket to `url`. */
  socket?: (() => LiveSocket) | null;
  /** Loads the code that opens envelopes. */
  opener: () => Promise<EnvelopeOpener>;
  /** Set for one of the many viewers of a class. */
  shared?: boolean;
}

export type ConnectionState =
  | { state: "connecting" }
  | { state: "open" }
  | { state: "waiting"; attempt: number }
  | { state: "refused"; code: number; reason: string };

interface ConnectionListener {
  onFrame(frame: Frame): void;
  onMessage(message: SocketMessage): void;
  onState(state: ConnectionState): void;
}

/**
 * Return the milliseconds to wait before attempt number `attempt` (from 1); `random` is in [0, 1). `shared`:
 * the viewer is one of a class.
 */
export function reconnectDelay(attempt: number, random: number, shared = false): number {
  const [first, longest] = shared
    ? [FIRST_PAUSE_IN_CLASS, MAX_PAUSE_IN_CLASS]
    : [FIRST_PAUSE, MAX_PAUSE];
  const ceiling = Math.min(longest, first * 2 ** (attempt - 1));
  return ceiling * (shared ? 0.1 + 0.9 * random : 0.5 + random / 2);
}

export class Connection {
  private socket: LiveSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private closed = false;
  private shared = false;
  /** True while the target is not known yet. */
  private undirected = false;
  /** Resolves once the previous envelopes are open: they are opened one after another. */
  private opened: Promise<void> = Promise.resolve();
  /** When the last message arrived, as of `performance.now()`. */
  lastMessageAt = 0;

  constructor(
    /**
     * Returns the target. Called for each attempt, because it may depend on the data received; null: not
     * known yet, and `connectOnce` is called once it is.
     */
    private readonly target: () => ConnectionTarget | typeof NOTHING_SENT | null,
    private readonly listener: ConnectionListener,
  ) {
    this.connect();
    addEventListener("online", this.retry);
  }

  /** Drop the current socket, if any, and reconnect at once. */
  retry = () => {
    if (this.closed) return;
    clearTimeout(this.timer);
    this.dropSocket();
    this.connect();
  };

  /** Connect if the target was not known before. */
  connectOnce() {
    if (this.undirected) this.retry();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    removeEventListener("online", this.retry);
    this.dropSocket();
  }

  /** Send a message unless the connection is down. Return whether it was sent. */
  send(message: object): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  private connect() {
    this.listener.onState({ state: "connecting" });
    const target = this.target();
    this.undirected = target === null;
    if (!target) return;
    if (target === NOTHING_SENT) {
      this.listener.onState({ state: "open" });
      return;
    }
    this.shared = target.shared === true;
    const socket: LiveSocket = target.socket?.() ?? new WebSocket(target.url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.attempt = 0;
      this.lastMessageAt = performance.now();
      this.listener.onState({ state: "open" });
    };
    const opener = target.opener();
    opener.catch(() => {
      // Without its code no envelope can be read: the next connection loads it again.
      socket.close();
    });
    socket.onmessage = ({ data }) => {
      this.lastMessageAt = performance.now();
      this.opened = this.opened.then(
        async () => {
          const parts = await openParts(data as ArrayBuffer | string, opener);
          if (socket === this.socket) this.deliver(parts);
        },
        (error: unknown) => reportError(error),
      );
    };
    socket.onclose = ({ code, reason }) => this.handleClose(code, reason);
    this.socket = socket;
  }

  private deliver(parts: (Frame | SocketMessage)[]) {
    for (const part of parts) {
      if ("type" in part) this.listener.onMessage(part);
      else this.listener.onFrame(part);
    }
  }

  private handleClose(code: number, reason: string) {
    this.socket = null;
    if (this.closed) return;
    if (FINAL_CODES.has(code)) {
      this.listener.onState({ state: "refused", code, reason });
      return;
    }
    this.attempt += 1;
    this.listener.onState({ state: "waiting", attempt: this.attempt });
    this.timer = setTimeout(
      () => this.connect(),
      reconnectDelay(this.attempt, Math.random(), this.shared),
    );
  }

  private dropSocket() {
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}

/** Return the content of an envelope or of a text; empty if it cannot be read. */
async function openParts(
  message: ArrayBuffer | string,
  opener: Promise<EnvelopeOpener>,
): Promise<(Frame | SocketMessage)[]> {
  try {
    if (typeof message === "string") return [JSON.parse(message) as SocketMessage];
    return await (
      await opener
    )(message);
  } catch (error) {
    if (error instanceof FrameError || error instanceof SyntaxError)
      console.warn(`Lamplighter: a message could not be read: ${error.message}`);
    return [];
  }
}
