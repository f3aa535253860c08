import { expect, test } from "vitest";
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
