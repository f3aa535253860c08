// What the Python client does at the same vectors (tests/vectors/client), this service does.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { refusal } from "@/model/missing";
import { rateOf, stepsView } from "@/model/person";
import { rateView } from "@/model/rate";
import type { HeartRateData, Hops } from "@/protocol/messages";
import clockVectors from "../../../../tests/vectors/client/clock.json";
import conversationVectors from "../../../../tests/vectors/client/conversations.json";
import endingVectors from "../../../../tests/vectors/client/endings.json";
import freshnessVectors from "../../../../tests/vectors/client/freshness.json";
import healthVectors from "../../../../tests/vectors/client/health-data.json";
import positionVectors from "../../../../tests/vectors/client/positions.json";
import readingVectors from "../../../../tests/vectors/client/readings.json";
import { Backoff } from "../backoff";
import { ServerClock } from "../clock";
import { aftermath, Reason } from "../close-codes";
import type { WatchedPerson } from "../feed";
import { healthData } from "../health-data";
import type { MetricData } from "../people";
import { type Change, type Position, Positions } from "../positions";
import { WebSocketEventType, WebSocketService } from "../websocket-service";
import { type FakeSocket, status } from "./fake-server";
import { beginService, connectionOf } from "./service-setup";

type Fields = Readonly<Record<string, unknown>>;

interface Case {
  readonly name: string;
  readonly [field: string]: unknown;
}

function casesOf(vectors: { readonly cases: readonly unknown[] }): Case[] {
  return vectors.cases as Case[];
}

/** Who is behind where there is no common version: the page, which is this client. */
function reasonOf(reason: Reason | null): string | null {
  return reason === Reason.UPGRADE_PAGE ? "upgradeClient" : reason;
}

// ------------------------------------------------------------------------------------ single rules

interface PositionStep {
  readonly snapshot?: {
    readonly user: string;
    readonly position: Position;
    readonly reset: boolean;
  };
  readonly forget?: string;
  readonly change?: Omit<Change, "conflated"> & { readonly conflated?: boolean };
  readonly taken?: "news" | "old" | "gap";
  readonly since?: Record<string, Position>;
}

const VERDICTS = { next: "news", repeat: "old", gap: "gap", waiting: "gap" } as const;

test.each(casesOf(positionVectors))("positions: $name", (one) => {
  const positions = new Positions();
  for (const step of one.steps as PositionStep[]) {
    if (step.snapshot?.reset === true) {
      positions.begin(step.snapshot.user, step.snapshot.position);
    } else if (step.snapshot !== undefined) {
      positions.resume(step.snapshot.user);
    } else if (step.forget !== undefined) {
      positions.forget(step.forget);
    } else if (step.change !== undefined) {
      const verdict = positions.judge({ conflated: false, ...step.change });
      expect(VERDICTS[verdict], JSON.stringify(step)).toBe(step.taken);
    } else {
      expect(positions.since()).toEqual(step.since);
    }
  }
});

function person(metrics: Record<string, MetricData>, hops?: Hops): WatchedPerson {
  return {
    user: "maren",
    name: "Maren",
    metrics,
    status: status(hops === undefined ? {} : { hops }),
    statusAtMs: 0,
    line: [],
    spells: [],
  };
}

/** In the heart rate, null and absent are the same. */
function withoutNullRates(health: Fields): Fields {
  const rate = health.heartRate as Fields | null;
  const told = rate && Object.entries(rate).filter(([, value]) => value !== null);
  return { ...health, heartRate: told && Object.fromEntries(told) };
}

test.each(casesOf(healthVectors))("health data: $name", (one) => {
  const found = healthData(person(one.metrics as Record<string, MetricData>));
  expect(withoutNullRates(found)).toEqual(withoutNullRates(one.health as Fields));
});

