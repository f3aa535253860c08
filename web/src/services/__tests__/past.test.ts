import { beforeEach, describe, expect, test, vi } from "vitest";
import type { HistoryPage, Stretches } from "@/protocol/messages";
import type { Question } from "../history";
import { PAST_BOUND, Past } from "../past";
import { EPOCH, heartRate, SERVER_TIME, series, update, userSnapshot } from "./fake-server";

const MINUTE = 60_000;
/** A whole minute. */
const T = Math.floor(SERVER_TIME / MINUTE) * MINUTE;
const MINUTES: Question = { user: "u1", metric: "heart_rate", resolution: "minute" };

let now: number | null;
let open: boolean;
let asked: Record<string, unknown>[];
let answer: (page: HistoryPage) => Promise<void>;
let past: Past;

beforeEach(() => {
  vi.useFakeTimers();
  now = T + 30_000;
  open = true;
  asked = [];
  const waiting: ((page: HistoryPage) => void)[] = [];
  past = new Past({
    isOpen: () => open,
    ask: (_method, params) => {
      asked.push(params);
      return new Promise((resolve) => waiting.push(resolve));
    },
    now: () => now,
  });
  answer = async (page) => {
    waiting.shift()?.(page);
    await vi.advanceTimersByTimeAsync(0);
  };
  return () => vi.useRealTimers();
});

async function pass(ms: number) {
  now = (now ?? 0) + ms;
  await vi.advanceTimersByTimeAsync(ms);
  past.run();
}

function page(atMs: number[], average: number[], n = 10): HistoryPage {
  const stretches: Stretches = {
    atMs: atMs.map((at, index) => at - (index === 0 ? 0 : (atMs[index - 1] ?? 0))),
    count: atMs.map(() => 60),
    average,
    min: average.map((value) => value - 5),
    max: average.map((value) => value + 5),
  };
  const { user, metric, resolution } = MINUTES;
  return { user, metric, resolution, series: [], stretches: [stretches], position: [EPOCH, n] };
}

function changed(fromMs: number, toMs: number, n = 11) {
  past.news({
    type: "HISTORY_CHANGED",
    user: "u1",
    metric: "heart_rate",
    data: heartRate(),
    fromMs,
    toMs,
    count: 1,
    position: [EPOCH, n],
    previous: [EPOCH, n - 1],
    serverTime: SERVER_TIME,
    why: "backfilled",
  });
}

describe("what is looked at", () => {
  test("is asked for in whole stretches, and known when it came", async () => {
    past.look(MINUTES, { fromMs: T - 10 * MINUTE + 1, toMs: T - 5 * MINUTE });
    expect(asked).toMatchObject([
      { resolution: "minute", fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE },
    ]);
    await answer(page([T - 10 * MINUTE, T - 8 * MINUTE], [70, 80]));
    expect(past.of(MINUTES)).toMatchObject({
      buckets: [
        { atMs: T - 10 * MINUTE, average: 70, min: 65, max: 75, count: 60 },
        { atMs: T - 8 * MINUTE, average: 80 },
      ],
      known: [{ fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE }],
    });
    expect(past.of(MINUTES)).toBe(past.of(MINUTES));
  });

  test("further back only what is not known yet is asked for", async () => {
    const unlook = past.look(MINUTES, { fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE });
    await answer(page([T - 10 * MINUTE], [70]));
    unlook();
    past.look(MINUTES, { fromMs: T - 20 * MINUTE, toMs: T - 8 * MINUTE });
    expect(asked[1]).toMatchObject({ fromMs: T - 20 * MINUTE, toMs: T - 10 * MINUTE });
    await answer(page([T - 15 * MINUTE], [60]));
    expect(past.of(MINUTES).buckets.map(({ average }) => average)).toEqual([60, 70]);
    past.look(MINUTES, { fromMs: T - 18 * MINUTE, toMs: T - 6 * MINUTE });
    expect(asked).toHaveLength(2);
  });

  test("what is no longer looked at is not asked for", async () => {
    past.look(MINUTES, { fromMs: T - 10 * MINUTE, toMs: T })();
    await pass(1_000);
    expect(asked).toHaveLength(1);
    await pass(120_000);
    expect(asked).toHaveLength(1);
  });

  test("without a session nothing is asked, and all of it with the next one", async () => {
    open = false;
    past.look(MINUTES, { fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE });
    await pass(60_000);
    expect(asked).toEqual([]);
    open = true;
    past.run();
    expect(asked).toHaveLength(1);
  });

  test("before the server has said its time nothing is asked", () => {
    now = null;
    past.look(MINUTES, { fromMs: T - 10 * MINUTE, toMs: T });
    expect(asked).toEqual([]);
  });
});

