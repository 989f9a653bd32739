/**
 * The source of a page that is itself a file with a run in it: it answers requests as the server would
 * (`docs/rest.md`), for the steps in the file. Anything else is a 404.
 */

import type { Beat } from "../api/beat-frames";
import { inflate } from "../api/envelope";
import type { LayoutMethod } from "../api/frame-header";
import type { Districts, Frame, Layout } from "../api/frames";
import type { Answer, Neighbours, StepText, Token, TokenDetails } from "../api/rest-types";
import type { PackedContents, ReceivedFrames, Source } from "../api/source";
import { BesideFiles } from "./beside";
import { HostFrame } from "./host-frame";
import { PackedLights, stepOrNull } from "./lights";
import { PackedMaps } from "./lights";
import { PackedNearest } from "./nearest";
import { filesBeside, SegmentSocket } from "./segment-socket";
import { openDocument, readBinary, readJson, type PackedFile } from "./packed-file";

/** Answers of the server that the file holds verbatim, by their path below the run's. */
type StoredAnswers = Record<string, unknown>;
/** Beginnings of the texts that steps read, by step. */
type StoredTexts = Record<string, number[]>;
/**
 * Answers of the server about the course, by path and query: from the root, or below the run's path. A part
 * without a translation is in English.
 */
type StoredCourse = Record<string, unknown>;

/** Contents that the first view does not need. */
interface Late {
  nearest: PackedNearest | null;
  texts: StoredTexts;
  course: StoredCourse;
}

/** A request, parsed from its path. */
interface Asked {
  /** Segments of the path below the run's. */
  parts: string[];
  query: URLSearchParams;
  /** Path below the run's with its query, as a key of the stored answers. */
  rest: string;
}

const NOT_HELD = "this file does not hold that";
const BYTES_OF_A_FRAME = 4_096;

export class PackedSource implements Source {
  private joined: Token[] | null = null;
  private readonly beside: BesideFiles | null;
  readonly host = HostFrame.find();

  private constructor(
    private readonly file: PackedFile,
    private readonly stored: StoredAnswers,
    private readonly lights: PackedLights,
    private readonly maps: PackedMaps,
    private readonly late: Promise<Late>,
  ) {
    const { beside, vocabulary } = file.head;
    this.beside = beside && new BesideFiles(beside, vocabulary);
  }

  /** Open this document as a packed file; null if it is not one. */
  static async open(): Promise<PackedSource | null> {
    const file = openDocument();
    if (!file) return null;
    const [stored, maps, lights] = await Promise.all([
      readJson<StoredAnswers>(file, "answers"),
      PackedMaps.open(file),
      PackedLights.open(file),
    ]);
    const late = Promise.all([
      openNearest(file),
      readJson<StoredTexts>(file, "texts"),
      readJson<StoredCourse>(file, "course"),
    ]).then(([nearest, texts, course]) => ({ nearest, texts, course }));
    return new PackedSource(file, stored, lights, maps, late);
  }

  get openLive() {
    const { live } = this.file.head;
    if (live === null) return null;
    const { host } = this;
    return () => new SegmentSocket(host ? (name) => host.read(name) : filesBeside(live));
  }

  get packed(): PackedContents {
    return this.file.head;
  }

  async respond(path: string, init: RequestInit): Promise<Response> {
    if (init.method && init.method !== "GET") return refuse(405, "a file changes nothing");
    const answer = await this.answer(path);
    if (answer instanceof Response) return answer;
    return answer === null ? refuse(404, NOT_HELD) : Response.json(answer);
  }

  readFrames(path: string): Promise<ReceivedFrames> | null {
    const asked = this.parse(path);
    const frames = asked && this.frames(asked);
    if (!frames?.length) return null;
    return Promise.resolve({ frames, bytes: BYTES_OF_A_FRAME * frames.length });
  }

  async runScript(path: string): Promise<void> {
    const script = document.createElement("script");
    // The file's content security policy names the digest of this exact text.
    script.textContent = new TextDecoder().decode(await inflate(this.file.bytes(path)));
    document.head.append(script);
  }

  private parse(path: string): Asked | null {
    const root = `/api/runs/${this.file.head.run}`;
    const { pathname, searchParams } = new URL(path, "http://packed");
    if (pathname !== root && !pathname.startsWith(`${root}/`)) return null;
    const below = pathname.slice(root.length + 1);
    return { parts: below.split("/"), query: searchParams, rest: path.slice(root.length) };
  }

