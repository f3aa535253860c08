import { describe, expect, test } from "vitest";
import { Cause } from "@/services/causes";
import { Missing, refusal, whyBetween, whyCounted, whyNow, whyWords } from "../missing";
import { NOW, point } from "./people-of";

describe("refusal", () => {
  test("what a reading says of itself", () => {
    expect(refusal(point(NOW, 70))).toBeNull();
    expect(refusal(point(NOW, 70, { contact: false }))).toBe(Cause.NOT_WORN);
    expect(refusal(point(NOW, 70, { quality: ["noContact"] }))).toBe(Cause.NOT_WORN);
    expect(refusal(point(NOW, 0))).toBe(Missing.NO_SIGNAL);
    expect(refusal(point(NOW, null))).toBe(Missing.NO_SIGNAL);
    expect(refusal(point(NOW, 400, { quality: ["implausible"] }))).toBe(Missing.IMPLAUSIBLE);
    expect(refusal(point(NOW, 70, { quality: ["afterGap"] }))).toBeNull();
  });
});

describe("whyBetween", () => {
  const out = { cause: Cause.OUT_OF_RANGE, fromMs: 40, toMs: 100 };

  test("evidence in the readings first", () => {
    const refused = [point(50, 0, { contact: false })];
    expect(whyBetween(0, 100, refused, [out])).toBe(Cause.NOT_WORN);
    expect(whyBetween(60, 100, refused, [out])).toBe(Cause.OUT_OF_RANGE);
  });

  test("the longest spell, if it covers a third", () => {
    const short = { cause: Cause.BRIDGE_OFFLINE, fromMs: 0, toMs: 35 };
    expect(whyBetween(0, 100, [], [short, out])).toBe(Cause.OUT_OF_RANGE);
    expect(whyBetween(0, 100, [], [{ ...out, fromMs: 80 }])).toBe(Missing.NO_READING);
    expect(whyBetween(0, 100, [], [{ ...out, fromMs: 90, toMs: null }])).toBe(Cause.OUT_OF_RANGE);
  });

  test("no evidence, no cause", () => {
    expect(whyBetween(0, 100, [], [])).toBe(Missing.NO_READING);
    expect(whyBetween(0, 100, [], [{ ...out, fromMs: 100, toMs: 200 }])).toBe(Missing.NO_READING);
  });
});

test("whyNow: what lasts, else the last reading", () => {
  const spell = { cause: Cause.BRIDGE_OFFLINE, fromMs: 0, toMs: null };
  expect(whyNow([{ ...spell, toMs: 5 }, spell], undefined)).toBe(Cause.BRIDGE_OFFLINE);
  expect(whyNow([], point(NOW, 0))).toBe(Missing.NO_SIGNAL);
  expect(whyNow([], undefined)).toBeNull();
});

test("every cause has its words", () => {
  for (const why of [...Object.values(Cause), ...Object.values(Missing)]) {
    expect(whyWords(why)).toMatch(/^[a-z]/);
    expect(whyCounted(why)).toMatch(/^[a-z]/);
  }
});