describe("the running end", () => {
  test("is asked for again once a minute has gone, and only from there", async () => {
    past.look(MINUTES, { fromMs: T - 10 * MINUTE, toMs: T + 5 * MINUTE });
    expect(asked[0]).toMatchObject({ fromMs: T - 10 * MINUTE, toMs: T + 5 * MINUTE });
    await answer(page([T - MINUTE, T], [70, 71]));
    expect(past.of(MINUTES).known).toEqual([{ fromMs: T - 10 * MINUTE, toMs: T }]);
    await pass(20_000);
    expect(asked).toHaveLength(1);
    await pass(20_000);
    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatchObject({ fromMs: T, toMs: T + 5 * MINUTE });
    await answer(page([T, T + MINUTE], [72, 73]));
    expect(past.of(MINUTES).buckets.map(({ average }) => average)).toEqual([70, 72, 73]);
  });
});

describe("days", () => {
  const DAYS: Question = { ...MINUTES, resolution: "day" };
  const DAY = 1_440 * MINUTE;
  const D = Math.floor(SERVER_TIME / DAY) * DAY;

  test("that run are asked for once a minute, with live readings every second too", async () => {
    now = D + 3 * 60 * MINUTE;
    past.look(DAYS, { fromMs: D - 6 * DAY, toMs: D + DAY });
    expect(asked).toMatchObject([{ fromMs: D - 7 * DAY, toMs: D + DAY }]);
    await answer({ ...page([D - DAY, D], [70, 71]), resolution: "day" });
    for (let second = 0; second < 59; second += 1) {
      past.news(update(11 + second, 10 + second, { series: series([now], [90]) }));
      await pass(1_000);
    }
    expect(asked).toHaveLength(1);
    await pass(1_000);
    expect(asked).toHaveLength(2);
    // The person's day may have begun before that of UTC.
    expect(asked[1]).toMatchObject({ fromMs: D - DAY, toMs: D + DAY });
  });
});

describe("a past that changes", () => {
  test("is fetched again where it is looked at", async () => {
    past.look(MINUTES, { fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE });
    await answer(page([T - 10 * MINUTE], [70]));
    changed(T - 9 * MINUTE + 5, T - 9 * MINUTE + 10);
    // What was there stands until the answer comes.
    expect(past.of(MINUTES).known).toEqual([{ fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE }]);
    await pass(1_000);
    expect(asked[1]).toMatchObject({ fromMs: T - 9 * MINUTE, toMs: T - 8 * MINUTE });
    await answer(page([T - 9 * MINUTE], [90], 11));
    expect(past.of(MINUTES).buckets.map(({ average }) => average)).toEqual([70, 90]);
    expect(past.of(MINUTES).known).toEqual([{ fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE }]);
    await pass(5_000);
    expect(asked).toHaveLength(2);
  });

  test("an answer of before the change is not the last word", async () => {
    past.look(MINUTES, { fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE });
    changed(T - 9 * MINUTE, T - 8 * MINUTE, 12);
    await answer(page([T - 10 * MINUTE], [70], 11));
    await pass(1_000);
    expect(asked[1]).toMatchObject({ fromMs: T - 9 * MINUTE, toMs: T - 8 * MINUTE });
  });

  test("is not known where nobody looks at it", async () => {
    past.look(MINUTES, { fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE })();
    const unlook = past.look(MINUTES, { fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE });
    await answer(page([T - 10 * MINUTE], [70]));
    unlook();
    changed(T - 9 * MINUTE, T - 8 * MINUTE);
    await pass(2_000);
    expect(asked).toHaveLength(1);
    past.look(MINUTES, { fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE });
    expect(asked[1]).toMatchObject({ fromMs: T - 9 * MINUTE, toMs: T - 8 * MINUTE });
  });

  test("that only tells of the present fetches nothing", async () => {
    past.look(MINUTES, { fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE });
    await answer(page([T - 10 * MINUTE], [70]));
    changed(T - 9 * MINUTE + 5, T - 9 * MINUTE + 5);
    await pass(2_000);
    expect(asked).toHaveLength(1);
  });

  test("of another metric, or elsewhere, changes nothing", async () => {
    past.look(MINUTES, { fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE });
    await answer(page([T - 10 * MINUTE], [70]));
    changed(T - 30 * MINUTE, T - 20 * MINUTE);
    past.news(update(11, 10));
    await pass(5_000);
    expect(asked).toHaveLength(1);
  });

  test("a reading that came late counts as well", async () => {
    past.look(MINUTES, { fromMs: T - 10 * MINUTE, toMs: T - 2 * MINUTE });
    await answer(page([T - 10 * MINUTE], [70]));
    past.news(update(11, 10, { series: series([T - 3 * MINUTE], [99]) }));
    await pass(2_000);
    expect(asked[1]).toMatchObject({ fromMs: T - 3 * MINUTE, toMs: T - 2 * MINUTE });
  });

  test("a reset may be another past altogether", async () => {
    past.look(MINUTES, { fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE });
    await answer(page([T - 10 * MINUTE], [70]));
    const told = { type: "SUBSCRIBED", request: "r", serverTime: SERVER_TIME } as const;
    past.subscribed({ ...told, snapshot: { u1: userSnapshot({ reset: false }) } });
    expect(asked).toHaveLength(1);
    past.subscribed({ ...told, snapshot: { u1: userSnapshot() } });
    expect(asked).toHaveLength(2);
  });

  test("who left leaves nothing", async () => {
    const heard = vi.fn();
    past.look(MINUTES, { fromMs: T - 10 * MINUTE, toMs: T - 5 * MINUTE });
    await answer(page([T - 10 * MINUTE], [70]));
    past.subscribe(heard);
    past.forget("u1");
    expect(past.size).toBe(0);
    expect(heard).toHaveBeenCalled();
  });
});

