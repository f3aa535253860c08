import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useAnnouncement, waitBeforeSpeaking } from "../use-announcement";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function pass(ms: number) {
  act(() => vi.advanceTimersByTime(ms));
}

function speaking(text: string, key: string) {
  return renderHook(({ text: now, key: what }) => useAnnouncement(now, what), {
    initialProps: { text, key },
  });
}

test("speaks when the status has held for 3 s, with the words of that moment", () => {
  const { result, rerender } = speaking("Live. Last reading 1 second ago.", "live");
  pass(2_000);
  rerender({ text: "Live. Last reading 2 seconds ago.", key: "live" });
  pass(999);
  expect(result.current).toBe("");
  pass(1);
  expect(result.current).toBe("Live. Last reading 2 seconds ago.");
});

test("never for an age that counts on", () => {
  const { result, rerender } = speaking("Live. Last reading 1 second ago.", "live");
  pass(3_000);
  rerender({ text: "Live. Last reading 9 seconds ago.", key: "live" });
  pass(60_000);
  expect(result.current).toBe("Live. Last reading 1 second ago.");
});

test("at most every 10 s, and what did not hold is never said", () => {
  const { result, rerender } = speaking("Live.", "live");
  pass(3_000);
  rerender({ text: "Offline.", key: "offline" });
  pass(2_000);
  rerender({ text: "Catching up.", key: "syncing" });
  pass(7_900);
  expect(result.current).toBe("Live.");
  pass(200);
  expect(result.current).toBe("Catching up.");
});

test("back to what was said last: nothing to say", () => {
  const { result, rerender } = speaking("Live.", "live");
  pass(3_000);
  rerender({ text: "Offline.", key: "offline" });
  pass(1_000);
  rerender({ text: "Live again.", key: "live" });
  pass(60_000);
  expect(result.current).toBe("Live.");
});

test("the wait is the longer of the two", () => {
  expect(waitBeforeSpeaking(0, null)).toBe(3_000);
  expect(waitBeforeSpeaking(5_000, 4_000)).toBe(9_000);
  expect(waitBeforeSpeaking(50_000, 4_000)).toBe(3_000);
});
