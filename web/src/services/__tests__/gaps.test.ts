// What the server accounts for: asked for where it is looked at, kept, and asked anew when it changes.
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Gap, GapsPage } from "@/protocol/messages";
import { GAPS_BOUND, Gaps, NO_LEDGER } from "../gaps";
import { RequestError } from "../requests";
import type { News } from "../session";
import { EPOCH, heartRate, SERVER_TIME, series, status, update, userSnapshot } from "./fake-server";

const T = SERVER_TIME;
const MINUTE = 60_000;
const RATE = { user: "u1", metric: "heart_rate" };
const HOUR = { fromMs: T - 60 * MINUTE, toMs: T };

let now: number;
let open: boolean;
let asked: Record<string, unknown>[];
let answer: (gaps: Gap[], extra?: Partial<GapsPage>) => Promise<void>;
let refuse: (code: string) => Promise<void>;
let gaps: Gaps;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  now = T + 30_000;
  open = true;
  asked = [];
  const waiting: { resolve: (page: unknown) => void; reject: (error: unknown) => void }[] = [];
  gaps = new Gaps({
    isOpen: () => open,
    ask: (method, params) => {
      expect(method).toBe("gaps");
      asked.push(params);
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    now: () => now,
  });
  answer = async (found, extra = {}) => {
    const page = { ...RATE, gaps: found, completeThroughMs: T, position: [EPOCH, 10], ...extra };
    waiting.shift()?.resolve(page);
    await vi.advanceTimersByTimeAsync(0);
  };
  refuse = async (code) => {
    waiting.shift()?.reject(new RequestError(code, "no"));
    await vi.advanceTimersByTimeAsync(0);
  };
  return () => vi.useRealTimers();
});

async function pass(ms: number) {
  now += ms;
  await vi.advanceTimersByTimeAsync(ms);
  gaps.run();
}

function gap(fromMs: number, toMs: number, extra: Partial<Gap> = {}): Gap {
  return { fromMs: T + fromMs, toMs: T + toMs, cause: "silent", evidence: "linkLost", ...extra };
}

function changed(fromMs: number, toMs: number, extra: object = {}): News {
  return {
    type: "HISTORY_CHANGED",
    user: "u1",
    metric: "heart_rate",
    data: heartRate(),
    fromMs: T + fromMs,
    toMs: T + toMs,
    count: 1,
    position: [EPOCH, 11],
    previous: [EPOCH, 10],
    serverTime: now,
    why: "backfilled",
    ...extra,
  } as News;
}

const NOT_WORN = gap(-30 * MINUTE, -20 * MINUTE, { cause: "notWorn", evidence: "contact" });

describe("asking", () => {
  test("once, for what is looked at and not known", async () => {
    gaps.look(RATE, HOUR);
    expect(asked).toEqual([{ ...RATE, ...HOUR, limit: 500 }]);
    await answer([NOT_WORN]);
    expect(gaps.of(RATE)).toEqual({ gaps: [NOT_WORN], known: [HOUR], completeThroughMs: T });
    await pass(MINUTE);
    gaps.look(RATE, { fromMs: T - 50 * MINUTE, toMs: T - MINUTE });
    expect(asked).toHaveLength(1);
    gaps.look(RATE, { fromMs: T - 90 * MINUTE, toMs: T - 50 * MINUTE });
    expect(asked[1]).toMatchObject({ fromMs: T - 90 * MINUTE, toMs: HOUR.fromMs });
  });

  test("page after page, each with the cursor of the one before", async () => {
    gaps.look(RATE, HOUR);
    await answer([gap(-40 * MINUTE, -39 * MINUTE)], { next: "p2" });
    expect(asked[1]).toMatchObject({ after: "p2" });
    await answer([NOT_WORN]);
    expect(gaps.of(RATE).gaps).toHaveLength(2);
  });

  test("not to its end where nobody looks any longer", async () => {
    const leave = gaps.look(RATE, HOUR);
    leave();
    await answer([gap(-40 * MINUTE, -39 * MINUTE)], { next: "p2" });
    expect(asked).toHaveLength(1);
    expect(gaps.of(RATE)).toBe(NO_LEDGER);
  });

  test("not without a session, and not again and again of a server that does not know", async () => {
    open = false;
    gaps.look(RATE, HOUR);
    expect(asked).toEqual([]);
    open = true;
    await pass(1_000);
    expect(asked).toHaveLength(1);
    await refuse("unknownMethod");
    await pass(5_000);
    gaps.news(changed(-10_000, -5_000));
    expect(asked).toHaveLength(1);
    // The next session may be another server's.
    gaps.subscribed(subscribed(true));
    expect(asked).toHaveLength(2);
  });

  test("the running end once in a while, and of it what is settled is known", async () => {
    gaps.look(RATE, { fromMs: T, toMs: T + 10 * MINUTE });
    expect(asked).toMatchObject([{ fromMs: T, toMs: now }]);
    await answer([]);
    expect(gaps.of(RATE).known).toEqual([{ fromMs: T, toMs: now - 5_000 }]);
    await pass(10_000);
    expect(asked).toHaveLength(1);
    await pass(30_000);
    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatchObject({ fromMs: T + 25_000, toMs: now });
  });
});

function subscribed(reset: boolean) {
  const snapshot = { u1: userSnapshot({ reset, position: [EPOCH, 12] }) };
  return { type: "SUBSCRIBED", request: "r", snapshot, serverTime: now } as const;
}

