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
    added: vi.fn(),
    wantHistory: vi.fn(),
    stretch: vi.fn(() => ({ fromMs: SERVER_TIME - 300_000, toMs: SERVER_TIME })),
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

  test("only history that is on the screen is fetched again", () => {
    host.wantHistory.mockClear();
    historyChanged(SERVER_TIME - 3_600_000, SERVER_TIME - 3_500_000);
    expect(host.wantHistory).not.toHaveBeenCalled();
    expect(host.told).toHaveBeenCalledTimes(2);
  });

  test("the past of the line's own metric is", () => {
    host.wantHistory.mockClear();
    historyChanged(SERVER_TIME - 3_600_000, SERVER_TIME - 299_000);
    expect(host.wantHistory).toHaveBeenCalledWith("u1");
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
