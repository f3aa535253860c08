// The server's end for tests: a WebSocket that a test opens, feeds and closes by hand.
import { vi } from "vitest";
import type {
  Authenticated,
  HealthDataUpdate,
  HeartRateData,
  Hello,
  HistoryPage,
  Subscribed,
  TimedSeries,
  UserSnapshot,
  UserStatus,
} from "@/protocol/messages";
import type { OutgoingMessage } from "../session";

export const EPOCH = "e1";
export const SERVER_TIME = 1_760_443_540_000;

export class FakeSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 3;
  readyState: number = FakeSocket.CONNECTING;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly sent: OutgoingMessage[] = [];

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    sockets.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = FakeSocket.CLOSED;
  }

  /** The client's messages of this type, oldest first. */
  got(type: string): OutgoingMessage[] {
    return this.sent.filter((message) => message.type === type);
  }

  say(message: unknown): void {
    this.readyState = FakeSocket.OPEN;
    this.onmessage?.({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }

  /** The close as a browser tells it. */
  drop(code: number, reason = ""): void {
    this.readyState = FakeSocket.CLOSED;
    this.onclose?.({ code, reason });
  }

  /** HELLO to SUBSCRIBED. */
  open(snapshot: Record<string, UserSnapshot> = { u1: userSnapshot() }): void {
    this.authenticate();
    this.subscribe(snapshot);
  }

  authenticate(extra: Partial<Authenticated> = {}): void {
    this.say(hello());
    this.say(authenticated(extra));
  }

  /** Answers the newest SUBSCRIBE. */
  subscribe(snapshot: Record<string, UserSnapshot> = { u1: userSnapshot() }): void {
    const request = String(this.got("SUBSCRIBE").at(-1)?.request);
    const message: Subscribed = { type: "SUBSCRIBED", request, snapshot, serverTime: SERVER_TIME };
    this.say(message);
  }
}

const sockets: FakeSocket[] = [];

/** Puts fake sockets in place of the browser's. To be called before each test. */
export function fakeSockets(): FakeSocket[] {
  sockets.length = 0;
  vi.stubGlobal("WebSocket", FakeSocket);
  return sockets;
}

/** The newest connection; throws where there is none. */
export function latestSocket(): FakeSocket {
  const socket = sockets.at(-1);
  if (socket === undefined) {
    throw new Error("nothing has connected");
  }
  return socket;
}

export function hello(extra: Partial<Hello> = {}): Hello {
  return {
    type: "HELLO",
    store: "store",
    epoch: EPOCH,
    serverTime: SERVER_TIME,
    clockState: "synchronised",
    versions: ["strapline.v1"],
    ...extra,
  };
}

export function authenticated(extra: Partial<Authenticated> = {}): Authenticated {
  return {
    type: "AUTHENTICATED",
    session: "session",
    principal: "viewer",
    role: "viewer",
    users: ["u1"],
    expiresAt: SERVER_TIME + 86_400_000,
    heartbeatMs: 15_000,
    reconnectSpreadMs: 4_000,
    ...extra,
  };
}

export function status(extra: Partial<UserStatus> = {}): UserStatus {
  return {
    status: "realtime",
    hops: {
      devices: [
        { device: "d1", name: "Chest strap", state: "connected", sinceMs: SERVER_TIME - 60_000 },
      ],
      bridges: [
        {
          name: "Garage",
          state: "online",
          sinceMs: SERVER_TIME - 60_000,
          heardMs: SERVER_TIME,
          pending: 0,
        },
      ],
      server: { state: "ok", sinceMs: SERVER_TIME - 60_000 },
    },
    pending: 0,
    completeThroughMs: SERVER_TIME,
    lastSyncAt: SERVER_TIME,
    ...extra,
  };
}

export function heartRate(extra: Partial<HeartRateData> = {}): HeartRateData {
  return {
    current: 72,
    last: { value: 72, atMs: SERVER_TIME },
    average: 70,
    min: 55,
    max: 120,
    over: "day",
    dayEndsMs: SERVER_TIME + 3_600_000,
    freshForMs: 5_000,
    onChange: false,
    ...extra,
  };
}

export function userSnapshot(extra: Partial<UserSnapshot> = {}): UserSnapshot {
  return {
    name: "Maren Holt",
    position: [EPOCH, 10],
    reset: true,
    status: status(),
    state: { heart_rate: heartRate() },
    ...extra,
  };
}

export function series(atMs: number[], value: number[], extra: Partial<TimedSeries> = {}) {
  const differences = atMs.map((at, index) => at - (index === 0 ? 0 : (atMs[index - 1] ?? 0)));
  const made: TimedSeries = {
    user: "u1",
    device: "d1",
    metric: "heart_rate",
    seq: atMs.map((_, index) => (index === 0 ? 100 : 1)),
    value,
    atMs: differences,
    receivedMs: (atMs.at(-1) ?? 0) + 100,
    timeSource: "system",
    ...extra,
  };
  return made;
}

export function update(
  n: number,
  previous: number,
  extra: Partial<HealthDataUpdate> = {},
): HealthDataUpdate {
  const atMs = SERVER_TIME + (n - 10) * 1_000;
  return {
    type: "HEALTH_DATA_UPDATE",
    user: "u1",
    metric: "heart_rate",
    stream: "AAAAAAAAAAAAAAAAAAAAAA",
    data: heartRate({ current: 60 + n, last: { value: 60 + n, atMs } }),
    series: series([atMs], [60 + n]),
    position: [EPOCH, n],
    previous: [EPOCH, previous],
    serverTime: atMs + 100,
    ...extra,
  };
}

export function historyPage(atMs: number[], value: number[], n = 10): HistoryPage {
  return {
    user: "u1",
    metric: "heart_rate",
    series: [series(atMs, value)],
    position: [EPOCH, n],
  };
}