  private async answer(path: string): Promise<unknown> {
    if (path === "/api/session")
      return {
        presenter: false,
        classroom: false,
        role: "viewer",
        version: "",
        workers: {},
      } satisfies Answer<"GET /api/session">;
    if (path === "/api/runs") return { items: [this.stored[""]] };
    if (path.startsWith("/api/lessons")) return this.lesson(path);
    const asked = this.parse(path);
    if (!asked) return null;
    const { parts, query, rest } = asked;
    if (rest in this.stored) return this.stored[rest];
    switch (parts[0]) {
      case "tokens":
        if (parts.length === 1) return { items: this.search(query.get("search") ?? "", query) };
        return parts.length === 2 ? this.token(Number(parts[1]), query) : null;
      case "neighbours":
        return this.neighbours(query);
      case "steps":
        return parts[2] === "text" ? this.text(Number(parts[1])) : null;
      case "layouts":
        return parts.length === 1 ? { items: this.layoutList(query), next: null } : null;
      case "places":
        return query.has("token_ids") ? this.places(query) : null;
      case "districts":
        if (parts[1] === "events") return this.eventsAfter(Number(query.get("after")));
        return parts[1] === "steps"
          ? { items: this.maps.districts.map(({ attempt, step }) => ({ attempt, step })) }
          : this.districtsList(stepOf(query, this.lights.last));
      case "lessons":
        return this.lesson(rest);
      case "norms":
        return this.norms(stepOf(query, this.lights.last));
    }
    return null;
  }

  /** Return the frames that a request asks for; null if it asks for no frames. */
  private frames({ parts, query }: Asked): Frame[] | null {
    switch (parts[0]) {
      case "steps": {
        if (parts.length > 1) return null;
        const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
        if (query.has("census")) return this.lights.between(from, to);
        const beat = this.lights.at(to);
        return beat && [beat];
      }
      case "places": {
        if (query.has("token_ids")) return null;
        const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
        return this.layouts(query).filter(({ step }) => step >= from && step <= to);
      }
      case "layouts": {
        if (parts.length < 2) return null;
        const layout = lastAt(this.layouts(query), Number(parts[1]));
        return layout && [layout];
      }
      case "districts": {
        if (parts.length > 1 || query.get("format") !== "frame") return null;
        const found = lastAt(this.maps.districts, stepOf(query, this.lights.last));
        return found && [found];
      }
    }
    return null;
  }

  private layouts(query: URLSearchParams): readonly Layout[] {
    return this.maps.layouts[query.get("method") === "linear" ? "linear" : "umap"];
  }

  private layoutList(query: URLSearchParams) {
    return this.layouts(query).map(({ attempt, step, drawnBy, trust, trustError, recall }, id) => ({
      ...{ id, attempt, step, method: drawnBy },
      ...{ trust: finite(trust), trust_error: finite(trustError), recall: finite(recall) },
    }));
  }

  private places(query: URLSearchParams) {
    const ids = (query.get("token_ids") ?? "").split(",").map(Number);
    const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
    const shown = this.layouts(query).filter(({ step }) => step >= from && step <= to);
    const method: LayoutMethod = query.get("method") === "linear" ? "linear" : "umap";
    return {
      method,
      steps: shown.map(({ step }) => step),
      places: shown.map((layout) => ids.map((id) => placeOf(layout, id))),
    } satisfies Answer<"GET /api/runs/{run}/places">;
  }

  private eventsAfter(last: number) {
    const { items } = this.stored[
      "/districts/events"
    ] as Answer<"GET /api/runs/{run}/districts/events">;
    return { items: items.filter(({ id }) => id > last) };
  }

  private districtsList(step: number): unknown {
    const found = lastAt(this.maps.districts, step);
    return found && { attempt: found.attempt, step: found.step, items: membersOf(found) };
  }

  /** Return all tokens by id, from all pages of the stored list. */
  private get tokens(): Token[] {
    if (!this.joined) {
      const pages = Object.keys(this.stored).filter((path) => path.startsWith("/tokens?limit="));
      this.joined = pages.flatMap((path) => (this.stored[path] as { items: Token[] }).items);
    }
    return this.joined;
  }

