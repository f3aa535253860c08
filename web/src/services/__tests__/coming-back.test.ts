import { beforeEach, describe, expect, test, vi } from "vitest";
import { Reason } from "../close-codes";
import { ConnectionStatus, WebSocketEventType } from "../websocket-service";
import { EPOCH, FakeSocket, hello, latestSocket, SERVER_TIME, update } from "./fake-server";
import { connectionOf, service, serviceForEachTest, sockets } from "./service-setup";

serviceForEachTest();

describe("coming back", () => {
  beforeEach(() => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
  });

  test("one event tells of a loss, with its reason and its next try", () => {
    const heard = vi.fn();
    service.connect();
    latestSocket().open();
    service.addEventListener(WebSocketEventType.CONNECTION_STATUS_UPDATE, heard);
    latestSocket().drop(1006);
    expect(heard.mock.calls.map(([state]) => state)).toEqual([
      {
        status: ConnectionStatus.RECONNECTING,
        reason: Reason.SERVER_AWAY,
        lostAtMs: SERVER_TIME,
        retryAtMs: performance.now() + 250,
        simulated: false,
        mayMark: false,
      },
    ]);
  });

  test("the first retry is jittered, the ceiling doubles, and only a subscription resets it", () => {
    service.connect();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 9; attempt += 1) {
      if (attempt === 5) {
        latestSocket().authenticate();
      }
      latestSocket().drop(1006);
      const before = performance.now();
      const count = sockets.length;
      while (sockets.length === count) {
        vi.advanceTimersByTime(10);
      }
      waits.push(performance.now() - before);
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    latestSocket().open();
    latestSocket().drop(1006);
    const { retryAtMs } = connectionOf(service);
    expect((retryAtMs ?? 0) - performance.now()).toBe(250);
  });

  test("resumes from the last position of each user", () => {
    service.connect();
    latestSocket().open();
    latestSocket().say(update(11, 10));
    latestSocket().say(update(14, 11));
    latestSocket().drop(1006);
    vi.advanceTimersByTime(250);
    latestSocket().authenticate();
    expect(latestSocket().got("SUBSCRIBE")[0]?.since).toEqual({ u1: [EPOCH, 14] });
  });

  test("two and a half heartbeats without a word, and it connects anew", () => {
    service.connect();
    latestSocket().open();
    vi.advanceTimersByTime(37_000);
    latestSocket().say({ type: "HEARTBEAT", serverTime: SERVER_TIME + 37_000 });
    vi.advanceTimersByTime(37_400);
    expect(sockets).toHaveLength(1);
    vi.advanceTimersByTime(100);
    expect(connectionOf(service).status).toBe(ConnectionStatus.RECONNECTING);
    vi.advanceTimersByTime(250);
    expect(sockets).toHaveLength(2);
  });

  test("lost since the server's last word, by the server's clock", () => {
    service.connect();
    latestSocket().open();
    vi.advanceTimersByTime(10_000);
    latestSocket().drop(1006);
    expect(connectionOf(service)).toMatchObject({
      reason: Reason.SERVER_AWAY,
      lostAtMs: SERVER_TIME,
    });
  });

  test("GOING_AWAY gives the moment", () => {
    service.connect();
    latestSocket().open();
    latestSocket().say({ type: "GOING_AWAY", reconnectAfterMs: 7_000 });
    vi.advanceTimersByTime(1_000);
    latestSocket().drop(1012);
    vi.advanceTimersByTime(5_990);
    expect(sockets).toHaveLength(1);
    vi.advanceTimersByTime(10);
    expect(sockets).toHaveLength(2);
  });

  test("1012 without a moment comes back within the spread", () => {
    service.connect();
    latestSocket().open();
    latestSocket().drop(1012);
    vi.advanceTimersByTime(1_990);
    expect(sockets).toHaveLength(1);
    vi.advanceTimersByTime(20);
    expect(sockets).toHaveLength(2);
  });

  test("1013 waits as long as it asks, and then backs off", () => {
    service.connect();
    latestSocket().open();
    latestSocket().drop(1013, "too much came while subscribing; retry after 10000 ms");
    vi.advanceTimersByTime(10_240);
    expect(sockets).toHaveLength(1);
    vi.advanceTimersByTime(20);
    expect(sockets).toHaveLength(2);
  });

  test.each([
    [4400, Reason.BUG],
    [4403, Reason.LINK_REVOKED],
    [4426, Reason.UPGRADE_PAGE],
  ])("%i stops and says so", (code, reason) => {
    service.connect();
    latestSocket().open();
    latestSocket().drop(code);
    vi.advanceTimersByTime(3_600_000);
    expect(sockets).toHaveLength(1);
    expect(connectionOf(service)).toMatchObject({ status: ConnectionStatus.STOPPED, reason });
  });

  test("a revoked link leaves nothing on the screen and nothing in the tab", () => {
    service.connect();
    latestSocket().open();
    latestSocket().drop(4403);
    expect(service.getSnapshot().people).toEqual([]);
    expect(sessionStorage.getItem("strapline.token")).toBeNull();
  });

  test("trying now does not wait, and autoReconnect: false does not try", () => {
    service.connect();
    latestSocket().drop(1006);
    service.reconnect();
    expect(sockets).toHaveLength(2);
    service.configure({ autoReconnect: false });
    latestSocket().drop(1006);
    vi.advanceTimersByTime(3_600_000);
    expect(sockets).toHaveLength(2);
    expect(connectionOf(service).status).toBe(ConnectionStatus.DISCONNECTED);
  });

  test("disconnecting ends it for good", () => {
    service.connect();
    latestSocket().open();
    service.disconnect();
    expect(latestSocket().readyState).toBe(FakeSocket.CLOSED);
    vi.advanceTimersByTime(3_600_000);
    expect(sockets).toHaveLength(1);
    expect(connectionOf(service).status).toBe(ConnectionStatus.DISCONNECTED);
  });
});

