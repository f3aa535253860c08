// The live data service of a page: connects, comes back, resumes, and tells its listeners.
import { version } from "../../package.json";
import { Cause } from "./causes";
import { Reason } from "./close-codes";
import { Emitter, type Unsubscribe } from "./emitter";
import {
  type ConnectionState,
  ConnectionStatus,
  type EventData,
  type EventInfo,
  type Listener,
  type WebSocketEvent,
  WebSocketEventType,
} from "./events";
import { Feed, type WatchedPerson } from "./feed";
import { Gaps } from "./gaps";
import { healthData } from "./health-data";
import { HistoryFetcher, type Question } from "./history";
import { Link, UNCONNECTED } from "./link";
import { Past } from "./past";
import type { News, Subscription } from "./session";
import type { Stretch } from "./stretches";
import { TokenKeeper } from "./token";
import { TokenSource } from "./token-source";

export type { ConnectionState, EventData, EventInfo, Listener, WebSocketEvent } from "./events";
export { ConnectionStatus, WebSocketEventType } from "./events";
export type { WatchedPerson } from "./feed";
export type { HealthData } from "./health-data";

export interface WebSocketServiceOptions extends Subscription {
  /** `ws:` or `wss:`; by default `/ws` of the page's own server. */
  readonly url?: string;
  /** By default that of the page's link, `#token=…`. */
  readonly token?: string;
  /** Asked where a token is missing, refused or about to end. */
  readonly getToken?: () => Promise<string>;
  /** Whether a lost connection is tried again. True by default. */
  readonly autoReconnect?: boolean;
  /** How much of each user's heart rate to keep, from the history too; 0, the default: nothing. */
  readonly lineMs?: number;
  readonly client?: { readonly name: string; readonly version: string };
}

export interface ServiceSnapshot {
  readonly connection: ConnectionState;
  readonly people: readonly WatchedPerson[];
}

export interface ServiceCounters {
  /** Messages that wait for a session, at most 64. */
  readonly waiting: number;
  /** Given up because too many waited. */
  readonly dropped: number;
  /** From the server, and not understood. */
  readonly ignored: number;
}

const METRICS = ["heart_rate", "steps", "battery", "session", "mark", "summary", "gap"];
const LINE_METRIC = "heart_rate";