  /**
   * Return the tokens that match, in the server's order: whole words, then prefixes, then substrings, each by
   * frequency.
   */
  private search(wanted: string, query: URLSearchParams): Token[] {
    const lower = wanted.toLowerCase();
    const rank = (token: string) =>
      token === lower ? 0 : token.startsWith(lower) ? 1 : token.includes(lower) ? 2 : 3;
    return this.tokens
      .map((one) => ({
        one,
        place: Math.min(rank(one.token.toLowerCase()), rank(one.text.toLowerCase())),
      }))
      .filter(({ place }) => place < 3)
      .sort((a, b) => a.place - b.place || (b.one.count ?? 0) - (a.one.count ?? 0))
      .slice(0, Number(query.get("limit") ?? 20))
      .map(({ one }) => one);
  }

  /** Return the neighbours of a word: those beside the page, or else those in it. */
  private async nearestOf(token: number): Promise<PackedNearest | null> {
    return (await this.beside?.of(token)) ?? (await this.late).nearest;
  }

  private async token(id: number, query: URLSearchParams): Promise<TokenDetails | null> {
    const found = this.tokens[id];
    const nearest = found && (await this.nearestOf(id));
    if (!nearest) return null;
    const wanted = stepOf(query, this.lights.last);
    const { step, length } = nearest.lengthOf(id, wanted);
    const counts = this.lights.countsAt(wanted);
    return {
      ...found,
      ...{ step, exact: step === wanted, norm: length },
      ...{ touches: counts.touches[id] ?? 0, last_lit: stepOrNull(counts.lastLit[id]!) },
    };
  }

  private async neighbours(query: URLSearchParams): Promise<Neighbours | null> {
    const token = Number(query.get("token_id"));
    const nearest = this.tokens[token] && (await this.nearestOf(token));
    if (!nearest) return null;
    const wanted = stepOf(query, this.lights.last);
    const { step, neighbours } = nearest.of(token, wanted, Number(query.get("k") ?? 10));
    const items = neighbours.map(({ id, cosine }) => {
      const { token: text, class: name } = this.tokens[id]!;
      return { token_id: id, token: text, class: name, cosine };
    });
    return { items, step, exact: step === wanted };
  }

  private async norms(wanted: number): Promise<Response | null> {
    const { nearest } = await this.late;
    if (!nearest) return null;
    const { step, lengths } = nearest.lengthsAt(wanted);
    return new Response(npyOf(lengths), { headers: { "x-lamplighter-step": String(step) } });
  }

  private async lesson(key: string): Promise<unknown> {
    const { course } = await this.late;
    return course[key] ?? course[key.replace(/lang=\w+$/, "lang=en")] ?? null;
  }

  private async text(step: number): Promise<StepText | null> {
    const tokens = (await this.late).texts[step];
    return tokens ? { step, tokens: [tokens] } : null;
  }
}

async function openNearest(file: PackedFile): Promise<PackedNearest | null> {
  const { nearest, vocabulary } = file.head;
  return nearest && new PackedNearest(await readBinary(file.bytes("nearest")), nearest, vocabulary);
}

/** Return the last item at or before a step; null if there is none. Items are ascending by step. */
function lastAt<T extends Layout | Districts | Beat>(items: readonly T[], step: number): T | null {
  return items.findLast((one) => one.step <= step) ?? null;
}

function stepOf(query: URLSearchParams, last: number): number {
  return query.has("step") ? Number(query.get("step")) : last;
}

/** Return a float32 rounded to its seven significant digits; null if it is not finite. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(7)) : null;
}

function placeOf({ x0, x1, y0, y1, places }: Layout, id: number): [number, number] {
  const share = (at: number) => (places[at] ?? 0) / 65_535;
  return [x0 + (x1 - x0) * share(2 * id), y0 + (y1 - y0) * share(2 * id + 1)];
}

function membersOf({ ids, names, of }: Districts) {
  const members: number[][] = names.map(() => []);
  of.forEach((place, id) => place && members[place - 1]?.push(id));
  return names.map((name, i) => ({ id: ids[i]!, name, token_ids: members[i]! }));
}

/** Return an array in the npy format of `numpy.save`. */
function npyOf(numbers: Float32Array): ArrayBuffer {
  const head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${numbers.length},), }`;
  const padded = `${head.padEnd(117)}\n`;
  const out = new Uint8Array(128 + numbers.byteLength);
  out.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 118, 0]);
  out.set(new TextEncoder().encode(padded), 10);
  out.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), 128);
  return out.buffer;
}

function refuse(status: number, detail: string): Response {
  return Response.json({ detail }, { status });
}
