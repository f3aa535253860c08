// Keeps one connection alive: opens it, watches over it, comes back as the close code says.
import type {
  Authenticated,
  GoingAway,
  ServerMessage,
  Subscribed,
  TokenExpiring,
} from "@/protocol/messages";
import { Backoff } from "./backoff";
import { ServerClock, SleepWatch } from "./clock";
import { type Aftermath, aftermath, Reason } from "./close-codes";
import { Connection } from "./connection";
import { type ConnectionState, ConnectionStatus } from "./events";
import { Outgoing } from "./outgoing";
import { isOnThisMachine, watchPage } from "./page";
import type { Positions } from "./positions";
import { RequestError, Requests } from "./requests";
import {
  type ClientInfo,
  type News,
  type OutgoingMessage,
  Session,
  type Subscription,
} from "./session";
import type { TokenKeeper } from "./token";

export interface LinkHost {
  readonly url: string;
  readonly client: ClientInfo;
  readonly subscription: Subscription;
  readonly autoReconnect: boolean;
  /** A new token from the application, where it has a way to get one. */
  readonly getToken: (() => Promise<string>) | null;
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

export const UNCONNECTED: ConnectionState = {
  status: ConnectionStatus.DISCONNECTED,
  reason: null,
  lostAtMs: null,
  retryAtMs: null,
  simulated: false,
};

export class Link {
  readonly clock = new ServerClock();
  readonly requests = new Requests();
  readonly outgoing = new Outgoing<OutgoingMessage>();
  readonly #backoff = new Backoff(Math.random);
  readonly #sleep = new SleepWatch();
  #state = UNCONNECTED;
  #connection: Connection | null = null;
  #session: Session | null = null;
  #authenticated: Authenticated | null = null;
  #token: string | null = null;
  #askedForToken = false;
  #goingAwayAtMs: number | null = null;
  #heardAtMs: number | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #seconds: ReturnType<typeof setInterval> | undefined;
  #unwatch: (() => void) | null = null;

  constructor(
    private readonly host: LinkHost,
    private readonly keeper: TokenKeeper,
  ) {}

  get state(): ConnectionState {
    return this.#state;
  }

  /** Messages of the present connection that this version could not read. */
  get ignored(): number {
    return this.#connection?.ignored ?? 0;
  }

