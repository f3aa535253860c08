// The line after a break: what the changes did not bring is fetched, and each reading stands once.
import { beforeEach, describe, expect, test, vi } from "vitest";
import { ConnectionStatus } from "../websocket-service";
import {
  EPOCH,
  heartRate,
  historyPage,
  latestSocket,
  SERVER_TIME,
  update,
  userSnapshot,
} from "./fake-server";
import { connectionOf, service, serviceForEachTest, sockets } from "./service-setup";

const T = SERVER_TIME;

serviceForEachTest();

beforeEach(async () => {
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  service.configure({ lineMs: 300_000 });
  service.connect();
  latestSocket().open();
  await answer(historyPage([T - 2_000, T - 1_000], [64, 65]));
  latestSocket().say(update(11, 10));
});

async function answer(page: unknown) {
  const request = latestSocket().got("REQUEST").at(-1)?.request;
  latestSocket().say({ type: "RESULT", request, result: page });
  await vi.advanceTimersByTimeAsync(0);
}

function requests() {
  return latestSocket().got("REQUEST");
}

function times() {
  return service.getSnapshot().people[0]?.line.map((point) => point.atMs - T);
}

function resumed(n: number) {
  const { state: _state, ...rest } = userSnapshot({ reset: false, position: [EPOCH, n] });
  return { u1: rest };
}

async function cutAndReconnect() {
  latestSocket().drop(1006);
  await vi.advanceTimersByTimeAsync(250);
  latestSocket().authenticate();
}

describe("after a reconnect", () => {
  test("what the changes bring is not fetched", async () => {
    await cutAndReconnect();
    expect(latestSocket().got("SUBSCRIBE")[0]?.since).toEqual({ u1: [EPOCH, 11] });
    latestSocket().subscribe(resumed(13));
    latestSocket().say(update(12, 11));
    latestSocket().say(update(13, 12));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(requests()).toEqual([]);
    expect(times()).toEqual([-2_000, -1_000, 1_000, 2_000, 3_000]);
  });

  test("a reset fetches the whole line once, and nothing stands twice", async () => {
    await cutAndReconnect();
    latestSocket().subscribe({ u1: userSnapshot({ position: [EPOCH, 15] }) });
    latestSocket().say(update(16, 15));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(requests()).toHaveLength(1);
    await answer({
      ...historyPage([T + 1_000, T + 2_000, T + 3_000, T + 6_000], [71, 72, 73, 76], 16),
    });
    expect(times()).toEqual([1_000, 2_000, 3_000, 6_000]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(requests()).toHaveLength(1);
  });

  test("a stretch that was on its way when the line broke is asked for again", async () => {
    latestSocket().say(skipped(12));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(requests()).toHaveLength(2);
    await cutAndReconnect();
    latestSocket().subscribe(resumed(12));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(requests()).toHaveLength(1);
    expect(requests()[0]).toMatchObject({ params: { fromMs: T - 60_000, toMs: T - 50_000 } });
  });
});

function skipped(n: number) {
  return {
    type: "HISTORY_CHANGED",
    user: "u1",
    metric: "heart_rate",
    data: heartRate(),
    fromMs: T - 60_000,
    toMs: T - 50_000,
    count: 10,
    position: [EPOCH, n],
    previous: [EPOCH, n - 1],
    serverTime: T,
    why: "skipped",
  };
}

test("a slow viewer fetches what was left out, between what it has and what came", async () => {
  latestSocket().say(update(15, 11, { conflated: 3 }));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(requests().at(-1)).toMatchObject({ params: { fromMs: T + 1_001, toMs: T + 5_000 } });
  await answer(historyPage([T + 2_000, T + 3_000, T + 4_000], [72, 73, 74], 15));
  expect(times()).toEqual([-2_000, -1_000, 1_000, 2_000, 3_000, 4_000, 5_000]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(requests()).toHaveLength(2);
});

describe("a page that wakes", () => {
  function wake(type = "visibilitychange") {
    document.dispatchEvent(new Event(type));
  }

  test("soon after the last word does nothing", () => {
    vi.advanceTimersByTime(2_000);
    wake();
    expect(latestSocket().got("SUBSCRIBE")).toHaveLength(1);
  });

  test("in doubt asks at once, from where it stands, and goes on when it is answered", async () => {
    vi.advanceTimersByTime(10_000);
    wake("resume");
    expect(latestSocket().got("SUBSCRIBE")[1]?.since).toEqual({ u1: [EPOCH, 11] });
    latestSocket().subscribe(resumed(11));
    vi.advanceTimersByTime(6_000);
    expect(sockets).toHaveLength(1);
    expect(connectionOf(service).status).toBe(ConnectionStatus.CONNECTED);
  });

  test("without an answer connects anew, long before the heartbeats are missed", () => {
    vi.advanceTimersByTime(10_000);
    wake();
    vi.advanceTimersByTime(5_250);
    expect(sockets).toHaveLength(2);
  });

  test("two and a half heartbeats after the last word connects anew at once", () => {
    // Frozen: the clock has gone on, and no timer has fired.
    vi.setSystemTime(Date.now());
    const before = performance.now();
    vi.spyOn(performance, "now").mockReturnValue(before + 120_000);
    wake();
    expect(sockets).toHaveLength(2);
    latestSocket().authenticate();
    expect(latestSocket().got("SUBSCRIBE")[0]?.since).toEqual({ u1: [EPOCH, 11] });
  });

  test("its own late timer is no silence: what waits in the browser is heard first", () => {
    const clock = vi.spyOn(performance, "now");
    const before = performance.now();
    clock.mockReturnValue(before + 60_000);
    vi.advanceTimersByTime(37_500);
    expect(sockets).toHaveLength(1);
    latestSocket().say(update(12, 11));
    vi.advanceTimersByTime(2_100);
    expect(sockets).toHaveLength(1);
  });

  test("on another network asks whether its connection still stands", () => {
    vi.advanceTimersByTime(1_000);
    window.dispatchEvent(new Event("online"));
    expect(latestSocket().got("SUBSCRIBE")).toHaveLength(2);
  });

  test("from the browser's cache of pages resumes", async () => {
    window.dispatchEvent(new Event("pagehide"));
    window.dispatchEvent(new Event("pageshow"));
    expect(sockets).toHaveLength(2);
    latestSocket().authenticate();
    latestSocket().subscribe(resumed(12));
    latestSocket().say(update(12, 11));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(requests()).toEqual([]);
    expect(times()).toEqual([-2_000, -1_000, 1_000, 2_000]);
  });
});
