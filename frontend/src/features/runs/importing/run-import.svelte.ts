/** The import of a run from a file: sent, followed, cancelled. One at a time. */

import { failureOf } from "../../../api/failure";
import { printableText } from "../../../api/vocabulary";
import { requestJson } from "../../../api/rest";
import type { Import } from "../../../api/rest-types";
import type { Commands } from "../../../state/commands";
import type { ServerSession } from "../../../state/run/server-session.svelte";
import { failureText, toldText } from "../../../strings";
import { runImport as w } from "./run-import.strings";

const POLL_INTERVAL = 400;
/** Unanswered polls in a row after which the page gives up. */
const MAX_MISSED = 10;

export class RunImport {
  /** The zip that is being imported; null: none. */
  zip = $state.raw<File | null>(null);
  /** The last that the server told of it. */
  told = $state.raw<Import | null>(null);
  /** A text to train on, for the form of a new run. */
  text = $state.raw<File | null>(null);
  problem = $state<string | null>(null);
  private controller = new AbortController();

  constructor(private readonly server: ServerSession) {}

  /** Take files that were dropped or chosen, and show in the list of runs what becomes of them. */
  take(files: FileList, commands: Pick<Commands, "openPanel" | "openRunLive">) {
    const [file, ...more] = files;
    if (!file || this.zip) return;
    commands.openPanel("runs");
    this.problem = this.told = this.text = null;
    if (more.length) this.problem = w.many(files.length);
    else if (!file.size) this.problem = w.empty(printableText(file.name));
    else if (/\bzip/.test(file.type + file.name)) void this.sendZip(file, commands.openRunLive);
    else if (/^text|\.(txt|md)$/.test(file.type || file.name)) this.text = file;
    else this.problem = w.wrong(printableText(file.name));
  }

  setText = (text: File | null) => {
    this.text = text;
  };

  /** Cancel the import; nothing of it stays. */
  cancel = () => this.controller.abort();

  private async sendZip(file: File, open: (run: string) => void) {
    const path = `/api/imports/${crypto.randomUUID()}`;
    const { signal } = (this.controller = new AbortController());
    const ask = async () => (this.told = await requestJson<Import>(path, { signal }));
    this.zip = file;
    // While the file is on its way; the server may not know of it yet.
    const timer = setInterval(() => void ask().catch(() => undefined), POLL_INTERVAL);
    try {
      await requestJson(path, { method: "PUT", body: file, signal });
      clearInterval(timer);
      let told = await ask();
      for (let missed = 0; told.state === "running";) {
        await new Promise((done) => setTimeout(done, POLL_INTERVAL));
        const next = await ask().catch((error: unknown) => {
          // The import goes on while a network has a hiccup.
          if (signal.aborted || ++missed > MAX_MISSED) throw error;
        });
        if (next) [told, missed] = [next, 0];
      }
      if (told.run === null) this.problem = toldText(told.problem ?? "", told);
      else {
        this.server.dismissNewRun(told.run);
        await this.server.poll();
        open(told.run);
      }
    } catch (error) {
      if (signal.aborted) await requestJson(path, { method: "DELETE" }).catch(() => undefined);
      else {
        // A refusal can get lost while the file is still on its way: the server remembers it.
        const told = await ask().catch(() => null);
        this.problem = told?.problem ? toldText(told.problem, told) : failureText(failureOf(error));
      }
    } finally {
      clearInterval(timer);
      this.zip = null;
    }
  }
}

const imports = new WeakMap<ServerSession, RunImport>();

/** Return this page's only import. */
export function importOf(server: ServerSession): RunImport {
  const found = imports.get(server) ?? new RunImport(server);
  imports.set(server, found);
  return found;
}
