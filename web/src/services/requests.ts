// Questions that wait for their answer: numbered, bounded, given up when the connection goes.

export class RequestError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "RequestError";
  }
}

/** On their way or waiting for their turn. */
export const REQUESTS_BOUND = 64;
/** What a server that says nothing of it allows at once. */
const AT_ONCE = 8;

interface Waiting {
  resolve(result: unknown): void;
  reject(error: RequestError): void;
}

interface Queued extends Waiting {
  readonly request: string;
  send(request: string): void;
}

export class Requests {
  readonly #waiting = new Map<string, Waiting>();
  #queued: Queued[] = [];
  #atOnce = AT_ONCE;
  #count = 0;

  nextId(): string {
    this.#count += 1;
    return `r${this.#count}`;
  }

  /** How many the server answers at once: it refuses more, so that they wait here. */
  limit(atOnce: number | undefined): void {
    this.#atOnce = atOnce ?? AT_ONCE;
    this.#sendNext();
  }

  /** Resolves with the result of the `RESULT` that answers it; rejects with `RequestError`. */
  ask(send: (request: string) => void): Promise<unknown> {
    if (this.#waiting.size + this.#queued.length >= REQUESTS_BOUND) {
      return Promise.reject(
        new RequestError("tooMany", `more than ${REQUESTS_BOUND} questions are waiting; ask later`),
      );
    }
    const request = this.nextId();
    return new Promise((resolve, reject) => {
      this.#queued.push({ request, send, resolve, reject });
      this.#sendNext();
    });
  }

  answer(request: string, result: unknown): void {
    this.#waiting.get(request)?.resolve(result);
    this.#waiting.delete(request);
    this.#sendNext();
  }

  /** False when the refusal answers none of these questions. */
  refuse(request: string, code: string, message: string): boolean {
    this.#waiting.get(request)?.reject(new RequestError(code, message));
    const asked = this.#waiting.delete(request);
    this.#sendNext();
    return asked;
  }

  abandon(): void {
    const all = [...this.#waiting.values(), ...this.#queued];
    this.#waiting.clear();
    this.#queued = [];
    for (const waiting of all) {
      waiting.reject(new RequestError("connectionLost", "the connection went before the answer"));
    }
  }

  /** In the order in which they were asked. */
  #sendNext(): void {
    while (this.#waiting.size < this.#atOnce) {
      const next = this.#queued.shift();
      if (next === undefined) {
        return;
      }
      this.#waiting.set(next.request, next);
      next.send(next.request);
    }
  }
}
