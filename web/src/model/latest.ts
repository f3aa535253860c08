// Stretches that are not over, with what has come since they were fetched: one page, one number.
import type { Resolution } from "@/protocol/messages";
import type { Line, Point } from "@/services/lines";
import { BUCKET_MS, type Bucket, type PastRecord } from "@/services/past";
import { refusal } from "./missing";

/**
 * The record with the line's readings: a stretch that the line has as whole as the record, or
 * wholer, is the line's; of a longer one at least the extremes are.
 */
export function withLine(record: PastRecord, resolution: Resolution, line: Line): PastRecord {
  const usable = line.filter((point) => refusal(point) === null);
  // Of several devices the server takes one at each moment, and only it knows which.
  if (resolution === "raw" || usable.some(({ device }) => device !== usable[0]?.device)) {
    return record;
  }
  const lengthMs = BUCKET_MS[resolution];
  const short = resolution === "second" || resolution === "minute";
  const buckets = record.buckets.map((bucket) => {
    const own = usable.filter(({ atMs }) => atMs >= bucket.atMs && atMs < bucket.atMs + lengthMs);
    return own.length === 0
      ? bucket
      : short && own.length >= bucket.count
        ? bucketOf(bucket.atMs, own)
        : widened(bucket, own);
  });
  return { ...record, buckets: short ? [...buckets, ...newer(record, usable, lengthMs)] : buckets };
}

/** What has begun since the last answer. */
function newer(record: PastRecord, usable: Line, lengthMs: number): Bucket[] {
  const lastMs = record.buckets.at(-1)?.atMs ?? null;
  if (lastMs === null) {
    return [];
  }
  const found = new Map<number, Point[]>();
  for (const point of usable.filter(({ atMs }) => atMs >= lastMs + lengthMs)) {
    const beginsMs = Math.floor(point.atMs / lengthMs) * lengthMs;
    found.set(beginsMs, [...(found.get(beginsMs) ?? []), point]);
  }
  return [...found].map(([atMs, points]) => bucketOf(atMs, points));
}

function bucketOf(atMs: number, points: Line): Bucket {
  const values = points.map(({ value }) => value ?? 0);
  return {
    atMs,
    count: values.length,
    average: values.reduce((sum, value) => sum + value, 0) / values.length,
    min: Math.min(...values),
    max: Math.max(...values),
    taken: null,
  };
}

function widened(bucket: Bucket, points: Line): Bucket {
  const values = points.map(({ value }) => value ?? 0);
  return bucket.min === null || bucket.max === null
    ? bucket
    : {
        ...bucket,
        min: Math.min(bucket.min, ...values),
        max: Math.max(bucket.max, ...values),
      };
}
