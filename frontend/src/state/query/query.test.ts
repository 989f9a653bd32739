import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, reasonGiven } from "../../api/failure";
import { PolledQuery } from "./polled-query.svelte";
import { Query, type Question } from "./query.svelte";

const SILENCE = new ApiError(0, { code: "silent" });
const REFUSAL = new ApiError(404, reasonGiven("no such step"));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A server that answers when the test says so. */
class Server {
  readonly sent: string[] = [];
  aborted = 0;
  private readonly waiting: { answer: (value: string) => void; fail: (why: unknown) => void }[] =
    [];

  question(key: string, subject = "subject"): Question<string> {
    return { key, subject, fetch: (signal) => this.fetch(key, signal) };
  }

  fetch(key: string, signal: AbortSignal): Promise<string> {
    this.sent.push(key);
    return new Promise((answer, fail) => {
      this.waiting.push({ answer, fail });
      signal.addEventListener("abort", () => {
        this.aborted += 1;
        fail(new Error("aborted"));
      });
    });
  }

  async answer(value: string) {
    this.waiting.shift()!.answer(value);
    await vi.advanceTimersByTimeAsync(0);
  }

  async fail(why: unknown) {
    this.waiting.shift()!.fail(why);
    await vi.advanceTimersByTimeAsync(0);
  }

  /** Drop the oldest request, which was aborted. */
  forget() {
    this.waiting.shift();
  }
}