  start(): void {
    if (this.#unwatch !== null) {
      return;
    }
    this.#unwatch = watchPage({
      network: (online) => this.#network(online),
      woke: () => this.#woke(),
      left: () => this.#drop(),
      linked: () => this.#linked(),
    });
    this.#seconds = setInterval(() => this.#second(), 1_000);
    this.#open();
  }

  stop(): void {
    this.#unwatch?.();
    this.#unwatch = null;
    clearInterval(this.#seconds);
    this.#drop();
    this.#set(UNCONNECTED);
  }

  /** Anew with what is configured now; nothing where it is not wanted. */
  restart(): void {
    if (this.#unwatch !== null) {
      this.stop();
      this.start();
    }
  }

  /** At once, whatever was planned; nothing where there is a session. */
  tryNow(): void {
    if (this.#unwatch === null) {
      this.start();
    } else if (this.#session?.isOpen !== true) {
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
    if (this.#session?.isOpen !== true) {
      return Promise.reject(new RequestError("connectionLost", "there is no session; ask later"));
    }
    return this.requests.ask((request) =>
      this.#connection?.send({ type: "REQUEST", request, method, params }),
    );
  }

  resubscribe(): void {
    if (this.#session?.isOpen === true && !this.#session.isSubscribing) {
      this.#session.subscribe();
    }
  }

  serverNow(): number | null {
    return this.clock.now(performance.now());
  }

  silenceMs(): number {
    return this.#heardAtMs === null ? 0 : performance.now() - this.#heardAtMs;
  }

  #open(): void {
    clearTimeout(this.#retry);
    const token = this.keeper.take();
    if (token === null && this.host.getToken !== null && !this.#askedForToken) {
      this.#renewToken(() => this.#open());
      return;
    }
    if (token === null) {
      this.#set({ ...this.#state, ...stopped(Reason.NO_LINK) });
      return;
    }
    this.#token = token;
    this.clock.begin();
    this.#goingAwayAtMs = null;
    const connection = new Connection(this.host.url, {
      message: (message) => this.#receive(message),
      ended: (code, reason) => this.#ended(code, reason),
    });
    this.#connection = connection;
    this.#session = this.#newSession(connection, token);
    const status =
      this.#state.lostAtMs === null ? ConnectionStatus.CONNECTING : ConnectionStatus.RECONNECTING;
    this.#set({ ...this.#state, status, retryAtMs: null });
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
      news: (message) => host.news(message),
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
    this.#connection?.expectWordWithin(message.heartbeatMs * HEARTBEATS_MISSED);
  }

  #hasSubscribed(message: Subscribed): void {
    this.#backoff.reset();
    this.#askedForToken = false;
    this.host.subscribed(message);
    this.#set({
      ...UNCONNECTED,
      status: ConnectionStatus.CONNECTED,
      simulated: this.#authenticated?.simulated ?? false,
    });
    for (const waiting of this.outgoing.drain()) {
      this.#connection?.send(waiting);
    }
  }

  #tokenExpiring(message: TokenExpiring): void {
    if (message.token != null) {
      this.keeper.keep(message.token);
      this.#session?.refresh(message.token);
    } else {
      this.#renewToken(() => {
        const token = this.keeper.take();
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
    this.#set({ ...this.#state, lostAtMs, reason: this.#reasonFor(after) });
    this.#proceed(after);
  }

  #reasonFor(after: Aftermath): Reason {
    return after.reason === Reason.SERVER_AWAY && this.#isOffline()
      ? Reason.NO_NETWORK
      : after.reason;
  }

  #proceed(after: Aftermath): void {
    if (after.kind === "stop") {
      if (after.reason === Reason.LINK_REVOKED) {
        this.keeper.forget();
      }
      this.#set({ ...this.#state, ...stopped(after.reason) });
    } else if (!this.host.autoReconnect) {
      this.#set({ ...this.#state, status: ConnectionStatus.DISCONNECTED });
    } else if (after.kind === "after") {
      this.#retryIn(after.delayMs);
    } else if (after.kind === "newToken" && this.keeper.take() !== this.#token) {
      this.#retryIn(0);
    } else if (after.kind === "newToken" && this.host.getToken !== null && !this.#askedForToken) {
      this.#renewToken(() => this.#retryIn(0));
    } else {
      this.#retryIn(this.#backoff.nextMs());
    }
  }

  #retryIn(delayMs: number): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#open(), delayMs);
    const status = this.#isOffline() ? ConnectionStatus.OFFLINE : ConnectionStatus.RECONNECTING;
    this.#set({ ...this.#state, status, retryAtMs: performance.now() + delayMs });
  }

  /** Asks the application once; when it has none, the old token is tried again, backing off. */
  #renewToken(then: () => void): void {
    if (this.host.getToken === null) {
      return;
    }
    this.#askedForToken = true;
    this.host.getToken().then(
      (token) => {
        this.keeper.keep(token);
        then();
      },
      (error: unknown) => {
        console.warn("No new token could be had.", error);
        if (this.#connection === null && this.#unwatch !== null) {
          this.#retryIn(this.#backoff.nextMs());
        }
      },
    );
  }

  #network(online: boolean): void {
    if (this.#connection !== null || this.#state.status === ConnectionStatus.STOPPED) {
      return;
    }
    if (online) {
      this.#retryIn(Math.round(Math.random() * NETWORK_SPREAD_MS));
    } else if (this.#isOffline()) {
      this.#set({
        ...this.#state,
        status: ConnectionStatus.OFFLINE,
        reason: Reason.NO_NETWORK,
      });
    }
  }

  #woke(): void {
    this.#minuteOfSleep();
    const heartbeatMs = this.#authenticated?.heartbeatMs ?? 0;
    const silentMs = performance.now() - (this.#heardAtMs ?? 0);
    if (this.#session?.isOpen === true && silentMs > heartbeatMs * HEARTBEATS_MISSED) {
      this.#connection?.end();
    }
    if (this.#connection === null && this.#state.status !== ConnectionStatus.STOPPED) {
      this.tryNow();
    }
  }

  #linked(): void {
    const token = this.keeper.take();
    if (token !== null && token !== this.#token) {
      this.#drop();
      this.#open();
    }
  }

  #second(): void {
    this.#minuteOfSleep();
    this.host.second();
  }

  /** After sleep the connection is most likely dead, and resuming is cheap. */
  #minuteOfSleep(): void {
    const sleptMs = this.#sleep.look(Date.now(), performance.now());
    if (sleptMs > 0) {
      this.clock.slept(sleptMs);
      this.#connection?.end();
      if (this.#state.status !== ConnectionStatus.STOPPED) {
        this.tryNow();
      }
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
