import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Reason } from "../close-codes";
import websocketService, {
  ConnectionStatus,
  WebSocketEventType,
  WebSocketService,
} from "../websocket-service";
import {
  authenticated,
  EPOCH,
  FakeSocket,
  fakeSockets,
  heartRate,
  hello,
  historyPage,
  latestSocket,
  SERVER_TIME,
  status,
  update,
  userSnapshot,
} from "./fake-server";

let sockets: FakeSocket[];
let service: WebSocketService;

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance", "Date"],
  });
  sockets = fakeSockets();
  sessionStorage.clear();
  history.replaceState(null, "", "/");
  service = new WebSocketService();
  service.configure({ token: "the.first.token" });
});

afterEach(() => {
  service.disconnect();
  vi.useRealTimers();
});

function connectionOf(watched: WebSocketService) {
  return watched.getSnapshot().connection;
}

describe("opening", () => {
  test("the module's default export is a service", () => {
    expect(websocketService).toBeInstanceOf(WebSocketService);
  });

  test("connects to /ws of the page's server with the subprotocol", () => {
    service.connect();
    expect(latestSocket().url).toBe("ws://localhost:3000/ws");
    expect(latestSocket().protocols).toEqual(["strapline.v1"]);
  });

  test("authenticates after HELLO and subscribes to all that is granted", () => {
    service.connect();
    const socket = latestSocket();
    expect(socket.sent).toEqual([]);
    socket.say(hello());
    expect(socket.sent).toMatchObject([
      {
        type: "AUTHENTICATE",
        token: "the.first.token",
        client: { name: "strapline-web", metrics: ["heart_rate", "steps", "battery"] },
      },
    ]);
    socket.say(authenticated());
    const subscribe = socket.got("SUBSCRIBE")[0];
    expect(subscribe).not.toHaveProperty("users");
    expect(subscribe).not.toHaveProperty("since");
    expect(connectionOf(service).status).toBe(ConnectionStatus.CONNECTING);
    socket.subscribe();
    expect(connectionOf(service).status).toBe(ConnectionStatus.CONNECTED);
  });

  test("configuring does not connect, and moves a connection that there is", () => {
    service.configure({ url: "ws://one.example/ws", token: "another.token.here" });
    expect(sockets).toHaveLength(0);
    service.connect();
    service.configure({ url: "ws://two.example/ws" });
    expect(sockets.map((socket) => socket.url)).toEqual([
      "ws://one.example/ws",
      "ws://two.example/ws",
    ]);
    service.disconnect();
    service.configure({ token: "a.third.token" });
    expect(sockets).toHaveLength(2);
  });

  test("connecting twice makes one connection", () => {
    service.connect();
    service.connect();
    expect(sockets).toHaveLength(1);
  });

  test("without any token it stops and says so", () => {
    service.disconnect();
    sessionStorage.clear();
    const bare = new WebSocketService();
    bare.connect();
    expect(sockets).toHaveLength(0);
    expect(connectionOf(bare)).toMatchObject({
      status: ConnectionStatus.STOPPED,
      reason: Reason.NO_LINK,
    });
    bare.disconnect();
  });

  test("a token in the link is used, kept for the tab, and leaves the address bar", () => {
    sessionStorage.clear();
    history.replaceState(null, "", "/?a=1#token=from.the.link");
    const linked = new WebSocketService();
    linked.connect();
    latestSocket().say(hello());
    expect(latestSocket().got("AUTHENTICATE")[0]?.token).toBe("from.the.link");
    expect(location.href).not.toContain("from.the.link");
    expect(location.search).toBe("?a=1");
    expect(sessionStorage.getItem("strapline.token")).toBe("from.the.link");
    linked.disconnect();
  });

  test("the server's simulation is told", () => {
    service.connect();
    latestSocket().authenticate({ simulated: true });
    latestSocket().subscribe();
    expect(connectionOf(service).simulated).toBe(true);
  });

  test("a server that skips the opening is left, and tried again", () => {
    const complaint = vi.spyOn(console, "error").mockImplementation(() => undefined);
    service.connect();
    latestSocket().say(update(11, 10));
    expect(complaint).toHaveBeenCalledOnce();
    expect(connectionOf(service).status).toBe(ConnectionStatus.RECONNECTING);
  });
});

