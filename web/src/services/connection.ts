// One WebSocket: text to checked messages, one watch over its silence, one clear end.
import { isServerMessage, type ServerMessage } from "@/protocol/messages";
import { SUBPROTOCOL } from "./close-codes";
import type { OutgoingMessage } from "./session";

/** Opening and authentication together; a server gives a client five seconds for its part. */
const OPENING_MS = 10_000;
/** A timer that fires so late was held up with the page, and says nothing of the server. */
const HELD_UP_MS = 1_000;
/** Then whatever waits in the browser is heard first. */
const CATCH_UP_MS = 2_000;
const NORMAL = 1000;
const LOST = 1006;

export interface ConnectionHost {
  message(message: ServerMessage): void;
  ended(code: number, reason: string): void;
}

export class Connection {
  readonly #socket: WebSocket;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #silenceMs = OPENING_MS;
  #ended = false;
  #ignored = 0;

  constructor(
    url: string,
    private readonly host: ConnectionHost,
  ) {
    this.#socket = new WebSocket(url, [SUBPROTOCOL]);
    this.#socket.onmessage = (event: MessageEvent<unknown>) => this.#receive(event.data);
    this.#socket.onclose = (event: CloseEvent) => this.#end(event.code, event.reason);
    this.#rewind();
  }

  /** Messages that were no message of this protocol: a newer server's, or broken ones. */
  get ignored(): number {
    return this.#ignored;
  }

  /** From now on this much silence means that the connection is gone. */
  expectWordWithin(silenceMs: number): void {
    this.#silenceMs = silenceMs;
    this.#rewind();
  }

  /** Something was asked that is answered at once: this much silence from now on is an end. */
  expectAnswerWithin(silenceMs: number): void {
    this.#watchFor(silenceMs);
  }

  send(message: OutgoingMessage): void {
    if (!this.#ended && this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify(message));
    }
  }

  /**
   * Ends it here and now. A browser waits long for a close frame over a dead network, so its own
   * close event is not waited for.
   */
  end(code: number = LOST, reason = ""): void {
    this.#end(code, reason);
  }

  /** Ends it without telling the host. */
  abandon(): void {
    this.#detach();
  }

  #receive(data: unknown): void {
    this.#rewind();
    const message = typeof data === "string" ? parse(data) : null;
    if (isServerMessage(message)) {
      this.host.message(message);
    } else {
      this.#ignored += 1;
    }
  }

  #rewind(): void {
    this.#watchFor(this.#silenceMs);
  }

  #watchFor(silenceMs: number): void {
    clearTimeout(this.#watch);
    const dueMs = performance.now() + silenceMs;
    this.#watch = setTimeout(() => {
      if (performance.now() - dueMs > HELD_UP_MS) {
        this.#watchFor(CATCH_UP_MS);
      } else {
        this.#end(LOST, "silence");
      }
    }, silenceMs);
  }

  #end(code: number, reason: string): void {
    if (!this.#ended) {
      this.#detach();
      this.host.ended(code, reason);
    }
  }

  #detach(): void {
    this.#ended = true;
    clearTimeout(this.#watch);
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close(NORMAL);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: no message, and counted as one that was not understood.
    return null;
  }
}
