import { expect, test } from "vitest";
import { status } from "@/services/__tests__/fake-server";
import { standingOf } from "../standing";
import { summaryOf } from "../summary";
import { SyncStatus } from "../sync-status";
import { isOnlyTold, toldOf } from "../told";
import { clock } from "../words";
import { connection, NOW, person, rate } from "./people-of";

const summary = {
  summary: {
    steps: 10_000,
    heartRate: { average: 75.456, resting: null },
    mood: " good ",
    batteryLevel: 80,
    worn: true,
  },
  atMs: NOW - 1_000,
};
const nobody = status({
  status: "offline",
  hops: { devices: [], bridges: [], server: { state: "ok", sinceMs: NOW } },
});
const told = person({ metrics: { summary }, status: nobody });

test("every field in words, as given", () => {
  expect(toldOf(told)).toEqual({
    atMs: NOW - 1_000,
    fields: [
      { name: "Steps", text: "10,000" },
      { name: "Heart rate, average", text: "75.46" },
      { name: "Mood", text: "good" },
      { name: "Battery level", text: "80" },
      { name: "Worn", text: "yes" },
    ],
  });
  expect(toldOf(person())).toBeNull();
});

test("however much an application says, a screen shows a bounded part of it", () => {
  const many = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [`field ${index}`, "x".repeat(500)]),
  );
  const fields = toldOf(person({ metrics: { summary: { summary: many, atMs: NOW } } }))?.fields;
  expect(fields).toHaveLength(12);
  expect(fields?.[0]?.text).toHaveLength(48);
});

test("who is only told is not offline, and waits for no strap", () => {
  expect(isOnlyTold(told)).toBe(true);
  expect(isOnlyTold(person({ metrics: { summary, heart_rate: rate(500) } }))).toBe(false);
  expect(isOnlyTold(person({ metrics: { summary } }))).toBe(false);
  const input = { connection: connection(), nowMs: NOW, retryInMs: null };
  expect(standingOf({ ...input, people: [told] })).toMatchObject({
    status: SyncStatus.SYNCED,
    detail: `given at ${clock(NOW - 1_000)}`,
  });
  expect(standingOf({ ...input, people: [told, person()] }).status).toBe(SyncStatus.REALTIME);
  expect(summaryOf([told], NOW, true)).toBe("1 person, told by the application");
});
