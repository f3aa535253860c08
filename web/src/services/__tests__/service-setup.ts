// What each test of the service begins and ends with: fake sockets and clocks, an empty tab.
import { afterEach, beforeEach, vi } from "vitest";
import { WebSocketService } from "../websocket-service";
import { type FakeSocket, fakeSockets } from "./fake-server";

/** This test's own: not connected yet, with a token. */
export let service: WebSocketService;
/** All that it has opened, the oldest first. */
export let sockets: FakeSocket[];

/** To be called before each test; `vi.useRealTimers()` after it. */
export function beginService(): FakeSocket[] {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance", "Date"],
  });
  sessionStorage.clear();
  history.replaceState(null, "", "/");
  return fakeSockets();
}

/** To be called once by a test file, before its own `beforeEach`. */
export function serviceForEachTest(): void {
  beforeEach(() => {
    sockets = beginService();
    service = new WebSocketService();
    service.configure({ token: "the.first.token" });
  });
  afterEach(() => {
    service.disconnect();
    vi.useRealTimers();
  });
}

export function connectionOf(watched: WebSocketService) {
  return watched.getSnapshot().connection;
}
