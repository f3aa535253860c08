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

export const REQUESTS_BOUND = 64;

interface Waiting {
  resolve(result: unknown): void;
  reject(error: RequestError): void;
}

export class Requests {
  readonly #waiting = new Map<string, Waiting>();
  #count = 0;

  nextId(): string {
    this.#count += 1;
    return `r${this.#count}`;
  }

  /** Resolves with the result of the `RESULT` that answers it; rejects with `RequestError`. */
  ask(send: (request: string) => void): Promise<unknown> {
    if (this.#waiting.size >= REQUESTS_BOUND) {
      return Promise.reject(
        new RequestError("tooMany", `more than ${REQUESTS_BOUND} questions are waiting; ask later`),
      );
    }
    const request = this.nextId();
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject });
      send(request);
    });
  }

  answer(request: string, result: unknown): void {
    this.#waiting.get(request)?.resolve(result);
    this.#waiting.delete(request);
  }

  /** False when the refusal answers none of these questions. */
  refuse(request: string, code: string, message: string): boolean {
    this.#waiting.get(request)?.reject(new RequestError(code, message));
    return this.#waiting.delete(request);
  }

  abandon(): void {
    for (const waiting of this.#waiting.values()) {
      waiting.reject(new RequestError("connectionLost", "the connection went before the answer"));
    }
    this.#waiting.clear();
  }
}
