/**
 * The live stream of a run, with beats and maps: its source, whether it is connected, and when silence puts
 * that in doubt. It is this viewer's own socket, or the stream of a class; a run in a file has no stream.
 */

import {
  Connection,
  type ConnectionState,
  type ConnectionTarget,
  NOTHING_SENT,
} from "../../api/connection";
import { reasonGiven, type Failure } from "../../api/failure";
import type { Frame } from "../../api/frames";
import { runPath } from "../../api/rest";
import type { SocketMessage } from "../../api/rest-types";
import { serverPath } from "../../api/server-path";
import { getSource } from "../../api/source";
import type { ClassTies } from "./class-feed.svelte";

/** Silence of a running trainer after which the connection is in doubt, in ms. */
const SILENCE = 30_000;
/** The same after a hidden page becomes visible, in ms: the machine may have slept. */
const SILENCE_HIDDEN = 5_000;
/** Close code of a forbidden socket. */
const NOT_ALLOWED = 4403;
const openEnvelopes = async () => (await import("../../api/envelope-stream")).openStream();

interface StreamEvents {
  onFrame(frame: Frame): void;
  onMessage(message: SocketMessage): void;
  /** Report that it is open. `again`: not for the first time. */
  onOpen(again: boolean): void;
  /** Report that the server refuses it for good. */
  onRefused(reason: Failure): void;
  /** Return whether a trainer runs, so that silence means a lost connection. */
  running(): boolean;
}

export class RunStream {
  state = $state.raw<ConnectionState>({ state: "connecting" });
  /** Set from the loss of the connection until it is back. */
  lost = $state(false);
  private readonly connection: Connection;
  /** The stream that follows a file with the run's past; null: none, or a server's socket. */
  private readonly socket = getSource().openLive;
  /** True if the run's data are in a file, and nothing follows. */
  readonly packed = getSource().packed !== null && !this.socket;

  private opened = false;

  /** Connect at once, which may call back before this returns. */
  constructor(
    private readonly run: string,
    private readonly ties: ClassTies,
    private readonly events: StreamEvents,
  ) {
    this.connection = new Connection(() => this.target(), {
      onFrame: (frame) => events.onFrame(frame),
      onMessage: (message) => events.onMessage(message),
      onState: (state) => this.handleState(state),
    });
    document.addEventListener("visibilitychange", this.handleVisibility);
  }

  /** Return whether it is open. */
  get open(): boolean {
    return this.state.state === "open";
  }

  /** Reconnect at once. */
  retry() {
    this.connection.retry();
  }

  /** Connect if that waited until it was known whether this is a class. */
  connectOnce() {
    this.connection.connectOnce();
  }

  /** Send a message; return whether it was sent. */
  send(message: object): boolean {
    return this.connection.send(message);
  }

  /** Reconnect after too long a silence. `now` is as of `performance.now()`. */
  checkSilence(now: number) {
    if (this.open) this.retryAfter(SILENCE, now);
  }

  close() {
    document.removeEventListener("visibilitychange", this.handleVisibility);
    this.connection.close();
  }

  private target(): ConnectionTarget | typeof NOTHING_SENT | null {
    if (this.packed) return NOTHING_SENT;
    if (this.socket) return { url: "", socket: this.socket, opener: openEnvelopes };
    const { inClass: shared } = this.ties;
    if (shared === null) return null;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const path = serverPath(runPath(this.run, shared ? "beats" : "live"));
    return { url: `${scheme}//${location.host}${path}`, opener: openEnvelopes, shared };
  }

  private readonly handleVisibility = () => {
    if (!document.hidden) this.retryAfter(SILENCE_HIDDEN, performance.now());
  };

  private retryAfter(silence: number, now: number) {
    const { lastMessageAt } = this.connection;
    if (now - lastMessageAt > silence && this.events.running()) this.connection.retry();
  }

  private handleState(state: ConnectionState) {
    this.state = state;
    if (state.state === "refused") {
      this.events.onRefused(reasonGiven(state.reason || String(state.code)));
      if (state.code === NOT_ALLOWED) this.ties.end();
    }
    if (state.state !== "connecting") this.lost = state.state === "waiting";
    if (state.state !== "open") return;
    const again = this.opened;
    this.opened = true;
    this.events.onOpen(again);
  }
}