test.each(casesOf(readingVectors))("readings: $name", (one) => {
  const [value, quality] = [one.value as number | null, one.quality as string[]];
  const contact = one.contact as boolean | null;
  expect(refusal({ value, quality, contact })).toBe(one.why);
  // What a rate was is what would have been drawn; a state says nothing of contact.
  if (contact !== false) {
    const last = { value, atMs: 1, quality };
    const rate = { current: null, last, average: null, min: null, max: null, freshForMs: 1 };
    const data: HeartRateData = { ...rate, over: "day", dayEndsMs: 9, onChange: false };
    expect(rateView(data, [], 1, true).was !== null).toBe(one.why === null);
  }
});

test.each(casesOf(freshnessVectors))("freshness: $name", (one) => {
  const metric = String(one.metric);
  const watched = person({ [metric]: one.data as MetricData }, one.hops as Hops);
  const nowMs = one.nowMs as number | null;
  if (metric === "steps") {
    const figure = one.current === null ? "—" : Number(one.current).toLocaleString("en");
    expect(stepsView(watched, nowMs).figure).toBe(figure);
  } else {
    expect(rateOf(watched, nowMs, one.connected === true).bpm).toBe(one.current);
  }
});

test.each(casesOf(clockVectors))("clock: $name", (one) => {
  const clock = new ServerClock();
  for (const step of one.steps as Record<string, number>[]) {
    if ("begin" in step) {
      clock.begin();
    } else if ("heard" in step) {
      clock.heard(Number(step.heard), Number(step.at));
    } else {
      expect(clock.now(Number(step.nowAt))).toBe(step.is);
    }
  }
});

test.each(casesOf(endingVectors))("endings: $name", (one) => {
  const random = () => (one.random as number | undefined) ?? 0.5;
  const after = aftermath(one.code as number, (one.reason as string | undefined) ?? "", {
    goingAwayMs: (one.goingAwayMs as number | undefined) ?? null,
    reconnectSpreadMs: 4_000,
    serverVersions: (one.versions as string[] | undefined) ?? null,
    random,
  });
  const backoff = new Backoff(random);
  for (let failure = 0; failure < Number(one.failures ?? 0); failure += 1) {
    backoff.nextMs();
  }
  const reason = reasonOf(after.reason);
  const next = {
    stop: () => ({ stop: reason }),
    newToken: () => ({ renew: true }),
    after: () => ({ afterMs: after.kind === "after" ? after.delayMs : null, reason }),
    backOff: () => ({
      afterMs: after.kind === "backOff" ? after.atLeastMs + backoff.nextMs() : null,
      reason,
    }),
  };
  expect(next[after.kind]()).toEqual(one.next);
});

// ----------------------------------------------------------------------------- whole conversations

const TOLD = [
  WebSocketEventType.HEALTH_DATA_UPDATE,
  WebSocketEventType.HISTORY_CHANGED,
  WebSocketEventType.SUBSCRIPTION_CHANGED,
  WebSocketEventType.SYNC_STATUS_UPDATE,
] as const;

class Conversation {
  readonly service = new WebSocketService();
  #told: unknown[][] = [];
  #seen = 0;

  constructor(
    private readonly sockets: FakeSocket[],
    one: Case,
    private readonly chance: (random: number) => void,
  ) {
    for (const type of TOLD) {
      this.service.addEventListener(type, (data, { user }) => {
        this.#told.push([type, user, "hops" in data ? data.status : rateIn(data as Fields)]);
      });
    }
    const application = one.application as (string | null)[] | undefined;
    this.service.configure({
      token: "t1",
      ...(application === undefined ? {} : { getToken: tokensOf(application) }),
      ...(one.users === undefined ? {} : { users: one.users as string[] }),
      ...(one.metrics === undefined ? {} : { metrics: one.metrics as string[] }),
      ...(one.minIntervalMs === undefined ? {} : { minIntervalMs: Number(one.minIntervalMs) }),
    });
    this.service.connect();
  }

  async step(step: Fields): Promise<void> {
    const [name = ""] = Object.keys(step);
    const take = this.#steps[name];
    if (take === undefined) {
      throw new Error(`no step ${name}`);
    }
    await take(step);
    await vi.advanceTimersByTimeAsync(0);
  }