describe("while it is looked at and moved on", () => {
  const LENGTH = 10_000 * MINUTE;
  const sheet = (back: number) => ({ fromMs: T - (back + 1) * LENGTH, toMs: T - back * LENGTH });

  /** Ten thousand minutes each, further and further back, never looking away. */
  async function back(first: number, last: number) {
    let unlook = () => {};
    for (let index = first; index <= last; index += 1) {
      const next = past.look(MINUTES, sheet(index));
      unlook();
      unlook = next;
      const { fromMs } = sheet(index);
      const times = Array.from({ length: 10_000 }, (_, minute) => fromMs + minute * MINUTE);
      await answer(page(times, times));
    }
    return unlook;
  }

  test("what is kept is bounded, and near the view nothing is lost", async () => {
    const unlook = await back(1, 4);
    expect(past.size).toBe(40_000);
    const leave = await back(5, 5);
    unlook();
    leave();
    await back(6, 11);
    expect(past.size).toBeLessThanOrEqual(PAST_BOUND);
    const { buckets, known } = past.of(MINUTES);
    const kept = { fromMs: sheet(11).fromMs, toMs: known[0]?.toMs ?? 0 };
    expect(known).toEqual([kept]);
    expect(kept.toMs).toBeGreaterThanOrEqual(sheet(10).toMs);
    expect(buckets).toHaveLength((kept.toMs - kept.fromMs) / MINUTE);
    expect(buckets.every((one, index) => one.atMs === kept.fromMs + index * MINUTE)).toBe(true);
  });

  test("what was dropped is fetched again where it is looked at again", async () => {
    await back(1, 12);
    const before = asked.length;
    past.look(MINUTES, sheet(5));
    expect(asked.slice(before)).toMatchObject([sheet(5)]);
  });

  test("a view that is more than the bound by itself is kept whole", async () => {
    const many = Array.from({ length: 30_000 }, (_, index) => T - LENGTH + index * 1_000);
    for (const user of ["a", "b"]) {
      past.look({ ...MINUTES, user }, sheet(0));
      await answer(page(many, many));
    }
    expect(past.of({ ...MINUTES, user: "a" }).buckets).toHaveLength(30_000);
  });
});

test("what is kept is bounded: what was not looked at for longest goes first", async () => {
  const days = (back: number) => ({
    fromMs: T - back * 1_440 * MINUTE,
    toMs: T - (back - 1) * 1_440 * MINUTE,
  });
  const many = (fromMs: number) => Array.from({ length: 15_000 }, (_, index) => fromMs + index);
  for (const [index, user] of ["a", "b", "c", "d"].entries()) {
    const unlook = past.look({ ...MINUTES, user }, days(index + 2));
    const times = many(days(index + 2).fromMs);
    await answer(page(times, times));
    if (user !== "d") {
      unlook();
    }
  }
  expect(past.size).toBe(30_000);
  expect(past.of({ ...MINUTES, user: "a" }).buckets).toEqual([]);
  expect(past.of({ ...MINUTES, user: "d" }).buckets).toHaveLength(15_000);
});
