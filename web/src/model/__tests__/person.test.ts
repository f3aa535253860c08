import { describe, expect, test } from "vitest";
import type { BatteryData, StepsData } from "@/protocol/messages";
import { status } from "@/services/__tests__/fake-server";
import { Cause } from "@/services/causes";
import { becauseNone, dayLine, rateOf, sessionLine, stepsView, wearables } from "../person";
import { completeThrough, summaryOf } from "../summary";
import { Missing } from "../why";
import { clock } from "../words";
import { NOW, person, rate, readings } from "./people-of";

const steps: StepsData = {
  today: 4_127,
  last: null,
  dayEndsMs: NOW + 1_000,
  freshForMs: 60_000,
  onChange: false,
};

describe("the day", () => {
  test("steps so far, until the day ends", () => {
    const walker = person({ metrics: { steps } });
    expect(stepsView(walker, NOW)).toEqual({ figure: "4,127", note: null });
    expect(stepsView(walker, NOW + 1_000)).toEqual({
      figure: "—",
      note: "A new day has begun",
    });
    expect(stepsView(person({ metrics: {} }), NOW)).toEqual({
      figure: "—",
      note: "Not measured yet",
    });
    expect(stepsView(person({ metrics: { steps: { ...steps, today: 0 } } }), NOW).figure).toBe("0");
  });

  test("average and range, until the day ends", () => {
    const today = person({ metrics: { heart_rate: rate(0, 72, { dayEndsMs: NOW + 1 }) } });
    expect(dayLine(today, NOW)).toBe("Average 70 today, 55 to 120");
    expect(dayLine(today, NOW + 1)).toBeNull();
    expect(dayLine(today, null)).toBeNull();
    expect(dayLine(person({ metrics: {} }), NOW)).toBeNull();
  });
});

describe("a session", () => {
  const session = { id: "s", name: "Intervals", startMs: NOW - 2_700_000, endMs: null };

  test("that runs is named, with its minutes", () => {
    const running = person({ metrics: { session: { session } } });
    expect(sessionLine(running, NOW)).toBe("Intervals, 45 min");
    expect(sessionLine(running, NOW - 2_690_000)).toBe("Intervals, just begun");
    expect(sessionLine(running, null)).toBe("Intervals");
    const unnamed = { session: { session: { ...session, name: "" } } };
    expect(sessionLine(person({ metrics: unnamed }), NOW)).toBe("Session, 45 min");
  });

  test("that does not run is not", () => {
    expect(sessionLine(person({ metrics: { session: { session: null } } }), NOW)).toBeNull();
    expect(sessionLine(person(), NOW)).toBeNull();
  });
});

describe("what a host application has said", () => {
  const summary = { summary: { steps: 10_000, heartRate: { average: 75 } }, atMs: NOW };

  test("is told as given, and never as live", () => {
    const hosted = person({ metrics: { summary } });
    expect(stepsView(hosted, NOW)).toEqual({
      figure: "10,000",
      note: `as given by the application, ${clock(NOW)}`,
    });
    expect(dayLine(hosted, NOW)).toBe("Average 75, as given by the application");
    expect(rateOf(hosted, NOW, true)).toMatchObject({ state: "missing", bpm: null });
  });

  test("gives way to what was measured", () => {
    const measured = person({ metrics: { summary, steps, heart_rate: rate(0) } });
    expect(stepsView(measured, NOW).figure).toBe("4,127");
    expect(dayLine(measured, NOW)).toBe("Average 70 today, 55 to 120");
  });
});

describe("wearables", () => {
  const battery: BatteryData = {
    devices: [{ device: "d1", value: 82, atMs: NOW - 60_000 }],
    freshForMs: 86_400_000,
  };
  const metrics = { battery };

  test("battery and contact while it is there", () => {
    const line = readings(-2_000, 0, 70, { contact: true });
    expect(wearables(person({ metrics, line }), true)).toEqual([
      { device: "d1", name: "Chest strap", text: "82 %, good contact" },
    ]);
    const off = readings(-2_000, 0, 70, { contact: false });
    expect(wearables(person({ metrics, line: off }), true)[0]?.text).toBe("82 %, no contact");
    expect(wearables(person({ metrics }), true)[0]?.text).toBe("82 %");
  });

  test("held, with its time, when it is away or the page is cut off", () => {
    expect(wearables(person({ metrics }), false)[0]?.text).toMatch(/^82 % at \d\d:\d\d$/);
  });

  test("unknown stays unknown; not worn is said", () => {
    const told = status();
    const hops = {
      ...told.hops,
      devices: [{ device: "d1", name: "", state: "notWorn" as const, sinceMs: NOW }],
    };
    expect(wearables(person({ metrics: {}, status: { ...told, hops } }), true)).toEqual([
      { device: "d1", name: "Strap", text: "battery not known, not worn" },
    ]);
  });
});