  readonly #steps: Record<string, (step: Fields) => unknown> = {
    server: async ({ server }) => {
      for (const said of server as Fields[]) {
        this.#socket().say(this.#whole(said));
        await vi.advanceTimersByTimeAsync(0);
      }
    },
    serverRaw: ({ serverRaw }) => this.#socket().say(serverRaw),
    closes: ({ closes }) => {
      const [code, reason] = closes as [number, string];
      this.#seen = 0;
      this.#socket().drop(code, reason);
    },
    passes: ({ passes }) => vi.advanceTimersByTimeAsync(Number(passes)),
    random: ({ random }) => this.chance(Number(random)),
    sent: ({ sent }) => {
      const frames = this.#socket().sent;
      expect(frames.slice(this.#seen).map(plain)).toEqual(sent);
      this.#seen = frames.length;
    },
    told: ({ told }) => {
      expect(this.#told).toEqual(told);
      this.#told = [];
    },
    users: ({ users }) => expect(this.#rates()).toEqual(users),
    status: ({ status: expected, reason, retryMs }) => {
      const state = connectionOf(this.service);
      expect([state.status, reasonOf(state.reason)]).toEqual([expected, reason]);
      if (retryMs !== undefined) {
        const left = state.retryAtMs === null ? null : state.retryAtMs - performance.now();
        expect(left).toBe(retryMs);
      }
    },
    connections: ({ connections }) => expect(this.sockets).toHaveLength(Number(connections)),
    ignored: ({ ignored }) => expect(this.service.counters.ignored).toBe(ignored),
    waiting: ({ waiting, dropped }) =>
      expect(this.service.counters).toMatchObject({ waiting, dropped }),
    sends: ({ sends, at_once }) => {
      const [type, payload] = sends as [string, Fields];
      expect(this.service.send(type, payload)).toBe(at_once);
    },
    serverNow: ({ serverNow }) => expect(this.service.serverNow()).toBe(serverNow),
    simulated: ({ simulated }) => expect(connectionOf(this.service).simulated).toBe(simulated),
  };

  #socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) {
      throw new Error("nothing has connected");
    }
    return socket;
  }

  #whole({ like, ...said }: Fields): Fields {
    const messages: Record<string, Fields> = conversationVectors.messages;
    const whole: Record<string, unknown> = { ...messages[String(like ?? "")], ...said };
    if (whole.request === "*") {
      const asked = this.sockets.flatMap((socket) => socket.sent).filter((one) => "request" in one);
      whole.request = asked.at(-1)?.request;
    }
    return whole;
  }

  /** Who is watched, with the heart rate that is current. */
  #rates(): Record<string, unknown> {
    const { people } = this.service.getSnapshot();
    return Object.fromEntries(people.map((one) => [one.user, rateIn(healthData(one))]));
  }
}

function rateIn(health: Fields): unknown {
  return (health.heartRate as Fields | null | undefined)?.current ?? null;
}

/** A frame as the vectors write it: no number that is the client's own, no default. */
function plain({ client: _, ...frame }: Fields): Fields {
  return "request" in frame ? { ...frame, request: "*" } : frame;
}

/** A token function that gives these, and fails where there is none. */
function tokensOf(tokens: readonly (string | null)[]): () => Promise<string> {
  const left = [...tokens];
  return () => {
    const token = left.shift();
    return typeof token === "string" ? Promise.resolve(token) : Promise.reject(new Error("locked"));
  };
}

describe("conversations", () => {
  let sockets: FakeSocket[];
  beforeEach(() => {
    sockets = beginService();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each(casesOf(conversationVectors))("$name", async (one) => {
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    let random = 0.5;
    vi.spyOn(Math, "random").mockImplementation(() => random);
    const conversation = new Conversation(sockets, one, (number) => {
      random = number;
    });
    for (const [number, step] of (one.steps as Fields[]).entries()) {
      try {
        await conversation.step(step);
      } catch (error) {
        throw new Error(`step ${number}: ${JSON.stringify(step)}`, { cause: error });
      }
    }
    conversation.service.disconnect();
  });
});
