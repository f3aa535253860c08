// Keeps one connection alive: opens it, watches over it, comes back as the close code says.
import type {
  Authenticated,
  GoingAway,
  ServerMessage,
  Subscribed,
  SubscriptionChanged,
  TokenExpiring,
} from "@/protocol/messages";
import { Backoff } from "./backoff";
import { ServerClock } from "./clock";
import { type Aftermath, aftermath, Reason } from "./close-codes";
import { Connection } from "./connection";
import { type ConnectionState, ConnectionStatus } from "./events";
import { Outgoing } from "./outgoing";
import { isOnThisMachine } from "./page";
import type { Positions } from "./positions";
import { RequestError, Requests } from "./requests";
import {
  type ClientInfo,
  type News,
  type OutgoingMessage,
  Session,
  type Subscription,
} from "./session";
import type { TokenSource } from "./token-source";
import { Vigil } from "./vigil";

export interface LinkHost {
  readonly url: string;
  readonly client: ClientInfo;
  readonly subscription: Subscription;
  readonly autoReconnect: boolean;
  since(): ReturnType<Positions["since"]>;
  stateChanged(state: ConnectionState): void;
  subscribed(message: Subscribed): void;
  news(message: News): void;
  /** Once a second while the link is wanted. */
  second(): void;
}

const HEARTBEATS_MISSED = 2.5;
/** Many screens come back with one access point: not all in the same moment. */
const NETWORK_SPREAD_MS = 500;
const DEFAULT_SPREAD_MS = 5_000;
/** After so much silence a page that wakes asks whether its connection still stands. */
const DOUBT_MS = 3_000;
/** A connection that stands answers within this. */
const ANSWER_MS = 5_000;

export const UNCONNECTED: ConnectionState = {
  status: ConnectionStatus.DISCONNECTED,
  reason: null,
  lostAtMs: null,
  retryAtMs: null,
  simulated: false,
  mayMark: false,
};