describe("listening", () => {
  test("a listener gets the whole state in the original's form, with user and message beside", () => {
    const heard = vi.fn();
    service.connect();
    latestSocket().open({
      u1: userSnapshot({
        state: {
          heart_rate: heartRate(),
          steps: {
            today: 10_000,
            last: null,
            dayEndsMs: SERVER_TIME + 1,
            freshForMs: 60_000,
            onChange: false,
          },
          battery: { devices: [{ device: "d1", value: 82, atMs: 1 }], freshForMs: 1 },
        },
      }),
    });
    service.addEventListener(WebSocketEventType.HEALTH_DATA_UPDATE, heard);
    const message = update(11, 10);
    latestSocket().say(message);
    expect(heard).toHaveBeenCalledOnce();
    const [data, info] = heard.mock.calls[0] ?? [];
    expect(data).toMatchObject({
      steps: 10_000,
      heartRate: { current: 71, average: 70 },
      battery: 82,
    });
    expect(info).toEqual({ user: "u1", details: message });
  });

  test("a snapshot is told too", () => {
    const heard = vi.fn();
    service.addEventListener(WebSocketEventType.HEALTH_DATA_UPDATE, heard);
    service.connect();
    latestSocket().open();
    expect(heard).toHaveBeenCalledOnce();
    expect(heard.mock.calls[0]?.[1]).toEqual({ user: "u1", details: null });
  });

  test("unsubscribing and removing both end it", () => {
    const first = vi.fn();
    const second = vi.fn();
    service.connect();
    latestSocket().open();
    const unsubscribe = service.addEventListener(WebSocketEventType.HEALTH_DATA_UPDATE, first);
    service.addEventListener(WebSocketEventType.HEALTH_DATA_UPDATE, second);
    unsubscribe();
    service.removeEventListener(WebSocketEventType.HEALTH_DATA_UPDATE, second);
    latestSocket().say(update(11, 10));
    expect(first).not.toHaveBeenCalled();
    expect(second).not.toHaveBeenCalled();
  });

  test("a listener that throws stops nobody", () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const heard = vi.fn();
    service.addEventListener(WebSocketEventType.HEALTH_DATA_UPDATE, () => {
      throw new Error("a bug in the application");
    });
    service.addEventListener(WebSocketEventType.HEALTH_DATA_UPDATE, heard);
    service.connect();
    latestSocket().open();
    expect(heard).toHaveBeenCalledOnce();
  });

  test("sync status and connection status have their own events", () => {
    const synced = vi.fn();
    const connected = vi.fn();
    service.addEventListener(WebSocketEventType.SYNC_STATUS_UPDATE, synced);
    service.addEventListener(WebSocketEventType.CONNECTION_STATUS_UPDATE, connected);
    service.connect();
    latestSocket().open();
    latestSocket().say({
      ...status({ status: "syncing", pending: 312 }),
      type: "SYNC_STATUS_UPDATE",
      user: "u1",
      serverTime: SERVER_TIME,
    });
    expect(synced.mock.lastCall?.[0]).toMatchObject({ status: "syncing", pending: 312 });
    expect(connected.mock.calls.map(([state]) => state.status)).toEqual([
      ConnectionStatus.CONNECTING,
      ConnectionStatus.CONNECTED,
    ]);
  });

  test("whose grant went leaves the screen, and a new one is subscribed to", () => {
    service.connect();
    const socket = latestSocket();
    socket.open({ u1: userSnapshot(), u2: userSnapshot({ name: "Tomás Reyes" }) });
    socket.say({ type: "SUBSCRIPTION_CHANGED", added: [], removed: ["u1"] });
    expect(service.getSnapshot().people.map((person) => person.user)).toEqual(["u2"]);
    expect(socket.got("SUBSCRIBE")).toHaveLength(1);
    socket.say({ type: "SUBSCRIPTION_CHANGED", added: ["u3"], removed: [] });
    expect(socket.got("SUBSCRIBE")).toHaveLength(2);
  });

  test("messages that are none are counted and change nothing", () => {
    service.connect();
    latestSocket().open();
    latestSocket().say("not json");
    latestSocket().say({ type: "OF_A_NEWER_SERVER" });
    latestSocket().say({ ...update(11, 10), position: "eleven" });
    expect(service.counters.ignored).toBe(3);
    expect(connectionOf(service).status).toBe(ConnectionStatus.CONNECTED);
  });
});

describe("sending", () => {
  test("waits for the session, then goes in order", () => {
    expect(service.send(WebSocketEventType.SYNC_STATUS_UPDATE, { status: "syncing" })).toBe(false);
    service.send("OTHER");
    service.connect();
    const socket = latestSocket();
    socket.open();
    expect(socket.sent.slice(2)).toEqual([
      { type: "SYNC_STATUS_UPDATE", status: "syncing" },
      { type: "OTHER" },
    ]);
    expect(service.send("NOW")).toBe(true);
    expect(socket.sent.at(-1)).toEqual({ type: "NOW" });
  });

  test("64 wait at most: the oldest gives way, and is counted", () => {
    for (let index = 0; index < 70; index += 1) {
      service.send("WISH", { index });
    }
    expect(service.counters).toMatchObject({ waiting: 64, dropped: 6 });
    service.connect();
    latestSocket().open();
    expect(latestSocket().got("WISH")[0]?.index).toBe(6);
  });

  test("while offline it waits for the next session", () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    service.connect();
    latestSocket().open();
    latestSocket().drop(1006);
    expect(service.send("LATER")).toBe(false);
    vi.advanceTimersByTime(250);
    latestSocket().open();
    expect(latestSocket().got("LATER")).toHaveLength(1);
  });

  test("a question is answered, refused, or given up with the connection", async () => {
    service.connect();
    const socket = latestSocket();
    socket.open();
    const asked = [service.request("people"), service.request("shares"), service.request("gaps")];
    const ids = socket.got("REQUEST").map((message) => message.request);
    socket.say({ type: "RESULT", request: ids[0], result: { people: [] } });
    socket.say({ type: "ERROR", request: ids[1], code: "notAllowed", message: "no" });
    socket.drop(1006);
    await expect(asked[0]).resolves.toEqual({ people: [] });
    await expect(asked[1]).rejects.toMatchObject({ code: "notAllowed" });
    await expect(asked[2]).rejects.toMatchObject({ code: "connectionLost" });
  });
});

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

