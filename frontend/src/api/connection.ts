/**
 * A live connection to one run that heals itself: it reconnects with growing, jittered pauses until
 * the server says that there is no point. The caller fetches what it missed, each time the state
 * becomes `open`.
 */

import { decode, type Frame } from "./frames";
import { FrameError } from "./binary-reader";
import type { SocketMessage } from "./rest-types";

/** Close codes after which trying again cannot help. */
const FINAL_CODES: ReadonlySet<number> = new Set([4400, 4403, 4404, 4409]);

const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 8_000;

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

/** Return the milliseconds to wait before try number `attempt` (from 1); `random` is in [0, 1). */
export function reconnectDelay(attempt: number, random: number): number {
  const ceiling = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1));
  return ceiling * (0.5 + random / 2);
}

export class Connection {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private closed = false;
  /** When the last message arrived, as of `performance.now()`. */
  lastMessageAt = 0;

  constructor(
    /** Called at each try, because the URL may depend on what was received last. */
    private readonly url: () => string,
    private readonly listener: ConnectionListener,
  ) {
    this.connect();
    addEventListener("online", this.retry);
  }

  /** Drop the present socket, if any, and connect again at once. */
  retry = () => {
    if (this.closed) return;
    clearTimeout(this.timer);
    this.dropSocket();
    this.connect();
  };

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    removeEventListener("online", this.retry);
    this.dropSocket();
  }

  private connect() {
    this.listener.onState({ state: "connecting" });
    const socket = new WebSocket(this.url());
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.attempt = 0;
      this.lastMessageAt = performance.now();
      this.listener.onState({ state: "open" });
    };
    socket.onmessage = ({ data }) => this.handleMessage(data as ArrayBuffer | string);
    socket.onclose = ({ code, reason }) => this.handleClose(code, reason);
    this.socket = socket;
  }

  private handleMessage(data: ArrayBuffer | string) {
    this.lastMessageAt = performance.now();
    try {
      if (typeof data === "string") this.listener.onMessage(JSON.parse(data) as SocketMessage);
      else this.listener.onFrame(decode(data));
    } catch (error) {
      if (!(error instanceof FrameError || error instanceof SyntaxError)) throw error;
      console.warn(`Lamplighter: a message could not be read: ${error.message}`);
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
    this.timer = setTimeout(() => this.connect(), reconnectDelay(this.attempt, Math.random()));
  }

  private dropSocket() {
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
