import { describe, expect, test } from "vitest";
import { healthData } from "../health-data";
import { heartRate, SERVER_TIME, status } from "./fake-server";

const person = { user: "u1", name: "Maren", status: status(), statusAtMs: SERVER_TIME };

test("the original's form", () => {
  const data = healthData({
    ...person,
    metrics: {
      heart_rate: heartRate({ average: 75 }),
      steps: { today: 10_000, last: null, dayEndsMs: 1, freshForMs: 1, onChange: false },
      battery: {
        devices: [
          { device: "old", value: 10, atMs: 1 },
          { device: "new", value: 64, atMs: 2 },
        ],
        freshForMs: 1,
      },
      cadence: { current: 80, last: null, freshForMs: 1, onChange: false },
    },
  });
  expect(data.steps).toBe(10_000);
  expect(data.heartRate?.average).toBe(75);
  expect(data.battery).toBe(64);
  expect(data.batteries).toHaveLength(2);
  expect(data.cadence).toMatchObject({ current: 80 });
});

test("what was never measured is null, never 0", () => {
  expect(healthData({ ...person, metrics: {} })).toEqual({
    steps: null,
    heartRate: null,
    battery: null,
    batteries: [],
  });
});

describe("what a host application has said", () => {
  const summary = {
    summary: { steps: 10_000, heartRate: { average: 75, current: 120 }, mood: "good" },
    atMs: SERVER_TIME,
  };
  const steps = { today: 4_127, last: null, dayEndsMs: 1, freshForMs: 1, onChange: false };

  test("is the whole of it where nothing was measured", () => {
    expect(healthData({ ...person, metrics: { summary } })).toMatchObject({
      steps: 10_000,
      heartRate: { average: 75 },
      mood: "good",
    });
  });

  test("gives way to what was measured, where that is not null", () => {
    const measured = { heart_rate: heartRate({ average: 70, current: null }), steps, summary };
    expect(healthData({ ...person, metrics: measured })).toMatchObject({
      steps: 4_127,
      heartRate: { average: 70, min: 55 },
    });
    const nothing = { heart_rate: heartRate({ average: null }), steps: { ...steps, today: null } };
    expect(healthData({ ...person, metrics: { ...nothing, summary } })).toMatchObject({
      steps: 10_000,
      heartRate: { average: 75, current: 72 },
    });
  });

  test("never makes a present of a measured rate that is past", () => {
    const measured = { heart_rate: heartRate({ current: null }), summary };
    expect(healthData({ ...person, metrics: measured }).heartRate?.current).toBeNull();
  });

  test("of another form than the original's is passed on by its name alone", () => {
    const odd = { summary: { steps: "many", heartRate: [75] }, atMs: SERVER_TIME };
    expect(healthData({ ...person, metrics: { summary: odd } })).toMatchObject({
      steps: null,
      heartRate: null,
    });
  });
});
