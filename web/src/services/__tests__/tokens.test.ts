import { beforeEach, describe, expect, test, vi } from "vitest";
import { Reason } from "../close-codes";
import { ConnectionStatus, WebSocketService } from "../websocket-service";
import { hello, latestSocket, SERVER_TIME, update } from "./fake-server";
import { connectionOf, service, serviceForEachTest, sockets } from "./service-setup";

serviceForEachTest();

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
