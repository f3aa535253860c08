// What the five-minute sheet shows: runs of readings, gaps with their cause, how each came in.
import type { Spell } from "@/services/causes";
import type { Line, Point } from "@/services/lines";
import type { Stretch } from "@/services/stretches";
import { becauseBetween, refusal, type Why } from "./missing";
import { lateAfterMs } from "./rate";

/** `back`: filled in later. `estimated`: its time is not known exactly. */
export type Kind = "live" | "back" | "estimated";

export interface Run {
  readonly kind: Kind;
  readonly points: readonly { readonly atMs: number; readonly bpm: number }[];
}

export interface Gap extends Stretch {
  /** When it began, which may be before the sheet's left edge. */
  readonly sinceMs: number;
  readonly why: Why;
  /** It goes on. */
  readonly open: boolean;
  /** All of it, however little is on the sheet; null where an end of it is not known. */
  readonly lengthMs: number | null;
}

export interface Filled extends Stretch {
  readonly atMs: number;
}

export interface Entry extends Stretch {
  readonly kind: Kind | "hole";
}

export interface Sheet {
  readonly fromMs: number;
  readonly toMs: number;
  readonly runs: readonly Run[];
  readonly gaps: readonly Gap[];
  readonly filled: readonly Filled[];
  /** How each second came in. */
  readonly ledger: readonly Entry[];
  readonly least: number | null;
  readonly most: number | null;
  readonly last: { readonly atMs: number; readonly bpm: number } | null;
}

export const SHEET_MS = 300_000;

export interface SheetInput {
  readonly line: Line;
  readonly spells: readonly Spell[];
  readonly nowMs: number;
  readonly freshForMs: number;
  /** When the last reading was taken, where the line does not reach back to it. */
  readonly lastAtMs: number | null;
  /** The sheet ends before now: where the line goes on after it, if that is known. */
  readonly past?: { readonly nextAtMs: number | null };
}

interface Drawn {
  readonly atMs: number;
  readonly bpm: number;
  readonly kind: Kind;
  readonly receivedMs: number;
}

export function sheetOf(input: SheetInput): Sheet {
  const { nowMs } = input;
  const fromMs = nowMs - SHEET_MS;
  const breakMs = lateAfterMs(input.line, input.freshForMs);
  const drawn = input.line.flatMap((point) => draw(point, input.freshForMs));
  const refused = input.line.filter((point) => refusal(point) !== null);
  const whole = split(drawn, breakMs);
  const runs = whole
    .map((run) => clip(run, fromMs))
    .filter((run): run is readonly Drawn[] => run.length > 0);
  const gaps = gapsOf(whole, input, breakMs).map(
    (gap): Gap => ({
      ...gap,
      fromMs: Math.max(fromMs, gap.fromMs),
      why: becauseBetween(gap.fromMs, gap.toMs, refused, input.spells).why,
    }),
  );
  const values = runs.flat().map((point) => point.bpm);
  const last = drawn.at(-1);
  const parts = runs.flatMap(partsOf);
  return {
    fromMs,
    toMs: nowMs,
    runs: parts,
    gaps,
    filled: filledOf(parts),
    ledger: [...parts, ...gaps.map((gap): Entry => ({ ...gap, kind: "hole" }))]
      .map(({ kind, fromMs: start, toMs }) => ({ kind, fromMs: Math.max(fromMs, start), toMs }))
      .filter((entry) => entry.toMs > entry.fromMs),
    least: values.length === 0 ? null : Math.min(...values),
    most: values.length === 0 ? null : Math.max(...values),
    last: last === undefined || last.atMs < fromMs ? null : { atMs: last.atMs, bpm: last.bpm },
  };
}

function draw(point: Point, freshForMs: number): Drawn[] {
  if (point.value === null || refusal(point) !== null) {
    return [];
  }
  const late = point.receivedMs - point.atMs > freshForMs;
  const kind = point.estimated ? "estimated" : late ? "back" : "live";
  return [{ atMs: point.atMs, bpm: point.value, kind, receivedMs: point.receivedMs }];
}

/** Where more than the usual interval is missing, the pen is lifted. */
function split(drawn: readonly Drawn[], breakMs: number): Drawn[][] {
  const runs: Drawn[][] = [];
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const point of drawn) {
    if (point.atMs - lastMs > breakMs) {
      runs.push([]);
    }
    runs.at(-1)?.push(point);
    lastMs = point.atMs;
  }
  return runs;
}

/** From the last point before the sheet's left edge on, so that the line comes in from outside. */
function clip(run: readonly Drawn[], fromMs: number): readonly Drawn[] {
  const first = run.findIndex((point) => point.atMs >= fromMs);
  return first === -1 ? [] : run.slice(Math.max(0, first - 1));
}

function gapsOf(
  runs: readonly (readonly Drawn[])[],
  input: SheetInput,
  breakMs: number,
): Omit<Gap, "why">[] {
  const fromMs = input.nowMs - SHEET_MS;
  const gaps: Omit<Gap, "why">[] = [];
  let endMs = runs.length === 0 ? input.lastAtMs : null;
  for (const run of runs) {
    const startMs = run[0]?.atMs ?? 0;
    if (endMs !== null && startMs > fromMs) {
      gaps.push(gapOf(endMs, startMs, startMs, false));
    }
    endMs = run.at(-1)?.atMs ?? endMs;
  }
  const { past, nowMs } = input;
  const nextMs = past === undefined ? nowMs : past.nextAtMs;
  if (endMs !== null && (nextMs ?? nowMs) - endMs > breakMs && endMs < nowMs) {
    gaps.push(gapOf(endMs, nowMs, nextMs, past === undefined));
  }
  return gaps;
}

function gapOf(fromMs: number, toMs: number, untilMs: number | null, open: boolean) {
  const lengthMs = untilMs === null ? null : untilMs - fromMs;
  return { fromMs, sinceMs: fromMs, toMs, open, lengthMs };
}

interface Part extends Stretch {
  readonly kind: Kind;
  readonly points: readonly Drawn[];
}

/**
 * A run cut where the way of coming in changes. The step between two points belongs to the later
 * one: a part begins at the last point of the part before it.
 */
function partsOf(run: readonly Drawn[]): Part[] {
  const parts: { kind: Kind; points: Drawn[]; fromMs: number; toMs: number }[] = [];
  let before: Drawn | null = null;
  for (const point of run) {
    if (parts.at(-1)?.kind !== point.kind) {
      const points = before === null ? [] : [before];
      parts.push({ kind: point.kind, points, fromMs: (before ?? point).atMs, toMs: point.atMs });
    }
    const part = parts.at(-1);
    if (part !== undefined) {
      part.points.push(point);
      part.toMs = point.atMs;
    }
    before = point;
  }
  return parts;
}

const SECOND_MS = 1_000;

function filledOf(parts: readonly Part[]): Filled[] {
  return parts
    .filter(({ kind, fromMs, toMs }) => kind === "back" && toMs - fromMs >= SECOND_MS)
    .map(({ points, fromMs, toMs }) => ({
      fromMs,
      toMs,
      atMs: Math.max(...points.map((point) => (point.kind === "back" ? point.receivedMs : 0))),
    }));
}
