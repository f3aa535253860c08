import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connection } from "../connection";
import { FakeSocket, fakeSockets, hello, latestSocket, SERVER_TIME } from "./fake-server";

const host = { message: vi.fn(), ended: vi.fn() };

beforeEach(() => {
  vi.useFakeTimers();
  fakeSockets();
  host.message.mockReset();
  host.ended.mockReset();
});
afterEach(() => {
  vi.useRealTimers();
});

test("only messages of the protocol are handed on; the rest is counted", () => {
  const connection = new Connection("ws://x/ws", host);
  latestSocket().say(hello());
  latestSocket().say("{");
  latestSocket().say({ type: "HELLO" });
  latestSocket().onmessage?.({ data: new ArrayBuffer(2) });
  expect(host.message.mock.calls).toEqual([[hello()]]);
  expect(connection.ignored).toBe(3);
  connection.abandon();
});

test("an opening that does not come is given up", () => {
  new Connection("ws://x/ws", host);
  vi.advanceTimersByTime(9_999);
  expect(host.ended).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(host.ended).toHaveBeenCalledWith(1006, "silence");
});

test("any word rewinds the watch over silence", () => {
  const connection = new Connection("ws://x/ws", host);
  connection.expectWordWithin(1_000);
  vi.advanceTimersByTime(900);
  latestSocket().say({ type: "HEARTBEAT", serverTime: SERVER_TIME });
  vi.advanceTimersByTime(900);
  expect(host.ended).not.toHaveBeenCalled();
  vi.advanceTimersByTime(100);
  expect(host.ended).toHaveBeenCalledOnce();
});

test("it ends once, at once, and the browser's late close says nothing more", () => {
  const connection = new Connection("ws://x/ws", host);
  const socket = latestSocket();
  const onclose = socket.onclose;
  connection.end(1006, "given up");
  connection.end();
  onclose?.({ code: 1000, reason: "" });
  expect(host.ended.mock.calls).toEqual([[1006, "given up"]]);
  expect(socket.readyState).toBe(FakeSocket.CLOSED);
  connection.send({ type: "LATE" });
  expect(socket.sent).toEqual([]);
});

test("abandoned, it says nothing at all", () => {
  const connection = new Connection("ws://x/ws", host);
  connection.abandon();
  vi.advanceTimersByTime(60_000);
  expect(host.ended).not.toHaveBeenCalled();
});
