import { beforeEach, describe, expect, test, vi } from "vitest";
import { Requests } from "../requests";
import { type OutgoingMessage, Session, type SessionHost } from "../session";
import { authenticated, hello, SERVER_TIME, update, userSnapshot } from "./fake-server";

let sent: OutgoingMessage[];
let host: SessionHost;
let session: Session;

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  sent = [];
  host = {
    token: "t",
    client: { name: "n", version: "1", metrics: [] },
    subscription: { users: ["u1"], metrics: ["heart_rate"], minIntervalMs: 500 },
    requests: new Requests(),
    since: () => ({ u1: ["e", 4] }),
    send: (message) => sent.push(message),
    fail: vi.fn(),
    authenticated: vi.fn(),
    subscribed: vi.fn(),
    tokenExpiring: vi.fn(),
    goingAway: vi.fn(),
    news: vi.fn(),
  };
  session = new Session(host);
});

function open() {
  session.receive(hello());
  session.receive(authenticated());
}

describe("Session", () => {
  test("says what it wants, and from where", () => {
    open();
    expect(sent[1]).toMatchObject({
      type: "SUBSCRIBE",
      users: ["u1"],
      metrics: ["heart_rate"],
      minIntervalMs: 500,
      since: { u1: ["e", 4] },
    });
  });

  test("only the answer to its own SUBSCRIBE makes it subscribed", () => {
    open();
    const snapshot = { u1: userSnapshot() };
    const answer = { type: "SUBSCRIBED", snapshot, serverTime: SERVER_TIME } as const;
    session.receive({ ...answer, request: "another" });
    expect(session.isSubscribed).toBe(false);
    session.receive({ ...answer, request: String(sent[1]?.request) });
    expect(session.isSubscribed).toBe(true);
    expect(host.subscribed).toHaveBeenCalledOnce();
  });

  test("a refused subscription fails the connection, another refusal does not", () => {
    open();
    session.receive({ type: "ERROR", code: "unknownType", message: "what?" });
    expect(host.fail).not.toHaveBeenCalled();
    session.receive({
      type: "ERROR",
      request: String(sent[1]?.request),
      code: "badRequest",
      message: "no",
    });
    expect(host.fail).toHaveBeenCalledOnce();
  });

  test.each([update(11, 10), authenticated()])("$type before HELLO fails", (message) => {
    session.receive(message);
    expect(host.fail).toHaveBeenCalledOnce();
    expect(sent).toEqual([]);
  });

  test("HELLO twice fails", () => {
    open();
    session.receive(hello());
    expect(host.fail).toHaveBeenCalledOnce();
  });

  test("a server may say goodbye before it has said yes", () => {
    session.receive(hello());
    session.receive({ type: "GOING_AWAY", reconnectAfterMs: 5 });
    session.receive({ type: "HEARTBEAT", serverTime: SERVER_TIME });
    expect(host.goingAway).toHaveBeenCalledOnce();
    expect(host.fail).not.toHaveBeenCalled();
  });

  test("a token is renewed only in an open session", () => {
    session.refresh("early");
    expect(sent).toEqual([]);
    open();
    session.refresh("next");
    expect(sent.at(-1)).toEqual({ type: "REFRESH", token: "next" });
  });

  test("what it knows nothing to do with, it leaves", () => {
    open();
    session.receive({ type: "SYNC", request: "s" });
    session.receive({ type: "REFRESHED", expiresAt: SERVER_TIME });
    expect(host.fail).not.toHaveBeenCalled();
  });
});
