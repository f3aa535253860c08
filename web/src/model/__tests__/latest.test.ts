import { expect, test } from "vitest";
import type { Bucket, PastRecord } from "@/services/past";
import { withLine } from "../latest";
import { NOW, point, readings } from "./people-of";

const MINUTE = 60_000;
const T = Math.floor(NOW / MINUTE) * MINUTE;

function bucket(atMs: number, count: number): Bucket {
  return { atMs, count, average: 70, min: 60, max: 80, taken: null };
}

function record(...buckets: Bucket[]): PastRecord {
  return { points: [], buckets, known: [], zone: null };
}

/** One a second, from a whole minute on. */
const line = readings(T - NOW, T - NOW + 90_000, 110);

test("a minute that the line has wholer is the line's, and so is one that has begun since", () => {
  const { buckets } = withLine(record(bucket(T, 40)), "minute", line);
  expect(buckets).toEqual([
    { atMs: T, count: 60, average: 110, min: 110, max: 110, taken: null },
    { atMs: T + MINUTE, count: 30, average: 110, min: 110, max: 110, taken: null },
  ]);
});

test("a minute that was fetched wholer keeps its mean, and takes the extremes", () => {
  const { buckets } = withLine(record(bucket(T, 60)), "minute", line.slice(0, 20));
  expect(buckets).toEqual([{ ...bucket(T, 60), max: 110 }]);
});

test("of a day that runs the extremes are the line's, and no day begins by itself", () => {
  const { buckets } = withLine(record(bucket(T, 9_000)), "day", [...line, point(T + 91_000, 40)]);
  expect(buckets).toEqual([{ ...bucket(T, 9_000), min: 40, max: 110 }]);
});

test("refused readings count for nothing, and of several devices the server chooses", () => {
  const spoiled = point(T, 200, { quality: ["implausible"] });
  expect(withLine(record(bucket(T, 60)), "minute", [spoiled]).buckets).toEqual([bucket(T, 60)]);
  const two = [...line, point(T + 5, 200, { device: "d2" })];
  expect(withLine(record(bucket(T, 60)), "minute", two).buckets).toEqual([bucket(T, 60)]);
});
