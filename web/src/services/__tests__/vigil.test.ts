import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Vigil } from "../vigil";

function host() {
  return {
    second: vi.fn(),
    slept: vi.fn(),
    network: vi.fn(),
    woke: vi.fn(),
    left: vi.fn(),
    linked: vi.fn(),
  };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance", "Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("every second, and nothing once it has ended", () => {
  const heard = host();
  const vigil = new Vigil(heard);
  vigil.begin();
  vi.advanceTimersByTime(3_000);
  vigil.end();
  vi.advanceTimersByTime(3_000);
  window.dispatchEvent(new Event("pagehide"));
  expect(heard.second).toHaveBeenCalledTimes(3);
  expect(heard.left).not.toHaveBeenCalled();
  expect(vigil.isKept).toBe(false);
});

test("sleep is told before the waking", () => {
  const heard = host();
  const vigil = new Vigil(heard);
  vigil.begin();
  vi.advanceTimersByTime(1_000);
  vi.setSystemTime(Date.now() + 60_000);
  document.dispatchEvent(new Event("visibilitychange"));
  expect(heard.slept).toHaveBeenCalledWith(60_000);
  expect(heard.slept.mock.invocationCallOrder[0]).toBeLessThan(
    heard.woke.mock.invocationCallOrder[0] ?? 0,
  );
  vigil.end();
});

test("what was slept between an end and the next beginning is not told", () => {
  const heard = host();
  const vigil = new Vigil(heard);
  vigil.begin();
  vi.advanceTimersByTime(1_000);
  vigil.end();
  vi.setSystemTime(Date.now() + 60_000);
  vigil.begin();
  vi.advanceTimersByTime(1_000);
  expect(heard.slept).not.toHaveBeenCalled();
  vigil.end();
});