describe("why there is none", () => {
  test("over the whole absence, as its gap says", () => {
    const stale = person({
      metrics: { heart_rate: rate(160_000) },
      spells: [
        { cause: Cause.SERVER_AWAY, fromMs: NOW - 158_000, toMs: NOW - 150_000 },
        { cause: Cause.OUT_OF_RANGE, fromMs: NOW - 158_000, toMs: null },
      ],
    });
    expect(becauseNone(stale, rateOf(stale, NOW, true), NOW)?.why).toBe(Cause.OUT_OF_RANGE);
  });

  test("while the page has no server, that: for each person, whatever was known before", () => {
    const away = { cause: Cause.SERVER_AWAY, fromMs: NOW - 36_000, toMs: null };
    const cut = (before: Cause, forMs: number) =>
      person({
        user: before,
        metrics: { heart_rate: rate(forMs) },
        spells: [away, { cause: before, fromMs: NOW - forMs, toMs: null }],
      });
    const people = [cut(Cause.BRIDGE_OFFLINE, 36_100), cut(Cause.OUT_OF_RANGE, 158_000)];
    for (const one of people) {
      const because = becauseNone(one, rateOf(one, NOW, false), NOW);
      expect(because).toEqual({ why: Cause.SERVER_AWAY, sinceMs: NOW - 36_000 });
    }
    expect(summaryOf(people, NOW, false)).toBe("2 people: 2 cut off, server away");
  });

  test("nothing for one who has a rate, no cause without evidence", () => {
    expect(becauseNone(person(), rateOf(person(), NOW, true), NOW)).toBeNull();
    const silent = person({ metrics: { heart_rate: rate(9_000) } });
    expect(becauseNone(silent, rateOf(silent, NOW, true), NOW)?.why).toBe(Missing.NO_READING);
    const never = person({ metrics: {} });
    expect(becauseNone(never, rateOf(never, NOW, true), NOW)).toBeNull();
  });
});

describe("a device that speaks on change", () => {
  const told = status();
  const held = person({ metrics: { heart_rate: rate(60_000, 61, { onChange: true }) } });

  test("holds its value while the whole way is open", () => {
    expect(rateOf(held, NOW, true)).toMatchObject({ state: "fresh", bpm: 61 });
  });

  test("and not when this page, the bridge or the device is cut off, or none is known", () => {
    expect(rateOf(held, NOW, false).state).toBe("stale");
    const hops = (extra: object) =>
      rateOf({ ...held, status: { ...told, hops: { ...told.hops, ...extra } } }, NOW, true).state;
    const bridge = { name: "b", state: "offline", sinceMs: 1, heardMs: 1, pending: 0 };
    expect(hops({ bridges: [bridge] })).toBe("stale");
    expect(hops({ devices: [{ device: "d1", name: "", state: "searching", sinceMs: 1 }] })).toBe(
      "stale",
    );
    expect(hops({ devices: [] })).toBe("stale");
  });
});

describe("the summary", () => {
  const lost = person({
    metrics: { heart_rate: rate(160_000) },
    spells: [{ cause: Cause.OUT_OF_RANGE, fromMs: NOW - 158_000, toMs: null }],
  });

  test("live ones first, each cause counted", () => {
    expect(summaryOf([lost, person(), person()], NOW, true)).toBe(
      "3 people: 2 live, 1 out of range",
    );
    expect(summaryOf([person()], NOW, true)).toBe("1 person, live");
    expect(summaryOf([person({ metrics: {} })], NOW, true)).toBe("1 person, not measured yet");
  });

  test("complete for all, up to the earliest", () => {
    const earlier = person({ status: status({ completeThroughMs: NOW - 5_000 }) });
    const unknown = person({ status: status({ completeThroughMs: null }) });
    expect(completeThrough([person(), earlier, unknown])).toBe(NOW - 5_000);
    expect(completeThrough([])).toBeNull();
  });
});
