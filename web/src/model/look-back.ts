// Where a sheet stands in the past: how much it shows, where it ends, and how it is moved.
import type { Spell } from "@/services/causes";
import { type Ledger, NO_LEDGER } from "@/services/gaps";
import { BUCKET_MS, type PastRecord } from "@/services/past";
import { missingOf, type Stretch, within } from "@/services/stretches";
import { explain } from "./explain";
import { afterFirst, beforeOf, type First } from "./first";
import { refusal } from "./missing";
import type { Mean, PastSheet } from "./past";
import { type Gap, type Sheet, sheetOf } from "./sheet";
import { SPANS, type Span, spanOfSession } from "./spans";

export interface Looking {
  readonly span: Span;
  /** Null: at the present, and with it. */
  readonly endMs: number | null;
}

/**
 * What is looked at now: at the present a session's span grows with it. `sinceMs` is when the one
 * that runs began; null: none runs, and what was begun with goes on.
 */
export function grown(looking: Looking, sinceMs: number | null, nowMs: number): Looking {
  const fromMs = looking.span.sinceMs === undefined ? null : (sinceMs ?? looking.span.sinceMs);
  return fromMs === null || looking.endMs !== null
    ? looking
    : { ...looking, span: spanOfSession(fromMs, nowMs) };
}

export function stretchOf({ span, endMs }: Looking, nowMs: number): Stretch {
  const toMs = endMs ?? nowMs;
  return { fromMs: toMs - span.lengthMs, toMs };
}

/** Never past the present: there it stays with it. */
export function movedTo(looking: Looking, endMs: number, nowMs: number): Looking {
  return { ...looking, endMs: endMs >= nowMs ? null : Math.max(looking.span.lengthMs, endMs) };
}

export function movedBy(looking: Looking, byMs: number, nowMs: number): Looking {
  return movedTo(looking, (looking.endMs ?? nowMs) + byMs, nowMs);
}

/** Around the same middle, so that what was looked at stays on the sheet. */
export function spanned(looking: Looking, span: Span, nowMs: number): Looking {
  if (looking.endMs === null) {
    return { span, endMs: null };
  }
  const middleMs = looking.endMs - looking.span.lengthMs / 2;
  return movedTo({ span, endMs: null }, Math.round(middleMs + span.lengthMs / 2), nowMs);
}

/** The next one that shows more (1) or less (-1); the same where there is none. */
export function neighbour(span: Span, direction: 1 | -1): Span {
  const longer = SPANS.filter((one) => one.lengthMs > span.lengthMs);
  const shorter = SPANS.filter((one) => one.lengthMs < span.lengthMs);
  return (direction === 1 ? longer[0] : shorter.at(-1)) ?? span;
}

const LEAST_GRID_MS = 5_000;
/** Beside a sheet of readings: where its first and last gaps begin and end. */
export const MARGIN_MS = 60_000;

/**
 * What is fetched for it: in steps, so that a sheet that moves with time asks seldom. They double
 * now and then with a length that grows, and are else the same.
 */
export function fetched({ fromMs, toMs }: Stretch, { resolution, lengthMs }: Span): Stretch {
  const leastMs = Math.max(LEAST_GRID_MS, BUCKET_MS[resolution]);
  const gridMs = leastMs * 2 ** Math.max(0, Math.floor(Math.log2(lengthMs / 100 / leastMs)));
  const marginMs = resolution === "raw" ? MARGIN_MS : 0;
  return {
    fromMs: Math.max(0, Math.floor((fromMs - marginMs) / gridMs) * gridMs),
    toMs: Math.ceil((toMs + marginMs) / gridMs) * gridMs,
  };
}

export interface RawInput extends Stretch {
  readonly record: PastRecord;
  readonly spells: readonly Spell[];
  /** What the server accounts for; none where it has not been asked. */
  readonly ledger?: Ledger;
  readonly freshForMs: number;
  readonly first: First | null;
}

/** Five minutes of readings that are past, drawn as when they were present. */
export function rawSheetOf(input: RawInput): Sheet {
  const { record, fromMs, toMs, spells, ledger = NO_LEDGER, freshForMs } = input;
  const drawn = record.points.filter((point) => refusal(point) === null);
  const sheet = sheetOf({
    line: record.points.filter(({ atMs }) => atMs >= fromMs - MARGIN_MS && atMs <= toMs),
    spells,
    ledger,
    nowMs: toMs,
    freshForMs,
    lastAtMs: drawn.findLast(({ atMs }) => atMs < fromMs)?.atMs ?? null,
    past: { nextAtMs: drawn.find(({ atMs }) => atMs > toMs)?.atMs ?? null },
  });
  const gaps = [...leading(sheet, input), ...sheet.gaps.filter(isKnown(record))];
  return { ...sheet, gaps: afterFirst(gaps, beforeOf(input.first, input)) };
}

/** Less of five minutes than this is not seen. */
const LEAST_MS = 1_000;

/** Before the first reading of which anything is known. */
function leading(sheet: Sheet, input: RawInput): Gap[] {
  const { record, fromMs, toMs, spells, ledger = NO_LEDGER, freshForMs } = input;
  const firstMs = sheet.ledger[0]?.fromMs ?? toMs;
  const begun = sheet.gaps.some((gap) => gap.fromMs <= fromMs);
  const hole = { fromMs, toMs: firstMs, open: false };
  if (begun || firstMs - fromMs <= freshForMs || !isKnown(record)(hole)) {
    return [];
  }
  const refused = record.points.filter((point) => refusal(point) !== null);
  const pieces = explain(hole, { ledger, refused, spells, coarse: false }, LEAST_MS);
  return pieces.map((piece, index): Gap => {
    const lengthMs = index === 0 ? null : piece.toMs - piece.fromMs;
    const { why } = piece;
    return {
      fromMs: piece.fromMs,
      sinceMs: piece.fromMs,
      toMs: piece.toMs,
      why,
      lengthMs,
      open: false,
    };
  });
}

function isKnown(record: PastRecord): (stretch: Stretch) => boolean {
  return (stretch) => within(record.known, stretch).length > 0;
}

/** A sheet of readings as one of means, each of one reading: for figures and rows. */
export function asPast(
  sheet: Sheet,
  known: readonly Stretch[] | null,
  first: First | null,
): PastSheet {
  const means = sheet.runs
    .flatMap(({ points }, index) => {
      // A run that goes on from another begins with the other's last point.
      const before = sheet.runs[index - 1]?.points.at(-1);
      const [first] = points;
      return before !== undefined && first?.atMs === before.atMs ? points.slice(1) : points;
    })
    .filter(({ atMs }) => atMs >= sheet.fromMs && atMs <= sheet.toMs)
    .map(
      ({ atMs, bpm }): Mean => ({
        fromMs: atMs,
        toMs: atMs,
        mean: bpm,
        low: bpm,
        high: bpm,
        count: 1,
        running: false,
      }),
    );
  const total = means.reduce((sum, { mean }) => sum + mean, 0);
  return {
    fromMs: sheet.fromMs,
    toMs: sheet.toMs,
    runs: [means],
    gaps: sheet.gaps,
    before: beforeOf(first, sheet),
    pending: known === null ? [] : missingOf({ fromMs: sheet.fromMs, toMs: sheet.toMs }, known),
    least: sheet.least,
    most: sheet.most,
    average: means.length === 0 ? null : total / means.length,
    count: means.length,
  };
}
