// What a sheet of the past shows: means over their lowest to highest, gaps, what is still to come.
import type { Resolution } from "@/protocol/messages";
import type { Spell } from "@/services/causes";
import { type Ledger, NO_LEDGER } from "@/services/gaps";
import { BUCKET_MS, type Bucket, type PastRecord } from "@/services/past";
import { missingOf, type Stretch, within } from "@/services/stretches";
import { explain, type Piece } from "./explain";
import { afterFirst, type Before, beforeOf, type First } from "./first";
import { type Why, whyOf } from "./why";

export interface Mean extends Stretch {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** It is not over. */
  readonly running: boolean;
}

/** A hole of one cause; where its cause changes, several adjoin. */
export interface PastGap extends Stretch {
  readonly why: Why;
  /** Null where an end of it is not known. */
  readonly lengthMs: number | null;
}

export interface PastSheet extends Stretch {
  readonly runs: readonly (readonly Mean[])[];
  readonly gaps: readonly PastGap[];
  /** Before the first reading that there is; null: none of it, or it is not known. */
  readonly before: Before | null;
  /** Asked for, and not here yet. */
  readonly pending: readonly Stretch[];
  readonly least: number | null;
  readonly most: number | null;
  /** Over all that was measured in it, each reading counting once. */
  readonly average: number | null;
  readonly count: number;
}

export interface PastInput extends Stretch {
  readonly record: PastRecord;
  readonly resolution: Resolution;
  readonly spells: readonly Spell[];
  /** What the server accounts for; none where it has not been asked. */
  readonly ledger?: Ledger;
  readonly nowMs: number;
  /** Null where it is not known. */
  readonly first: First | null;
}

/** Straps do not send on the second: less than this is no gap between two seconds. */
const LEAST_GAP_MS = 4_000;
/** What a reading may take to come: the running end is no gap before that. */
const ON_ITS_WAY_MS = 15_000;
/** Less of a sheet than this is not seen. */
const LEAST_SHARE = 1 / 300;

export function pastSheetOf(input: PastInput): PastSheet {
  const { record, fromMs, toMs, nowMs } = input;
  const means = record.buckets
    .flatMap((bucket) => meanOf(bucket, input))
    .filter((mean) => mean.toMs > fromMs && mean.fromMs < toMs);
  const runs = split(means, BUCKET_MS[input.resolution]);
  const untilMs = Math.min(toMs, endOfKnown(input));
  const count = means.reduce((sum, mean) => sum + mean.count, 0);
  const before = beforeOf(input.first, { fromMs, toMs });
  const total = means.reduce((sum, mean) => sum + mean.mean * mean.count, 0);
  return {
    fromMs,
    toMs,
    runs,
    gaps: afterFirst(gapsOf(runs, input, untilMs), before),
    before,
    pending: missingOf({ fromMs, toMs: Math.min(toMs, nowMs) }, record.known).filter(
      (stretch) => stretch.fromMs < untilMs,
    ),
    least: means.length === 0 ? null : Math.min(...means.map(({ low }) => low)),
    most: means.length === 0 ? null : Math.max(...means.map(({ high }) => high)),
    average: count === 0 ? null : total / count,
    count,
  };
}

function meanOf(bucket: Bucket, { resolution, nowMs }: PastInput): Mean[] {
  const { atMs, count, average, min, max } = bucket;
  if (average === null || min === null || max === null || count === 0) {
    return [];
  }
  const endMs = atMs + BUCKET_MS[resolution];
  const toMs = Math.max(atMs + 1, Math.min(endMs, nowMs));
  const running = endMs > nowMs;
  return [{ fromMs: atMs, toMs, mean: average, low: min, high: max, count, running }];
}

/** Up to here it is known, but for what may still be on its way. */
function endOfKnown({ record, nowMs, resolution }: PastInput): number {
  const lastMs = record.known.at(-1)?.toMs ?? 0;
  const graceMs = Math.max(ON_ITS_WAY_MS, BUCKET_MS[resolution]);
  return nowMs - lastMs <= graceMs + BUCKET_MS[resolution] ? lastMs : nowMs - graceMs;
}

/** Straight from mean to mean where nothing is missing between them; else the pen is lifted. */
function split(means: readonly Mean[], lengthMs: number): Mean[][] {
  const runs: Mean[][] = [];
  let endMs = Number.NEGATIVE_INFINITY;
  for (const mean of means) {
    // A day with a change of the clock is an hour longer or shorter.
    const leastMs = Math.max(LEAST_GAP_MS, lengthMs / 10);
    if (mean.fromMs - endMs >= leastMs) {
      runs.push([]);
    }
    runs.at(-1)?.push(mean);
    endMs = mean.toMs;
  }
  return runs;
}

function gapsOf(runs: readonly (readonly Mean[])[], input: PastInput, untilMs: number): PastGap[] {
  const { record, fromMs, toMs, nowMs, spells, ledger = NO_LEDGER } = input;
  const leastMs = (toMs - fromMs) * LEAST_SHARE;
  const edges = runs.map((run) => ({
    fromMs: run[0]?.fromMs ?? 0,
    toMs: run.at(-1)?.toMs ?? 0,
  }));
  const holes = missingOf({ fromMs, toMs: untilMs }, edges)
    // What is not known is no gap.
    .flatMap((hole) => within(record.known, hole))
    .filter((hole) => hole.toMs - hole.fromMs >= LEAST_GAP_MS);
  return holes.flatMap((hole) => {
    const begins = edges.some((edge) => edge.toMs === hole.fromMs);
    const ends = edges.some((edge) => edge.fromMs === hole.toMs);
    const open = !ends && nowMs - hole.toMs < ON_ITS_WAY_MS + BUCKET_MS[input.resolution];
    const knowledge = { ledger, refused: [], spells, coarse: true };
    const pieces = explain({ ...hole, open }, knowledge, leastMs);
    return pieces.map((piece, index): PastGap => {
      const isWhole = (begins || index > 0) && (ends || index < pieces.length - 1);
      const lengthMs = lengthTold(piece, ledger) ?? (isWhole ? piece.toMs - piece.fromMs : null);
      return { fromMs: piece.fromMs, toMs: piece.toMs, why: piece.why, lengthMs };
    });
  });
}

/** As the server has it, to the second: means know it to their own length. */
function lengthTold({ fromMs, toMs, why, told }: Piece, { gaps, known }: Ledger): number | null {
  const own = told ? gaps.filter((gap) => within([gap], { fromMs, toMs }).length > 0) : [];
  const first = own.find((gap) => whyOf(gap) === why);
  const last = own.findLast((gap) => whyOf(gap) === why);
  const begins = !known.some((one) => one.fromMs === first?.fromMs);
  return first === undefined || last === undefined || !begins || last.lasts === true
    ? null
    : last.toMs - first.fromMs;
}