export class Link {
  readonly clock = new ServerClock();
  readonly requests = new Requests();
  readonly outgoing = new Outgoing<OutgoingMessage>();
  readonly #backoff = new Backoff(Math.random);
  readonly #vigil: Vigil;
  #state = UNCONNECTED;
  #connection: Connection | null = null;
  #session: Session | null = null;
  #authenticated: Authenticated | null = null;
  #token: string | null = null;
  /** The last one that the server would not have: another is asked for, where there is whom to. */
  #refused: string | null = null;
  #goingAwayAtMs: number | null = null;
  #heardAtMs: number | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly host: LinkHost,
    private readonly tokens: TokenSource,
  ) {
    this.#vigil = new Vigil({
      second: () => host.second(),
      slept: (durationMs) => this.#slept(durationMs),
      network: (online) => this.#network(online),
      woke: () => this.#woke(),
      left: () => this.#drop(),
      linked: () => this.#linked(),
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Whether there is a session, so that questions are sent and answered. */
  get isOpen(): boolean {
    return this.#session?.isOpen === true;
  }

  /** Messages of the present connection that this version could not read. */
  get ignored(): number {
    return this.#connection?.ignored ?? 0;
  }

  start(): void {
    if (!this.#vigil.isKept) {
      this.#vigil.begin();
      this.#open();
    }
  }

  stop(): void {
    this.#vigil.end();
    this.#drop();
    this.#set(UNCONNECTED);
  }

  /** Anew with what is configured now; nothing where it is not wanted. */
  restart(): void {
    if (this.#vigil.isKept) {
      this.stop();
      this.start();
    }
  }

  /** At once, whatever was planned; nothing where there is a session. */
  tryNow(): void {
    if (!this.#vigil.isKept) {
      this.start();
    } else if (!this.isOpen) {
      this.#drop();
      this.#open();
    }
  }

  /** False when it has to wait for a session. */
  send(message: OutgoingMessage): boolean {
    if (this.#session?.isSubscribed === true) {
      this.#connection?.send(message);
      return true;
    }
    this.outgoing.push(message);
    return false;
  }

  ask(method: string, params: Record<string, unknown>): Promise<unknown> {
    if (!this.isOpen) {
      return Promise.reject(new RequestError("connectionLost", "there is no session; ask later"));
    }
    return this.requests.ask((request) =>
      this.#connection?.send({ type: "REQUEST", request, method, params }),
    );
  }

  /** From where each user stands; nothing where that is on its way already. */
  resubscribe(): void {
    if (this.#session?.isSubscribing === false) {
      this.#session.subscribeAnew();
    }
  }

  /** Somebody was added: a subscription that is on its way may not know, and another follows it. */
  subscribeToAdded(): void {
    this.#session?.subscribeAnew();
  }

  serverNow(): number | null {
    return this.clock.now(performance.now());
  }

  silenceMs(): number {
    return this.#heardAtMs === null ? 0 : performance.now() - this.#heardAtMs;
  }

  #open(): void {
    clearTimeout(this.#retry);
    const token = this.tokens.current();
    if (token !== null && (token !== this.#refused || !this.tokens.hasApplication)) {
      this.#begin(token);
    } else if (this.tokens.hasApplication) {
      this.#opening();
      void this.#renew();
    } else {
      this.#set({ ...this.#state, ...stopped(Reason.NO_LINK) });
    }
  }

  #begin(token: string): void {
    clearTimeout(this.#retry);
    this.#connect(token);
    this.#opening();
  }

  #opening(): void {
    const status =
      this.#state.lostAtMs === null ? ConnectionStatus.CONNECTING : ConnectionStatus.RECONNECTING;
    this.#set({ ...this.#state, status, retryAtMs: null });
  }

  #connect(token: string): void {
    this.#token = token;
    this.clock.begin();
    this.#goingAwayAtMs = null;
    const connection = new Connection(this.host.url, {
      message: (message) => this.#receive(message),
      ended: (code, reason) => this.#ended(code, reason),
    });
    this.#connection = connection;
    this.#session = this.#newSession(connection, token);
  }

  /** Asks the application; what it has is tried at once. */
  async #renew(): Promise<void> {
    const token = await this.tokens.ask();
    if (!this.#vigil.isKept || this.#connection !== null) {
      return;
    }
    if (token === null) {
      this.#retryIn(this.#backoff.nextMs(), this.#state);
    } else {
      this.#begin(token);
    }
  }

  #newSession(connection: Connection, token: string): Session {
    const { host, requests } = this;
    return new Session({
      token,
      client: host.client,
      subscription: host.subscription,
      requests,
      since: () => host.since(),
      send: (message) => connection.send(message),
      fail: (why) => {
        console.error(`The connection is given up: ${why}.`);
        connection.end();
      },
      authenticated: (message) => this.#hasAuthenticated(message),
      subscribed: (message) => this.#hasSubscribed(message),
      tokenExpiring: (message) => this.#tokenExpiring(message),
      goingAway: (message) => this.#goingAway(message),
      news: (message) => this.#news(message),
    });
  }

  #receive(message: ServerMessage): void {
    const now = performance.now();
    this.#heardAtMs = now;
    if ("serverTime" in message) {
      this.clock.heard(message.serverTime, now);
    }
    this.#session?.receive(message);
  }

  #hasAuthenticated(message: Authenticated): void {
    this.#authenticated = message;
    this.requests.limit(message.limits?.requestsInFlight);
    this.#connection?.expectWordWithin(message.heartbeatMs * HEARTBEATS_MISSED);
  }

  #hasSubscribed(message: Subscribed): void {
    this.#backoff.reset();
    this.tokens.worked();
    this.#refused = null;
    this.host.subscribed(message);
    this.#set({
      ...UNCONNECTED,
      status: ConnectionStatus.CONNECTED,
      simulated: this.#authenticated?.simulated ?? false,
      mayMark: this.#authenticated?.mayMark ?? false,
    });
    for (const waiting of this.outgoing.drain()) {
      this.#connection?.send(waiting);
    }
  }

  #news(message: News): void {
    if (message.type === "SUBSCRIPTION_CHANGED") {
      this.#rightsChanged(message);
    }
    this.host.news(message);
  }

  #rightsChanged({ mayMark }: SubscriptionChanged): void {
    if (this.#authenticated === null || mayMark == null) {
      return;
    }
    this.#authenticated = { ...this.#authenticated, mayMark };
    if (this.#state.status === ConnectionStatus.CONNECTED) {
      this.#set({ ...this.#state, mayMark });
    }
  }

  #tokenExpiring(message: TokenExpiring): void {
    if (message.token != null) {
      this.tokens.keep(message.token);
      this.#session?.refresh(message.token);
    } else {
      void this.tokens.ask().then((token) => {
        if (token !== null) {
          this.#session?.refresh(token);
        }
      });
    }
  }

  #goingAway(message: GoingAway): void {
    this.#goingAwayAtMs = performance.now() + message.reconnectAfterMs;
  }

  #ended(code: number, text: string): void {
    const after = aftermath(code, text, {
      goingAwayMs:
        this.#goingAwayAtMs === null ? null : Math.max(0, this.#goingAwayAtMs - performance.now()),
      reconnectSpreadMs: this.#authenticated?.reconnectSpreadMs ?? DEFAULT_SPREAD_MS,
      serverVersions: this.#session?.hello?.versions ?? null,
      random: Math.random,
    });
    this.#forgetConnection();
    const lostAtMs =
      this.#state.lostAtMs ?? (this.#heardAtMs === null ? null : this.clock.now(this.#heardAtMs));
    this.#proceed(after, { ...this.#state, lostAtMs, reason: this.#reasonFor(after) });
  }

  #reasonFor(after: Aftermath): Reason {
    return after.reason === Reason.SERVER_AWAY && this.#isOffline()
      ? Reason.NO_NETWORK
      : after.reason;
  }

  #proceed(after: Aftermath, lost: ConnectionState): void {
    if (after.kind === "newToken") {
      this.#refused = this.#token;
    }
    if (after.kind === "stop") {
      if (after.reason === Reason.LINK_REVOKED) {
        this.tokens.forget();
      }
      this.#set({ ...lost, ...stopped(after.reason) });
    } else if (!this.host.autoReconnect) {
      this.#set({ ...lost, status: ConnectionStatus.DISCONNECTED });
    } else if (after.kind === "after") {
      this.#backoff.failed();
      this.#retryIn(after.delayMs, lost);
    } else if (after.kind === "newToken" && this.tokens.current() !== this.#token) {
      this.#retryIn(0, { ...lost, reason: null });
    } else if (after.kind === "newToken" && this.tokens.canAsk) {
      // Only an old token is refused so far: nothing has ended yet.
      this.#set({ ...lost, reason: null, status: ConnectionStatus.RECONNECTING });
      void this.#renew();
    } else {
      const atLeastMs = after.kind === "backOff" ? after.atLeastMs : 0;
      this.#retryIn(atLeastMs + this.#backoff.nextMs(), lost);
    }
  }

  #retryIn(delayMs: number, lost: ConnectionState): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#open(), delayMs);
    const status = this.#isOffline() ? ConnectionStatus.OFFLINE : ConnectionStatus.RECONNECTING;
    this.#set({ ...lost, status, retryAtMs: performance.now() + delayMs });
  }

  #network(online: boolean): void {
    if (this.#connection !== null && online) {
      // Perhaps another network, over which the old connection says nothing more.
      this.#probe();
    }
    if (this.#connection !== null || this.#state.status === ConnectionStatus.STOPPED) {
      return;
    }
    if (online) {
      this.#retryIn(Math.round(Math.random() * NETWORK_SPREAD_MS), this.#state);
    } else if (this.#isOffline()) {
      this.#set({
        ...this.#state,
        status: ConnectionStatus.OFFLINE,
        reason: Reason.NO_NETWORK,
      });
    }
  }

  #woke(): void {
    const heartbeatMs = this.#authenticated?.heartbeatMs ?? 0;
    const silentMs = performance.now() - (this.#heardAtMs ?? 0);
    if (this.isOpen && silentMs > heartbeatMs * HEARTBEATS_MISSED) {
      this.#connection?.end();
    } else if (silentMs > DOUBT_MS) {
      this.#probe();
    }
    if (this.#connection === null && this.#state.status !== ConnectionStatus.STOPPED) {
      this.tryNow();
    }
  }

  /** A browser cannot ping: subscribing from where each user stands is answered at once. */
  #probe(): void {
    if (this.#session?.isSubscribing === false && this.#session.isOpen) {
      this.#session.subscribeAnew();
      this.#connection?.expectAnswerWithin(ANSWER_MS);
    }
  }

  #linked(): void {
    const token = this.tokens.current();
    if (token !== null && token !== this.#token) {
      this.#drop();
      this.#open();
    }
  }

  /** After sleep the connection is most likely dead, and resuming is cheap. */
  #slept(durationMs: number): void {
    this.clock.slept(durationMs);
    this.#connection?.end();
    if (this.#state.status !== ConnectionStatus.STOPPED) {
      this.tryNow();
    }
  }

  #isOffline(): boolean {
    return !navigator.onLine && !isOnThisMachine(this.host.url);
  }

  #drop(): void {
    clearTimeout(this.#retry);
    this.#connection?.abandon();
    this.#forgetConnection();
  }

  #forgetConnection(): void {
    this.#connection = null;
    this.#session = null;
    this.requests.abandon();
  }

  #set(state: ConnectionState): void {
    this.#state = state;
    this.host.stateChanged(state);
  }
}

function stopped(reason: Reason): Pick<ConnectionState, "status" | "reason" | "retryAtMs"> {
  return { status: ConnectionStatus.STOPPED, reason, retryAtMs: null };
}
