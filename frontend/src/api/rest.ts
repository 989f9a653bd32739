/** The functions that send requests to the REST interface of `docs/rest.md`. */

import { ApiError, reasonGiven, type Failure, type KnownReason } from "./failure";
import type { Answer, AssistantRequest, Body, Operation } from "./rest-types";
import { getSource } from "./source";

/**
 * Send a request; return the response's JSON. `path` starts at the server's root. Throws `ApiError`, or the
 * abort.
 */
export async function requestJson<T>(path: string, init: RequestInit = {}): Promise<T> {
  const text = await readBody(path, init, (answer) => answer.text());
  return (text ? JSON.parse(text) : undefined) as T;
}

/** Send a request; return the response's bytes. Throws `ApiError`, or the abort. */
export function requestBytes(path: string, init: RequestInit = {}): Promise<ArrayBuffer> {
  return readBody(path, init, (answer) => answer.arrayBuffer());
}

async function readBody<T>(
  path: string,
  init: RequestInit,
  content: (answer: Response) => Promise<T>,
): Promise<T> {
  const answer = await fetchResponse(path, init);
  try {
    return await content(answer);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, { code: "broken" });
  }
}

/**
 * Send a request; return the response, with its body unread. Throws `ApiError` unless it is 2xx, or
 * the abort.
 */
export async function fetchResponse(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await getSource().respond(path, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, { code: "silent" });
  }
  if (answer.ok) return answer;
  throw new ApiError(answer.status, await errorMessage(answer));
}

/**
 * Send the JSON body of an operation, such as `POST /api/runs`, to its path; return the response's
 * JSON. Throws `ApiError`, or the abort.
 */
export function sendJson<Of extends Operation>(
  path: string,
  body: Body<Of>,
  init: RequestInit = {},
): Promise<Answer<Of>> {
  return requestJson(path, withJson(body, init));
}

/** Send a request that an assistant of the class may make. Throws `ApiError`, or the abort. */
export function sendAssistantRequest(request: AssistantRequest): Promise<unknown> {
  return requestJson("/api/class/assist", withJson(request));
}

function withJson(body: unknown, init: RequestInit = {}): RequestInit {
  const headers = { "content-type": "application/json" };
  return { method: "POST", headers, body: JSON.stringify(body), ...init };
}

/** Return `/api/runs/<run>/<rest>`, with the run's id escaped. */
export function runPath(run: string, rest = ""): string {
  return `/api/runs/${encodeURIComponent(run)}${rest && `/${rest}`}`;
}

async function errorMessage(answer: Response): Promise<Failure> {
  try {
    const problem = (await answer.json()) as {
      detail?: unknown;
      title?: unknown;
      code?: KnownReason["code"];
      values?: KnownReason["values"];
      errors?: { field: string }[];
    };
    if (typeof problem.detail === "string") {
      const code = problem.errors?.some(isConfirmation) ? "unconfirmed" : "said";
      const known = problem.code && { code: problem.code, values: problem.values ?? {} };
      return { code, reason: problem.detail, ...(known && { known }) };
    }
    if (Array.isArray(problem.detail))
      return { code: "invalid", faults: problem.detail.map(describeFault) };
    if (typeof problem.title === "string") return reasonGiven(problem.title);
  } catch {
    // Without JSON, the status line is used.
  }
  return reasonGiven(`${answer.status} ${answer.statusText}`.trim());
}

function isConfirmation({ field }: { field: string }): boolean {
  return field === "confirmed";
}

function describeFault(item: unknown): { field: string; reason: string | null } {
  const { loc, msg } = item as { loc?: unknown[]; msg?: string };
  return { field: (loc ?? []).filter((part) => part !== "body").join("."), reason: msg ?? null };
}