describe("the page's life", () => {
  beforeEach(() => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
  });

  test("without a network it says offline, and comes back with it", () => {
    const onLine = vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    service.configure({ url: "wss://strapline.example/ws" });
    service.connect();
    latestSocket().drop(1006);
    expect(connectionOf(service)).toMatchObject({
      status: ConnectionStatus.OFFLINE,
      reason: Reason.NO_NETWORK,
    });
    onLine.mockReturnValue(true);
    window.dispatchEvent(new Event("online"));
    vi.advanceTimersByTime(250);
    expect(sockets).toHaveLength(2);
  });

  test("a server on this machine is no matter of the network", () => {
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    service.configure({ url: "ws://127.0.0.1:8420/ws" });
    service.connect();
    latestSocket().drop(1006);
    expect(connectionOf(service)).toMatchObject({ reason: Reason.SERVER_AWAY });
  });

  test("a page that is looked at again does not wait out its backoff", () => {
    service.connect();
    latestSocket().drop(1006);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(sockets).toHaveLength(2);
  });

  test("leaving closes the socket, coming back opens another", () => {
    service.connect();
    latestSocket().open();
    window.dispatchEvent(new Event("pagehide"));
    expect(latestSocket().readyState).toBe(FakeSocket.CLOSED);
    window.dispatchEvent(new Event("pageshow"));
    expect(sockets).toHaveLength(2);
  });

  test("after sleep it connects anew, and what was fresh is old", () => {
    service.connect();
    latestSocket().open();
    vi.advanceTimersByTime(1_000);
    const before = service.serverNow() ?? 0;
    // The wall clock went on for eight hours, the monotonic one did not.
    vi.setSystemTime(Date.now() + 8 * 3_600_000);
    vi.advanceTimersByTime(1_000);
    expect(sockets).toHaveLength(2);
    expect((service.serverNow() ?? 0) - before).toBeGreaterThan(8 * 3_600_000);
    latestSocket().say(hello({ serverTime: SERVER_TIME + 8 * 3_600_000 }));
    expect(service.serverNow()).toBe(SERVER_TIME + 8 * 3_600_000);
  });

  test("held by several, it goes with the last", () => {
    const first = service.hold();
    const second = service.hold();
    first();
    first();
    vi.advanceTimersByTime(10);
    expect(connectionOf(service).status).toBe(ConnectionStatus.CONNECTING);
    second();
    vi.advanceTimersByTime(10);
    expect(connectionOf(service).status).toBe(ConnectionStatus.DISCONNECTED);
  });
});
