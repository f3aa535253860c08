import { describe, expect, test } from "vitest";
import { Cause } from "@/services/causes";
import { becauseBetween, becauseNow, refusal } from "../missing";
import { Missing } from "../why";
import { NOW, point } from "./people-of";

describe("refusal", () => {
  test("what a reading says of itself", () => {
    expect(refusal(point(NOW, 70))).toBeNull();
    expect(refusal(point(NOW, 70, { contact: false }))).toBe(Cause.NOT_WORN);
    expect(refusal(point(NOW, 70, { quality: ["noContact"] }))).toBe(Cause.NOT_WORN);
    expect(refusal(point(NOW, 0))).toBe(Missing.NO_SIGNAL);
    expect(refusal(point(NOW, null))).toBe(Missing.NO_SIGNAL);
    expect(refusal(point(NOW, 400, { quality: ["implausible"] }))).toBe(Missing.IMPLAUSIBLE);
    expect(refusal(point(NOW, 70, { quality: ["frozen"] }))).toBe(Missing.FROZEN);
    expect(refusal(point(NOW, 70, { quality: ["afterGap"] }))).toBeNull();
  });
});

const because = (...between: Parameters<typeof becauseBetween>) => becauseBetween(...between).why;

describe("becauseBetween", () => {
  const out = { cause: Cause.OUT_OF_RANGE, fromMs: 40, toMs: 100 };

  test("evidence in the readings first", () => {
    const refused = [point(50, 0, { contact: false })];
    expect(because(0, 100, refused, [out])).toBe(Cause.NOT_WORN);
    expect(because(60, 100, refused, [out])).toBe(Cause.OUT_OF_RANGE);
  });

  test("the longest spell, if it covers a third", () => {
    const short = { cause: Cause.BRIDGE_OFFLINE, fromMs: 0, toMs: 35 };
    expect(because(0, 100, [], [short, out])).toBe(Cause.OUT_OF_RANGE);
    expect(because(0, 100, [], [{ ...out, fromMs: 80 }])).toBe(Missing.NO_READING);
    expect(because(0, 100, [], [{ ...out, fromMs: 90, toMs: null }])).toBe(Cause.OUT_OF_RANGE);
  });

  test("the page's own loss, unless another cause stood before most of it", () => {
    const away = { cause: Cause.SERVER_AWAY, fromMs: 40, toMs: null };
    const bridge = { cause: Cause.BRIDGE_OFFLINE, fromMs: 0, toMs: null };
    expect(because(0, 100, [], [away, bridge])).toBe(Cause.SERVER_AWAY);
    expect(because(0, 100, [], [{ ...away, fromMs: 90 }, bridge])).toBe(Cause.BRIDGE_OFFLINE);
  });

  test("in a gap that goes on, what still lasts comes before what is over", () => {
    const away = { cause: Cause.SERVER_AWAY, fromMs: 2, toMs: 70 };
    const bridge = { cause: Cause.BRIDGE_OFFLINE, fromMs: 70, toMs: null };
    expect(becauseBetween(0, 100, [], [away, bridge])).toEqual({
      why: Cause.BRIDGE_OFFLINE,
      sinceMs: 70,
    });
    const strap = { cause: Cause.OUT_OF_RANGE, fromMs: 1, toMs: null };
    expect(because(0, 100, [], [away, bridge, strap])).toBe(Cause.OUT_OF_RANGE);
  });

  test("no evidence, no cause", () => {
    expect(because(0, 100, [], [])).toBe(Missing.NO_READING);
    expect(because(0, 100, [], [{ ...out, fromMs: 100, toMs: 200 }])).toBe(Missing.NO_READING);
  });
});

test("becauseNow: what lasts, else the last reading", () => {
  const spell = { cause: Cause.BRIDGE_OFFLINE, fromMs: 0, toMs: null };
  expect(becauseNow([{ ...spell, toMs: 5 }, spell], undefined)?.why).toBe(Cause.BRIDGE_OFFLINE);
  expect(becauseNow([], point(NOW, 0))?.why).toBe(Missing.NO_SIGNAL);
  expect(becauseNow([], undefined)).toBeNull();
});
