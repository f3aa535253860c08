import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import websocketService from "@/services/websocket-service";
import { usePassed } from "../use-passed";

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(websocketService, "serverNow").mockImplementation(() => 1_000 + performance.now());
});
afterEach(() => {
  vi.useRealTimers();
});

test("turns at the millisecond, and back with the next moment", () => {
  const start = websocketService.serverNow() ?? 0;
  const { result, rerender } = renderHook(({ at }) => usePassed(at), {
    initialProps: { at: (start + 5_000) as number | null },
  });
  act(() => vi.advanceTimersByTime(4_999));
  expect(result.current).toBe(false);
  act(() => vi.advanceTimersByTime(1));
  expect(result.current).toBe(true);
  rerender({ at: start + 9_000 });
  expect(result.current).toBe(false);
});

test("null never comes", () => {
  const { result } = renderHook(() => usePassed(null));
  act(() => vi.advanceTimersByTime(100_000));
  expect(result.current).toBe(false);
});