export class WebSocketService {
  readonly #emitter = new Emitter<WebSocketEventType, [data: never, info: EventInfo]>();
  readonly #watchers = new Emitter<"change", []>();
  readonly #latest = new Map<string, WebSocketEvent<WebSocketEventType>>();
  #options: WebSocketServiceOptions = {};
  #link: Link | null = null;
  #keeper: TokenKeeper | null = null;
  #feed: Feed | null = null;
  #history: HistoryFetcher | null = null;
  readonly #asking = {
    isOpen: () => this.#link?.isOpen === true,
    ask: (method: string, params: Record<string, unknown>) => this.request(method, params),
    now: () => this.serverNow(),
  };
  /** What screens look back at, by user, metric and resolution. */
  readonly past = new Past(this.#asking);
  /** What is missing of it, and why, by user and metric. */
  readonly gaps = new Gaps(this.#asking);
  #snapshot: ServiceSnapshot | null = null;
  #holders = 0;

  /** Takes effect at the next connection; a new token or address at once. */
  configure(options: WebSocketServiceOptions): void {
    const moved = options.url !== undefined && options.url !== this.#options.url;
    this.#options = { ...this.#options, ...options };
    if (options.token !== undefined) {
      this.#tokens().keep(options.token);
    }
    if (moved || options.token !== undefined) {
      this.#link?.restart();
    }
  }

  /**
   * Connects with the token of `configure` or of the page's link, and watches everyone whom it
   * grants. Does nothing where it is connected already.
   */
  connect(): void {
    this.#link ??= this.#newLink();
    this.#link.start();
  }

  disconnect(): void {
    this.#link?.stop();
  }

  /** Tries again at once, whatever was planned. */
  reconnect(): void {
    this.#link ??= this.#newLink();
    this.#link.tryNow();
  }

  /** Connected as long as anyone holds it. Returns what lets go. */
  hold(): Unsubscribe {
    this.#holders += 1;
    this.connect();
    let held = true;
    return () => {
      if (held) {
        held = false;
        this.#holders -= 1;
        // Later: a page that turns over lets go with one hand before it holds with the other.
        setTimeout(() => {
          if (this.#holders === 0) {
            this.disconnect();
          }
        }, 0);
      }
    };
  }

  /**
   * Sends `{type, ...payload}`. Returns false when it waits for a session; at most 64 wait, and
   * the oldest gives way.
   */
  send(
    type: WebSocketEventType | string,
    payload: Readonly<Record<string, unknown>> = {},
  ): boolean {
    this.#link ??= this.#newLink();
    return this.#link.send({ ...payload, type });
  }

  /** Asks the server. Rejects with `RequestError`: refused, or the connection went. */
  request(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    this.#link ??= this.#newLink();
    return this.#link.ask(method, params);
  }

  addEventListener<Type extends WebSocketEventType>(
    type: Type,
    listener: Listener<Type>,
  ): Unsubscribe {
    return this.#emitter.add(type, listener as (data: never, info: EventInfo) => void);
  }

  removeEventListener<Type extends WebSocketEventType>(type: Type, listener: Listener<Type>): void {
    this.#emitter.remove(type, listener as (data: never, info: EventInfo) => void);
  }

  /** The last event of this type, of one user or of anyone; null before the first. */
  latest<Type extends WebSocketEventType>(type: Type, user?: string): WebSocketEvent<Type> | null {
    const key = user === undefined ? type : `${type} ${user}`;
    return (this.#latest.get(key) as WebSocketEvent<Type> | undefined) ?? null;
  }

  /** Calls `watcher` whenever `getSnapshot` would answer something new. */
  subscribe = (watcher: () => void): Unsubscribe => this.#watchers.add("change", watcher);

  getSnapshot = (): ServiceSnapshot => {
    this.#snapshot ??= {
      connection: this.#link?.state ?? UNCONNECTED,
      people: this.#feed?.watched ?? [],
    };
    return this.#snapshot;
  };

  /** The server's time now, as nearly as this page knows it; null before its first word. */
  serverNow(): number | null {
    return this.#link?.serverNow() ?? null;
  }

  /** Since the server's last word; 0 before the first. */
  silenceMs(): number {
    return this.#link?.silenceMs() ?? 0;
  }

  get counters(): ServiceCounters {
    return {
      waiting: this.#link?.outgoing.length ?? 0,
      dropped: this.#link?.outgoing.dropped ?? 0,
      ignored: this.#link?.ignored ?? 0,
    };
  }

  #tokens(): TokenKeeper {
    this.#keeper ??= new TokenKeeper({ location, history, storage: tabStorage() });
    return this.#keeper;
  }

  #newLink(): Link {
    const feed = this.#newFeed();
    this.#feed = feed;
    const service = this;
    return new Link(
      {
        get url() {
          return service.#options.url ?? defaultUrl();
        },
        get client() {
          const name = "strapline-web";
          return { ...(service.#options.client ?? { name, version }), metrics: METRICS };
        },
        get subscription() {
          return service.#options;
        },
        get autoReconnect() {
          return service.#options.autoReconnect ?? true;
        },
        since: () => feed.since(),
        stateChanged: (state) => this.#stateChanged(state),
        subscribed: (message) => {
          feed.own(null, message.serverTime);
          feed.subscribed(message);
          this.past.subscribed(message);
          this.gaps.subscribed(message);
          this.#history?.run();
          this.#changed();
        },
        news: (message) => {
          feed.news(message);
          this.past.news(message);
          this.gaps.news(message);
          this.#changed();
        },
        second: () => {
          this.#history?.run();
          this.past.run();
          this.gaps.run();
        },
      },
      new TokenSource(this.#tokens(), () => this.#options.getToken ?? null),
    );
  }

  #newFeed(): Feed {
    const lineMs = this.#options.lineMs ?? 0;
    const feed = new Feed(
      {
        told: (person, news) => this.#told(person, news),
        changed: (news) => {
          if (news.type === "SUBSCRIPTION_CHANGED") {
            const info = { user: null, details: news };
            this.#emit(WebSocketEventType.SUBSCRIPTION_CHANGED, news, info);
          }
        },
        left: (user) => this.#left(user),
        resubscribe: () => this.#link?.resubscribe(),
        thinned: () => (this.#options.minIntervalMs ?? 0) > 0,
        added: () => this.#link?.subscribeToAdded(),
        missing: (user, stretch, position) => {
          const all = this.#stretch(lineMs);
          if (all !== null) {
            this.#history?.want(lineOf(user), stretch ?? all, position);
          }
        },
      },
      lineMs,
    );
    if (lineMs > 0) {
      this.#history = new HistoryFetcher({
        ...this.#asking,
        onScreen: () => this.#stretch(lineMs),
        arrived: ({ user }, stretch, pages, position) => {
          const series = pages.flatMap((page) => page.series);
          feed.history(user, stretch, series, position);
          this.#changed();
        },
      });
    }
    return feed;
  }

  /** A little past now: a reading may be ahead of this page's idea of the server's clock. */
  #stretch(lineMs: number): Stretch | null {
    const now = this.serverNow();
    return now === null || lineMs === 0 ? null : stretchBefore(now, lineMs);
  }

  #stateChanged(state: ConnectionState): void {
    const cause = ownCause(state);
    if (cause !== null && state.lostAtMs !== null) {
      this.#feed?.own(cause, state.lostAtMs);
    }
    if (state.reason !== null && BY_LINK.has(state.reason)) {
      this.#feed?.forgetAll();
    }
    const info = { user: null, details: null };
    this.#emit(WebSocketEventType.CONNECTION_STATUS_UPDATE, state, info);
    this.#changed();
  }

  #told(person: WatchedPerson, news: News | null): void {
    const { user } = person;
    const isStatus = news?.type === "SYNC_STATUS_UPDATE";
    if (news === null || isStatus) {
      const info = { user, details: news };
      this.#emit(WebSocketEventType.SYNC_STATUS_UPDATE, person.status, info);
    }
    if (news?.type === "HISTORY_CHANGED") {
      const info = { user, details: news };
      this.#emit(WebSocketEventType.HISTORY_CHANGED, healthData(person), info);
    }
    if (!isStatus) {
      const info = { user, details: news };
      this.#emit(WebSocketEventType.HEALTH_DATA_UPDATE, healthData(person), info);
    }
  }

  #left(user: string): void {
    this.#history?.forget(user);
    this.past.forget(user);
    this.gaps.forget(user);
    for (const [key, event] of this.#latest) {
      if (event.user === user) {
        this.#latest.delete(key);
      }
    }
  }

  #emit<Type extends WebSocketEventType>(type: Type, data: EventData[Type], info: EventInfo): void {
    const event = { data, ...info };
    this.#latest.set(type, event);
    if (info.user !== null) {
      this.#latest.set(`${type} ${info.user}`, event);
    }
    this.#emitter.emit(type, data as never, info);
  }

  #changed(): void {
    this.#snapshot = null;
    this.#watchers.emit("change");
  }
}

/** Nothing of anyone stays on a screen whose link holds no longer. */
const BY_LINK: ReadonlySet<Reason> = new Set([
  Reason.LINK_REVOKED,
  Reason.LINK_ENDED,
  Reason.LINK_REFUSED,
]);

const AHEAD_MS = 60_000;

function lineOf(user: string): Question {
  return { user, metric: LINE_METRIC, resolution: "raw" };
}

function stretchBefore(nowMs: number, lineMs: number): Stretch {
  return { fromMs: Math.max(0, Math.floor(nowMs - lineMs)), toMs: Math.ceil(nowMs + AHEAD_MS) };
}

function ownCause(state: ConnectionState): Cause | null {
  if (state.reason === null || state.status === ConnectionStatus.CONNECTED) {
    return null;
  }
  return state.reason === Reason.NO_NETWORK ? Cause.SCREEN_OFFLINE : Cause.SERVER_AWAY;
}

function defaultUrl(): string {
  const url = new URL("/ws", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** Null where the browser forbids it: reading the property alone throws then. */
function tabStorage(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

const websocketService = new WebSocketService();
export default websocketService;
