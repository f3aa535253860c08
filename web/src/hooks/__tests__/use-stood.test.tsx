import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { STOOD_MS, useStood } from "../use-stood";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("the first at once, another once it has stood", () => {
  const [a, b, c] = [{}, {}, {}];
  const { result, rerender } = renderHook(({ value }) => useStood(value), {
    initialProps: { value: a },
  });
  expect(result.current).toBe(a);
  rerender({ value: b });
  act(() => vi.advanceTimersByTime(STOOD_MS - 1));
  expect(result.current).toBe(a);
  rerender({ value: c });
  act(() => vi.advanceTimersByTime(STOOD_MS - 1));
  // Rendered again without a change, as each second: it goes on standing.
  rerender({ value: c });
  expect(result.current).toBe(a);
  act(() => vi.advanceTimersByTime(1));
  expect(result.current).toBe(c);
});

test("back where it was there is nothing to wait for", () => {
  const [a, b] = [{}, {}];
  const { result, rerender } = renderHook(({ value }) => useStood(value), {
    initialProps: { value: a },
  });
  rerender({ value: b });
  rerender({ value: a });
  act(() => vi.advanceTimersByTime(2 * STOOD_MS));
  expect(result.current).toBe(a);
});
