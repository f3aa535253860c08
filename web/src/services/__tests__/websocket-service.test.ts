import { describe, expect, test, vi } from "vitest";
import { Reason } from "../close-codes";
import websocketService, {
  ConnectionStatus,
  WebSocketEventType,
  WebSocketService,
} from "../websocket-service";
import {
  authenticated,
  heartRate,
  hello,
  latestSocket,
  SERVER_TIME,
  status,
  update,
  userSnapshot,
} from "./fake-server";
import { connectionOf, service, serviceForEachTest, sockets } from "./service-setup";

serviceForEachTest();

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
        client: {
          name: "strapline-web",
          metrics: ["heart_rate", "steps", "battery", "session", "mark", "summary", "gap"],
        },
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

  test("whether it may mark is what was told last", () => {
    service.connect();
    const socket = latestSocket();
    socket.open();
    const mayMark = () => service.getSnapshot().connection.mayMark;
    const told = [mayMark()];
    for (const rights of [{ mayMark: true }, {}, { mayMark: false }, { mayMark: null }]) {
      socket.say({ type: "SUBSCRIPTION_CHANGED", added: [], removed: [], ...rights });
      told.push(mayMark());
    }
    expect(told).toEqual([false, true, true, false, false]);
    // A subscription that follows knows it too.
    socket.say({ type: "SUBSCRIPTION_CHANGED", added: ["u3"], removed: [], mayMark: true });
    socket.subscribe();
    expect(mayMark()).toBe(true);
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