describe("tokens", () => {
  beforeEach(() => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
  });

  test("TOKEN_EXPIRING's token is kept and answered, so that a page left open goes on", () => {
    service.connect();
    latestSocket().open();
    latestSocket().say({ type: "TOKEN_EXPIRING", expiresAt: SERVER_TIME, token: "the.next.token" });
    expect(latestSocket().sent.at(-1)).toEqual({ type: "REFRESH", token: "the.next.token" });
    expect(sessionStorage.getItem("strapline.token")).toBe("the.next.token");
    latestSocket().drop(1006);
    vi.advanceTimersByTime(250);
    latestSocket().say(hello());
    expect(latestSocket().got("AUTHENTICATE")[0]?.token).toBe("the.next.token");
  });

  test("TOKEN_EXPIRING without one asks the application", async () => {
    service.configure({ getToken: () => Promise.resolve("from.the.application") });
    service.connect();
    latestSocket().open();
    latestSocket().say({ type: "TOKEN_EXPIRING", expiresAt: SERVER_TIME });
    await vi.advanceTimersByTimeAsync(0);
    expect(latestSocket().sent.at(-1)).toEqual({ type: "REFRESH", token: "from.the.application" });
  });

  test("a refused token that the application renews takes nobody off the screen", async () => {
    service.configure({ getToken: () => Promise.resolve("a.new.token") });
    service.connect();
    latestSocket().open();
    latestSocket().drop(4401);
    expect(connectionOf(service)).toMatchObject({
      status: ConnectionStatus.RECONNECTING,
      reason: null,
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(sockets).toHaveLength(2);
    expect(service.getSnapshot().people).toHaveLength(1);
  });

  test("4401 takes a new token once, then backs off", async () => {
    const getToken = vi.fn(() => Promise.resolve("a.new.token"));
    service.configure({ getToken });
    service.connect();
    latestSocket().say(hello());
    latestSocket().drop(4401);
    await vi.advanceTimersByTimeAsync(0);
    expect(sockets).toHaveLength(2);
    latestSocket().say(hello());
    expect(latestSocket().got("AUTHENTICATE")[0]?.token).toBe("a.new.token");
    latestSocket().drop(4401);
    await vi.advanceTimersByTimeAsync(200);
    expect(getToken).toHaveBeenCalledOnce();
    expect(sockets).toHaveLength(2);
    expect(connectionOf(service).reason).toBe(Reason.LINK_ENDED);
    await vi.advanceTimersByTimeAsync(100);
    expect(sockets).toHaveLength(3);
  });

  test("without a token the application is asked until it has one", async () => {
    sessionStorage.clear();
    const getToken = vi
      .fn(() => Promise.resolve("at.last.one"))
      .mockRejectedValueOnce(new Error("not signed in yet"));
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const asking = new WebSocketService();
    asking.configure({ getToken });
    asking.connect();
    expect(connectionOf(asking).status).toBe(ConnectionStatus.CONNECTING);
    await vi.advanceTimersByTimeAsync(300);
    await vi.advanceTimersByTimeAsync(10);
    expect(getToken).toHaveBeenCalledTimes(2);
    expect(sockets).toHaveLength(1);
    asking.disconnect();
  });

  test("a token that comes after disconnecting opens nothing", async () => {
    sessionStorage.clear();
    const asking = new WebSocketService();
    asking.configure({ getToken: () => Promise.resolve("too.late.now") });
    asking.connect();
    asking.disconnect();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(0);
  });

  test("a new link in the address bar is taken at once", () => {
    service.connect();
    latestSocket().say(hello());
    latestSocket().drop(4401);
    history.replaceState(null, "", "/#token=a.second.link");
    window.dispatchEvent(new Event("hashchange"));
    latestSocket().say(hello());
    expect(latestSocket().got("AUTHENTICATE")[0]?.token).toBe("a.second.link");
  });

  test("no token is ever written to the console", () => {
    const said: unknown[] = [];
    for (const method of ["log", "warn", "error", "info", "debug"] as const) {
      vi.spyOn(console, method).mockImplementation((...words) => said.push(words));
    }
    service.connect();
    latestSocket().say(hello());
    latestSocket().say(update(1, 0));
    latestSocket().drop(4401);
    expect(JSON.stringify(said)).not.toContain("the.first.token");
  });
});

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
    await vi.advanceTimersByTimeAsync(1_000);
    expect(socket.got("REQUEST")).toHaveLength(2);
    await answerHistory(
      socket,
      historyPage([SERVER_TIME - 55_000, SERVER_TIME - 1_000], [80, 65], 11),
    );
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