describe("news", () => {
  beforeEach(async () => {
    gaps.look(RATE, HOUR);
    await answer([NOT_WORN, gap(-10 * MINUTE, -5 * MINUTE)]);
    await pass(3_000);
    asked.length = 0;
  });

  test("of a backfill: what changed is asked anew, with all of the gaps that it touches", async () => {
    gaps.news(changed(-8 * MINUTE, -7 * MINUTE));
    expect(asked).toMatchObject([{ fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE }]);
    await answer([gap(-10 * MINUTE, -8 * MINUTE)], { position: [EPOCH, 11] });
    expect(gaps.of(RATE).gaps.at(-1)).toEqual(gap(-10 * MINUTE, -8 * MINUTE));
    expect(gaps.of(RATE).known).toEqual([HOUR]);
  });

  test("an answer that is older than the news does not stand for it", async () => {
    gaps.news(changed(-8 * MINUTE, -7 * MINUTE));
    await answer([], { position: [EPOCH, 10] });
    await pass(3_000);
    expect(asked).toHaveLength(2);
  });

  test("a hole that is filled is gone", async () => {
    gaps.news(changed(-10 * MINUTE, -5 * MINUTE));
    await answer([], { position: [EPOCH, 11] });
    expect(gaps.of(RATE).gaps).toEqual([NOT_WORN]);
  });

  test("a cause that became known: all since the spell began", async () => {
    const told = series([T - 9 * MINUTE], [0], { metric: "gap" });
    gaps.news(update(11, 10, { metric: "gap", data: { gap: null }, series: told }));
    expect(asked).toMatchObject([{ fromMs: T - 10 * MINUTE, toMs: T }]);
    await answer([gap(-10 * MINUTE, -5 * MINUTE, { cause: "radioLost", evidence: "heard" })], {
      position: [EPOCH, 11],
    });
    await pass(3_000);
    gaps.news(changed(-25 * MINUTE, -24 * MINUTE, { metric: "gap", data: { gap: null } }));
    expect(asked[1]).toMatchObject({ fromMs: T - 30 * MINUTE, toMs: T });
  });

  test("a reading that touches no gap asks nothing; one that closes one does", async () => {
    gaps.news(update(11, 10, { series: series([T - 2 * MINUTE], [70]) }));
    await pass(3_000);
    expect(asked).toEqual([]);
    gaps.news(update(12, 11, { series: series([T - 5 * MINUTE - 500], [70]) }));
    expect(asked).toHaveLength(1);
  });

  test("of the way here: what had no sure cause is asked anew, once", async () => {
    const news = { type: "SYNC_STATUS_UPDATE", user: "u1", serverTime: now, ...status() } as const;
    gaps.news(news);
    expect(asked).toMatchObject([{ fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE }]);
    await answer([gap(-10 * MINUTE, -5 * MINUTE)]);
    await pass(3_000);
    gaps.news(news);
    await pass(3_000);
    expect(asked).toHaveLength(1);
    gaps.news({ ...news, completeThroughMs: now });
    await pass(3_000);
    expect(asked).toHaveLength(2);
  });

  test("of another user, or another metric, nothing", async () => {
    gaps.news({ ...changed(-10 * MINUTE, -5 * MINUTE), user: "u2" } as News);
    gaps.news(changed(-10 * MINUTE, -5 * MINUTE, { metric: "steps" }));
    await pass(3_000);
    expect(asked).toEqual([]);
  });

  test("a snapshot that is a reset: all again, and until then what stood stands", async () => {
    gaps.subscribed(subscribed(true));
    expect(asked).toMatchObject([HOUR]);
    expect(gaps.of(RATE).gaps).toHaveLength(2);
  });

  test("a resume asks for what had no sure cause alone", async () => {
    gaps.subscribed(subscribed(false));
    expect(asked).toMatchObject([{ fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE }]);
  });

  test("who is no longer granted leaves nothing", () => {
    gaps.forget("u1");
    expect(gaps.of(RATE)).toBe(NO_LEDGER);
  });
});

test("what two answers have cut is one again, but not where its cause differs", async () => {
  gaps.look(RATE, { fromMs: T - 20 * MINUTE, toMs: T - 10 * MINUTE });
  await answer([gap(-15 * MINUTE, -10 * MINUTE, { lasts: true })]);
  gaps.look(RATE, { fromMs: T - 10 * MINUTE, toMs: T });
  await answer([gap(-10 * MINUTE, -8 * MINUTE), gap(-8 * MINUTE, -7 * MINUTE, { cause: "off" })]);
  expect(gaps.of(RATE).gaps).toEqual([
    gap(-15 * MINUTE, -8 * MINUTE, { lasts: false }),
    gap(-8 * MINUTE, -7 * MINUTE, { cause: "off" }),
  ]);
});

test("a silence that went on is asked for whole when a reading ends it", async () => {
  gaps.look(RATE, { fromMs: T, toMs: T + 10 * MINUTE });
  await answer([gap(0, 30_000, { lasts: true })]);
  await pass(20_000);
  gaps.news(update(11, 10, { series: series([now], [70]), serverTime: now }));
  await pass(1_000);
  await answer([gap(0, 50_000)], { position: [EPOCH, 11] });
  await pass(3_000);
  await answer([gap(0, 50_000)], { position: [EPOCH, 11] });
  expect(gaps.of(RATE).gaps).toEqual([gap(0, 50_000, { lasts: false })]);
});

test("bounded: what is not looked at gives way first", async () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, n) => gap(-50 * MINUTE + 2 * n, -50 * MINUTE + 2 * n + 1));
  const other = { ...RATE, metric: "speed" };
  const leave = gaps.look(other, HOUR);
  await answer(many(GAPS_BOUND - 10));
  leave();
  expect(gaps.size).toBe(GAPS_BOUND - 10);
  gaps.look(RATE, HOUR);
  await answer(many(20));
  expect(gaps.of(other)).toBe(NO_LEDGER);
  expect(gaps.size).toBe(20);
});
