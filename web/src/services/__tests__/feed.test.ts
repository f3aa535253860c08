import { beforeEach, describe, expect, test, vi } from "vitest";
import { Cause } from "../causes";
import { Feed, type FeedHost } from "../feed";
import { EPOCH, heartRate, SERVER_TIME, series, status, update, userSnapshot } from "./fake-server";

let host: { [Method in keyof FeedHost]: ReturnType<typeof vi.fn> };
let feed: Feed;

beforeEach(() => {
  host = {
    told: vi.fn(),
    changed: vi.fn(),
    left: vi.fn(),
    resubscribe: vi.fn(),
    thinned: vi.fn(() => false),
    added: vi.fn(),
    missing: vi.fn(),
  };
  feed = new Feed(host as unknown as FeedHost, 300_000);
  subscribed({ u1: userSnapshot() });
});

function subscribed(snapshot: Record<string, ReturnType<typeof userSnapshot>>) {
  feed.subscribed({ type: "SUBSCRIBED", request: "r", snapshot, serverTime: SERVER_TIME });
}

function historyChanged(fromMs: number, toMs: number, metric = "heart_rate") {
  feed.news({
    type: "HISTORY_CHANGED",
    user: "u1",
    metric,
    data: heartRate(),
    fromMs,
    toMs,
    count: 1,
    position: [EPOCH, 11],
    previous: [EPOCH, 10],
    serverTime: SERVER_TIME,
    why: "backfilled",
  });
}

describe("Feed", () => {
  test("a person who has not changed is the same object", () => {
    subscribed({ u1: userSnapshot(), u2: userSnapshot() });
    const [first, second] = feed.watched;
    feed.news(update(11, 10));
    expect(feed.watched[0]).not.toBe(first);
    expect(feed.watched[1]).toBe(second);
  });

  test("a reset is a line of which nothing is known", () => {
    expect(host.missing.mock.calls).toEqual([["u1", null, [EPOCH, 10]]]);
  });

  test("after a resume only what its changes do not bring is missing", () => {
    host.missing.mockClear();
    subscribed({ u1: userSnapshot({ reset: false, position: [EPOCH, 12] }) });
    feed.news(update(11, 10));
    expect(host.missing).not.toHaveBeenCalled();
  });

  test("a changed past is missing as of its position; another metric's is not", () => {
    host.missing.mockClear();
    historyChanged(SERVER_TIME - 60_000, SERVER_TIME - 50_000, "steps");
    expect(host.missing).not.toHaveBeenCalled();
    historyChanged(SERVER_TIME - 60_000, SERVER_TIME - 50_000);
    expect(host.missing).toHaveBeenCalledWith(
      "u1",
      expect.objectContaining({ fromMs: SERVER_TIME - 60_000, toMs: SERVER_TIME - 50_000 }),
      [EPOCH, 11],
    );
  });

  test("what was left out of a conflated update lies before it, or anywhere", () => {
    feed.news(update(11, 10));
    host.missing.mockClear();
    feed.news(update(15, 11, { conflated: 3 }));
    const between = { fromMs: SERVER_TIME + 1_001, toMs: SERVER_TIME + 5_000 };
    expect(host.missing.mock.calls).toEqual([["u1", between, [EPOCH, 15]]]);
    const late = { conflated: 1, series: series([SERVER_TIME - 9_000], [60]) };
    feed.news(update(16, 15, late));
    expect(host.missing).toHaveBeenLastCalledWith("u1", null, [EPOCH, 16]);
  });

  test("history of somebody who left is not kept", () => {
    feed.news({ type: "SUBSCRIPTION_CHANGED", added: [], removed: ["u1"] });
    feed.history(
      "u1",
      { fromMs: 0, toMs: SERVER_TIME * 2 },
      [series([SERVER_TIME], [70])],
      [EPOCH, 9],
    );
    subscribed({ u1: userSnapshot() });
    expect(feed.watched[0]?.line).toEqual([]);
  });

  test("who is no longer in the snapshot leaves with everything", () => {
    feed.news(update(11, 10));
    subscribed({ u2: userSnapshot() });
    expect(feed.watched.map((person) => person.user)).toEqual(["u2"]);
    expect(feed.since()).toEqual({ u2: [EPOCH, 10] });
    expect(host.left).toHaveBeenCalledWith("u1");
  });

  test("a status opens and closes a spell", () => {
    const told = status();
    const tell = (state: "connected" | "searching", atMs: number) =>
      feed.news({
        ...told,
        hops: {
          ...told.hops,
          devices: [{ device: "d1", name: "", state, sinceMs: SERVER_TIME + atMs }],
        },
        type: "SYNC_STATUS_UPDATE",
        user: "u1",
        serverTime: SERVER_TIME + atMs,
      });
    tell("searching", 1_000);
    tell("connected", 9_000);
    expect(feed.watched[0]?.spells).toEqual([
      { cause: Cause.OUT_OF_RANGE, fromMs: SERVER_TIME + 1_000, toMs: SERVER_TIME + 9_000 },
    ]);
  });

  test("news of a stranger changes nothing", () => {
    host.told.mockClear();
    feed.news(update(11, 10, { user: "stranger" }));
    expect(host.told).not.toHaveBeenCalled();
    expect(host.resubscribe).not.toHaveBeenCalled();
  });
});
