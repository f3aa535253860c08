// One connection's conversation, from HELLO on: no socket, no timer, no clock in here.
import type {
  Authenticated,
  GoingAway,
  Hello,
  ServerMessage,
  Subscribed,
  TokenExpiring,
} from "@/protocol/messages";
import type { Position } from "./positions";
import type { Requests } from "./requests";

export interface ClientInfo {
  readonly name: string;
  readonly version: string;
  readonly metrics: readonly string[];
}

export interface Subscription {
  readonly users?: readonly string[];
  readonly metrics?: readonly string[];
  readonly minIntervalMs?: number;
}

export type OutgoingMessage = { readonly type: string; readonly [field: string]: unknown };

/** What the session asks of whoever owns the connection. */
export interface SessionHost {
  readonly token: string;
  readonly client: ClientInfo;
  readonly subscription: Subscription;
  readonly requests: Requests;
  since(): Readonly<Record<string, Position>>;
  send(message: OutgoingMessage): void;
  /** The server broke the contract: end this connection and try another. */
  fail(why: string): void;
  authenticated(message: Authenticated): void;
  subscribed(message: Subscribed): void;
  /** A next token, or the news that one is needed: answer with `refresh`. */
  tokenExpiring(message: TokenExpiring): void;
  goingAway(message: GoingAway): void;
  /** Everything that tells of people. */
  news(message: News): void;
}

export type News = Extract<
  ServerMessage,
  {
    type: "HEALTH_DATA_UPDATE" | "HISTORY_CHANGED" | "SYNC_STATUS_UPDATE" | "SUBSCRIPTION_CHANGED";
  }
>;

type Phase = "hello" | "authenticating" | "open";

export class Session {
  #phase: Phase = "hello";
  #hello: Hello | null = null;
  #awaited: string | null = null;
  #subscribed = false;
  /** Wanted while another subscription is on its way: asked for after it. */
  #again = false;

  constructor(private readonly host: SessionHost) {}

  get hello(): Hello | null {
    return this.#hello;
  }

  /** Authenticated: what is sent now is heard. */
  get isOpen(): boolean {
    return this.#phase === "open";
  }

  get isSubscribed(): boolean {
    return this.#subscribed;
  }

  /** Whether an answer to `SUBSCRIBE` is still on its way. */
  get isSubscribing(): boolean {
    return this.#awaited !== null;
  }

  /** Once more, after the one that is on its way; nothing before the session is open. */
  subscribeAnew(): void {
    if (this.isSubscribing) {
      this.#again = true;
    } else if (this.isOpen) {
      this.#subscribe();
    }
  }

  #subscribe(): void {
    const { users, metrics, minIntervalMs } = this.host.subscription;
    const since = this.host.since();
    this.#again = false;
    this.#awaited = this.host.requests.nextId();
    this.host.send({
      type: "SUBSCRIBE",
      request: this.#awaited,
      ...(users === undefined ? {} : { users }),
      ...(metrics === undefined ? {} : { metrics }),
      ...(Object.keys(since).length === 0 ? {} : { since }),
      ...(minIntervalMs === undefined ? {} : { minIntervalMs }),
    });
  }

  refresh(token: string): void {
    if (this.isOpen) {
      this.host.send({ type: "REFRESH", token });
    }
  }

  receive(message: ServerMessage): void {
    if (this.#phase === "open") {
      this.#receiveOpen(message);
    } else if (this.#phase === "hello" && message.type === "HELLO") {
      this.#hello = message;
      this.#phase = "authenticating";
      const { token, client } = this.host;
      this.host.send({ type: "AUTHENTICATE", token, client });
    } else if (this.#phase === "authenticating" && message.type === "AUTHENTICATED") {
      this.#phase = "open";
      this.host.authenticated(message);
      this.#subscribe();
    } else if (message.type === "GOING_AWAY") {
      this.host.goingAway(message);
    } else if (message.type !== "HEARTBEAT" && message.type !== "ERROR") {
      this.host.fail(`${message.type} came before the opening was over`);
    }
  }

  #receiveOpen(message: ServerMessage): void {
    switch (message.type) {
      case "SUBSCRIBED":
        if (message.request === this.#awaited) {
          this.#awaited = null;
          this.#subscribed = true;
          this.host.subscribed(message);
          if (this.#again) {
            this.#subscribe();
          }
        }
        break;
      case "RESULT":
        this.host.requests.answer(message.request, message.result);
        break;
      case "ERROR":
        this.#refused(message.request ?? null, message.code, message.message);
        break;
      case "TOKEN_EXPIRING":
        this.host.tokenExpiring(message);
        break;
      case "GOING_AWAY":
        this.host.goingAway(message);
        break;
      case "HEALTH_DATA_UPDATE":
      case "HISTORY_CHANGED":
      case "SYNC_STATUS_UPDATE":
      case "SUBSCRIPTION_CHANGED":
        this.host.news(message);
        break;
      case "HELLO":
      case "AUTHENTICATED":
        this.host.fail(`${message.type} came twice`);
        break;
      default:
        break;
    }
  }

  #refused(request: string | null, code: string, text: string): void {
    if (request !== null && request === this.#awaited) {
      this.#awaited = null;
      this.host.fail(`the subscription was refused (${code}): ${text}`);
    } else if (request === null || !this.host.requests.refuse(request, code, text)) {
      console.warn(`The server refused a message (${code}): ${text}`);
    }
  }
}
