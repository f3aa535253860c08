import { beforeEach, describe, expect, test, vi } from "vitest";
import { WebSocketEventType } from "../websocket-service";
import {
  EPOCH,
  type FakeSocket,
  heartRate,
  historyPage,
  latestSocket,
  SERVER_TIME,
  update,
  userSnapshot,
} from "./fake-server";
import { service, serviceForEachTest } from "./service-setup";

serviceForEachTest();

describe("missing changes", () => {
  test("a repeat is dropped, a gap is asked for from where it began", () => {
    const heard = vi.fn();
    service.connect();
    const socket = latestSocket();
    socket.open();
    service.addEventListener(WebSocketEventType.HEALTH_DATA_UPDATE, heard);
    socket.say(update(12, 10));
    socket.say(update(12, 10));
    expect(heard).toHaveBeenCalledTimes(1);
    socket.say(update(15, 14));
    socket.say(update(16, 15));
    expect(heard).toHaveBeenCalledTimes(1);
    expect(socket.got("SUBSCRIBE")).toHaveLength(2);
    expect(socket.got("SUBSCRIBE")[1]?.since).toEqual({ u1: [EPOCH, 12] });
    const { state: _state, ...rest } = userSnapshot({ reset: false, position: [EPOCH, 16] });
    socket.subscribe({ u1: rest });
    heard.mockClear();
    socket.say(update(14, 12));
    socket.say(update(15, 14));
    socket.say(update(16, 15));
    expect(heard).toHaveBeenCalledTimes(3);
  });

  test("a grant that comes while a subscription is on its way is asked for after it", () => {
    service.connect();
    const socket = latestSocket();
    socket.authenticate();
    socket.say({ type: "SUBSCRIPTION_CHANGED", added: ["u2"], removed: [] });
    expect(socket.got("SUBSCRIBE")).toHaveLength(1);
    socket.subscribe();
    expect(socket.got("SUBSCRIBE")).toHaveLength(2);
    socket.subscribe({ u1: userSnapshot({ reset: false }), u2: userSnapshot({ name: "Tomás" }) });
    expect(service.getSnapshot().people.map((person) => person.user)).toEqual(["u1", "u2"]);
    expect(socket.got("SUBSCRIBE")).toHaveLength(2);
  });

  test("a conflated jump is no gap", () => {
    service.connect();
    latestSocket().open();
    latestSocket().say(update(20, 19, { conflated: 8 }));
    expect(latestSocket().got("SUBSCRIBE")).toHaveLength(1);
  });

  test("a reset replaces the state", () => {
    service.connect();
    latestSocket().open();
    latestSocket().drop(1006);
    service.reconnect();
    latestSocket().authenticate();
    latestSocket().subscribe({
      u1: userSnapshot({
        position: ["e2", 1],
        state: { heart_rate: heartRate({ current: 99 }) },
      }),
    });
    expect(service.getSnapshot().people[0]?.metrics.heart_rate).toMatchObject({ current: 99 });
    latestSocket().say(update(2, 1, { position: ["e2", 2], previous: ["e2", 1] }));
    expect(service.getSnapshot().people[0]?.metrics.heart_rate).toMatchObject({ current: 62 });
  });

  test("what cannot be followed up is asked for whole, not for ever", () => {
    service.connect();
    const socket = latestSocket();
    socket.open();
    socket.say(update(15, 14));
    socket.subscribe({ u1: userSnapshot({ reset: false }) });
    socket.say(update(15, 14));
    expect(socket.got("SUBSCRIBE")).toHaveLength(3);
    expect(socket.got("SUBSCRIBE")[2]).not.toHaveProperty("since");
  });
});

describe("the line", () => {
  beforeEach(() => {
    service.configure({ lineMs: 300_000 });
  });

  async function answerHistory(socket: FakeSocket, page: unknown) {
    const request = socket.got("REQUEST").at(-1)?.request;
    socket.say({ type: "RESULT", request, result: page });
    await vi.advanceTimersByTimeAsync(0);
  }

  function line() {
    return service.getSnapshot().people[0]?.line.map((point) => [point.atMs, point.value]);
  }

  test("is fetched on subscribing, and goes on with what comes", async () => {
    service.connect();
    const socket = latestSocket();
    socket.open();
    expect(socket.got("REQUEST")[0]).toMatchObject({
      method: "history",
      params: {
        user: "u1",
        metric: "heart_rate",
        resolution: "raw",
        fromMs: SERVER_TIME - 300_000,
      },
    });
    socket.say(update(11, 10));
    await answerHistory(socket, historyPage([SERVER_TIME - 2_000, SERVER_TIME - 1_000], [64, 65]));
    expect(line()).toEqual([
      [SERVER_TIME - 2_000, 64],
      [SERVER_TIME - 1_000, 65],
      [SERVER_TIME + 1_000, 71],
    ]);
  });

  test("what is filled in on the screen is fetched again", async () => {
    service.connect();
    const socket = latestSocket();
    socket.open();
    await answerHistory(socket, historyPage([SERVER_TIME - 1_000], [65]));
    socket.say({
      type: "HISTORY_CHANGED",
      user: "u1",
      metric: "heart_rate",
      data: heartRate(),
      fromMs: SERVER_TIME - 60_000,
      toMs: SERVER_TIME - 50_000,
      count: 10,
      position: [EPOCH, 11],
      previous: [EPOCH, 10],
      serverTime: SERVER_TIME,
      why: "backfilled",
    });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(socket.got("REQUEST")).toHaveLength(2);
    expect(socket.got("REQUEST")[1]).toMatchObject({
      params: { fromMs: SERVER_TIME - 60_000, toMs: SERVER_TIME - 50_000 },
    });
    await answerHistory(socket, historyPage([SERVER_TIME - 55_000], [80], 11));
    expect(line()).toEqual([
      [SERVER_TIME - 55_000, 80],
      [SERVER_TIME - 1_000, 65],
    ]);
  });

  test("the server's absence is remembered as the cause", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    service.connect();
    latestSocket().open();
    latestSocket().drop(1006);
    expect(service.getSnapshot().people[0]?.spells).toEqual([
      { cause: "serverAway", fromMs: SERVER_TIME, toMs: null },
    ]);
  });
});
