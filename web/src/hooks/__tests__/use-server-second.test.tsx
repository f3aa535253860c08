import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fakeSockets, latestSocket, SERVER_TIME } from "@/services/__tests__/fake-server";
import websocketService from "@/services/websocket-service";
import { useServerSecond } from "../use-server-second";

beforeEach(() => {
  vi.useFakeTimers();
  fakeSockets();
  websocketService.configure({ token: "a.b.c" });
});
afterEach(() => {
  websocketService.disconnect();
  vi.useRealTimers();
});

test("nothing before the server's word, its time at once with it, then second by second", () => {
  websocketService.connect();
  const { result } = renderHook(() => useServerSecond());
  expect(result.current).toBeNull();
  act(() => latestSocket().open());
  expect(result.current).toBe(SERVER_TIME);
  act(() => vi.advanceTimersByTime(3_000));
  expect(result.current).toBe(SERVER_TIME + 3_000);
});
