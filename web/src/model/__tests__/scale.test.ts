import { expect, test } from "vitest";
import { scaleFor } from "../scale";

test.each([
  [133, 147],
  [135, 176],
  [52, 96],
  [60, 60],
  [40, 200],
  [25, 250],
])("%i to %i fits, with levels to read it by", (least, most) => {
  const scale = scaleFor(least, most, null);
  expect(scale.low).toBeLessThanOrEqual(least);
  expect(scale.high).toBeGreaterThanOrEqual(most);
  expect(scale.levels.length).toBeGreaterThanOrEqual(2);
  expect(scale.levels.length).toBeLessThanOrEqual(5);
  for (const level of scale.levels) {
    expect(level % 10).toBe(0);
    expect(level).toBeGreaterThan(scale.low);
    expect(level).toBeLessThan(scale.high);
  }
});

test("it stays while the line fits, moves when it does not, and shrinks when far too large", () => {
  const first = scaleFor(130, 150, null);
  expect(scaleFor(128, 149, first)).toBe(first);
  const moved = scaleFor(150, 172, first);
  expect(moved).not.toBe(first);
  const large = scaleFor(60, 180, null);
  expect(scaleFor(100, 110, large)).not.toBe(large);
});
