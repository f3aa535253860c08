import { expect, test } from "vitest";
import { BACKOFF_CAP_MS, Backoff } from "../backoff";

test("full jitter: from nothing up to a ceiling that doubles, the first wait too", () => {
  const least = new Backoff(() => 0);
  const most = new Backoff(() => 1);
  const waits = Array.from({ length: 9 }, () => most.nextMs());
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  expect(least.nextMs()).toBe(0);
});

test("never gives up and never overflows", () => {
  const backoff = new Backoff(() => 1);
  for (let attempt = 0; attempt < 5_000; attempt += 1) {
    backoff.nextMs();
  }
  expect(backoff.nextMs()).toBe(BACKOFF_CAP_MS);
});

test("a useful session starts it over", () => {
  const backoff = new Backoff(() => 1);
  backoff.nextMs();
  backoff.nextMs();
  backoff.reset();
  expect(backoff.attempts).toBe(0);
  expect(backoff.nextMs()).toBe(500);
});
