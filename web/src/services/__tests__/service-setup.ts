// What each test of the service begins with: fake sockets and clocks, an empty tab.
import { vi } from "vitest";
import type { WebSocketService } from "../websocket-service";
import { type FakeSocket, fakeSockets } from "./fake-server";

/** To be called before each test; `vi.useRealTimers()` after it. */
export function beginService(): FakeSocket[] {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance", "Date"],
  });
  sessionStorage.clear();
  history.replaceState(null, "", "/");
  return fakeSockets();
}

export function connectionOf(watched: WebSocketService) {
  return watched.getSnapshot().connection;
}
