import { expect, test } from "vitest";
import { ago, agoSpoken, capital, count, duration, hopAge, readings } from "../words";

test.each([
  [0, "0 s"],
  [38_900, "38 s"],
  [60_000, "1 min"],
  [152_000, "2 min 32 s"],
  [4_320_000, "1 h 12 min"],
  [3_600_000, "1 h"],
  [273_600_000, "3 d 4 h"],
  [-5, "0 s"],
])("duration of %i ms", (ms, words) => {
  expect(duration(ms)).toBe(words);
});

test.each([
  [0, "1 s ago", "1 second ago"],
  [1_999, "1 s ago", "1 second ago"],
  [4_000, "4 s ago", "4 seconds ago"],
  [150_000, "2 min ago", "2 minutes ago"],
  [3_700_000, "1 h 1 min ago", "1 hour ago"],
])("%i ms ago", (ms, shown, spoken) => {
  expect(ago(ms)).toBe(shown);
  expect(agoSpoken(ms)).toBe(spoken);
});

test.each([
  [20, "0.1 s"],
  [240, "0.2 s"],
  [3_400, "3 s"],
  [130_000, "2 min"],
])("a hop's age of %i ms", (ms, words) => {
  expect(hopAge(ms)).toBe(words);
});

test("counts are grouped, and one is not many", () => {
  expect(count(41_203)).toBe("41,203");
  expect(readings(1)).toBe("1 reading");
  expect(readings(1_204)).toBe("1,204 readings");
  expect(capital("strap out of range")).toBe("Strap out of range");
});