describe("a query", () => {
  it("sends only the last of the questions asked within its debounce", async () => {
    const server = new Server();
    const query = new Query<string>();
    for (const step of [1, 2, 3]) {
      query.ask(server.question(`step ${step}`), 120);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(server.sent).toEqual([]);
    expect(query.loading).toBe(true);
    await vi.advanceTimersByTimeAsync(20);
    expect(server.sent).toEqual(["step 3"]);
    await server.answer("three");
    expect(query.value).toBe("three");
    expect(query.loading).toBe(false);
  });

  it("does not send the same question twice, in flight or answered", async () => {
    const server = new Server();
    const query = new Query<string>();
    query.ask(server.question("one"));
    query.ask(server.question("one"));
    await server.answer("1");
    query.ask(server.question("one"));
    expect(server.sent).toEqual(["one"]);
    expect(query.value).toBe("1");
  });

  it("keeps the old answer about the same subject until the new one arrives", async () => {
    const server = new Server();
    const query = new Query<string>();
    query.ask(server.question("step 1", "lamp"));
    await server.answer("at 1");
    query.ask(server.question("step 2", "lamp"));
    expect(query.value).toBe("at 1");
    await server.answer("at 2");
    expect(query.value).toBe("at 2");
    query.ask(server.question("step 2, street", "street"));
    expect(query.value).toBeNull();
  });

  it("cancels a question for the next one, whose answer wins", async () => {
    const server = new Server();
    const query = new Query<string>();
    query.ask(server.question("slow"));
    query.ask(server.question("quick"));
    expect(server.aborted).toBe(1);
    server.forget();
    await server.answer("quickly");
    expect(query.value).toBe("quickly");
    expect(query.problem).toBeNull();
  });

  it("drops its answer for null, and asks the same question again afterwards", async () => {
    const server = new Server();
    const query = new Query<string>();
    query.ask(server.question("one"));
    await server.answer("1");
    query.ask(null);
    expect(query.value).toBeNull();
    query.ask(server.question("one"));
    expect(server.sent).toEqual(["one", "one"]);
  });

  it("treats a refusal as an answer, but keeps the last answer of a silent server", async () => {
    const server = new Server();
    const query = new Query<string>();
    query.ask(server.question("one"));
    await server.answer("1");
    query.ask(server.question("two"));
    await server.fail(SILENCE);
    expect(query.value).toBe("1");
    expect(query.problem).toBe(SILENCE.failure);
    query.ask(server.question("three"));
    await server.fail(REFUSAL);
    expect(query.value).toBeNull();
    expect(query.problem).toBe(REFUSAL.failure);
  });

  it("repeats a failed question, and clears the problem with the answer", async () => {
    const server = new Server();
    const query = new Query<string>();
    query.ask(server.question("one"));
    await server.fail(SILENCE);
    query.ask(server.question("one"));
    expect(query.problem).toBe(SILENCE.failure);
    await server.answer("1");
    expect(query.value).toBe("1");
    expect(query.problem).toBeNull();
  });

  it("clears the problem when the question is withdrawn", async () => {
    const server = new Server();
    const query = new Query<string>();
    query.ask(server.question("one"));
    await server.fail(REFUSAL);
    query.ask(null);
    expect(query.problem).toBeNull();
  });

  it("sends nothing and ignores answers once closed", async () => {
    const server = new Server();
    const query = new Query<string>();
    query.ask(server.question("one"));
    query.close();
    expect(server.aborted).toBe(1);
    query.ask(server.question("two"), 100);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(server.sent).toEqual(["one"]);
    expect(query.value).toBeNull();
    expect(query.problem).toBeNull();
    expect(vi.getTimerCount()).toBe(0);
  });
});

/** A polled query about a step that the test advances. */
class Polled extends PolledQuery<string> {
  protected readonly pollInterval = 2_000;
  key: string | null = "step 1";
  subject = "lamp";
  off = false;

  constructor(private readonly server: Server) {
    super();
  }

  protected question() {
    if (this.off) return null;
    const name = this.key ?? "always";
    return { ...this.server.question(name, this.subject), key: this.key };
  }
}

describe("a polled query", () => {
  it("repeats the question once it has changed, and not before its pause is over", async () => {
    const server = new Server();
    const query = new Polled(server);
    query.poll();
    await server.answer("at 1");
    query.key = "step 2";
    await vi.advanceTimersByTimeAsync(1_999);
    expect(server.sent).toEqual(["step 1"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(server.sent).toEqual(["step 1", "step 2"]);
    expect(query.value).toBe("at 1");
    query.close();
  });

  it("does not send an unchanged question", async () => {
    const server = new Server();
    const query = new Polled(server);
    query.poll();
    await server.answer("at 1");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.sent).toEqual(["step 1"]);
    query.key = "step 2";
    await vi.advanceTimersByTimeAsync(2_000);
    expect(server.sent).toEqual(["step 1", "step 2"]);
    query.close();
  });

  it("sends a question without a key at each poll", async () => {
    const server = new Server();
    const query = new Polled(server);
    query.key = null;
    query.poll();
    await server.answer("first");
    await vi.advanceTimersByTimeAsync(2_000);
    await server.answer("second");
    expect(server.sent).toEqual(["always", "always"]);
    expect(query.value).toBe("second");
    query.close();
  });

  it("does not abandon a slow answer to check for a changed question", async () => {
    const server = new Server();
    const query = new Polled(server);
    query.poll();
    query.key = "step 2";
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.sent).toEqual(["step 1"]);
    expect(server.aborted).toBe(0);
    query.close();
  });

  it("pauses for three times the server's response time", async () => {
    const server = new Server();
    const query = new Polled(server);
    query.poll();
    await vi.advanceTimersByTimeAsync(3_000);
    await server.answer("at 1");
    query.key = "step 2";
    await vi.advanceTimersByTimeAsync(8_900);
    expect(server.sent).toEqual(["step 1"]);
    await vi.advanceTimersByTimeAsync(100);
    expect(server.sent).toEqual(["step 1", "step 2"]);
    query.close();
  });

  it("asks again after a failure", async () => {
    const server = new Server();
    const query = new Polled(server);
    query.poll();
    await server.fail(SILENCE);
    expect(query.problem).toBe(SILENCE.failure);
    await vi.advanceTimersByTimeAsync(2_000);
    await server.answer("at 1");
    expect(query.value).toBe("at 1");
    expect(query.problem).toBeNull();
    query.close();
  });

  it("debounces a poll, and sends only the last question", async () => {
    const server = new Server();
    const query = new Polled(server);
    query.poll();
    await server.answer("at 1");
    for (const step of [2, 3, 4]) {
      query.key = `step ${step}`;
      query.poll(120);
      await vi.advanceTimersByTimeAsync(100);
    }
    await vi.advanceTimersByTimeAsync(20);
    expect(server.sent).toEqual(["step 1", "step 4"]);
    query.close();
  });

  it("keeps a reason set from outside while there is no question", async () => {
    const server = new Server();
    const query = new Polled(server);
    query.off = true;
    query.poll();
    query.problem = { code: "noToken" };
    await vi.advanceTimersByTimeAsync(10_000);
    expect(query.problem).toEqual({ code: "noToken" });
    query.off = false;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(query.problem).toBeNull();
    query.close();
  });

  it("polls after a change, and waits for that answer", async () => {
    const server = new Server();
    const query = new Polled(server);
    query.key = null;
    let done = false;
    void query.mutate(() => Promise.resolve()).then(() => (done = true));
    await vi.advanceTimersByTimeAsync(0);
    expect(server.sent).toEqual(["always"]);
    expect(done).toBe(false);
    await server.answer("changed");
    expect(done).toBe(true);
    expect(query.value).toBe("changed");
    query.close();
  });

  it("keeps the reason for a refused change while polls are answered", async () => {
    const server = new Server();
    const query = new Polled(server);
    query.key = null;
    query.poll();
    await server.answer("before");
    void query.mutate(() => Promise.reject(REFUSAL));
    await vi.advanceTimersByTimeAsync(0);
    await server.answer("as before");
    expect(query.value).toBe("as before");
    expect(query.problem).toBe(REFUSAL.failure);
    void query.mutate(() => Promise.resolve());
    expect(query.problem).toBeNull();
    query.close();
  });

  it("is silent after it is closed, even with a change in progress", async () => {
    const server = new Server();
    const query = new Polled(server);
    query.key = null;
    void query.mutate(() => new Promise((done) => setTimeout(done, 500)));
    query.close();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.sent).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
