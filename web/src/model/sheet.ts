// What the five-minute sheet shows: runs of readings, gaps with their cause, how each came in.
import type { Spell } from "@/services/causes";
import { type Ledger, NO_LEDGER } from "@/services/gaps";
import type { Line, Point } from "@/services/lines";
import { type Stretch, within } from "@/services/stretches";
import { explain, type Hole, type Knowledge } from "./explain";
import { refusal } from "./missing";
import { lateAfterMs } from "./rate";
import { type Why, whyOf } from "./why";

/** `back`: filled in later. `estimated`: its time is not known exactly. */
export type Kind = "live" | "back" | "estimated";

export interface Run {
  readonly kind: Kind;
  readonly points: readonly { readonly atMs: number; readonly bpm: number }[];
}

/** A hole of one cause; where its cause changes, several adjoin. */
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
  /** What the server accounts for; none where it has not been asked. */
  readonly ledger?: Ledger;
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
  const whole = split(drawn, breakMs);
  const runs = whole
    .map((run) => clip(run, fromMs))
    .filter((run): run is readonly Drawn[] => run.length > 0);
  const gaps = [
    ...leading(whole, input, breakMs),
    ...breaksOf(whole, input, breakMs).flatMap((one) => gapsOf(one, input)),
  ];
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

/** Where nothing is drawn, from reading to reading. */
interface Break extends Hole {
  /** When it ended, or will be said to have; null where that is not known. */
  readonly untilMs: number | null;
}

function breaksOf(
  runs: readonly (readonly Drawn[])[],
  input: SheetInput,
  breakMs: number,
): Break[] {
  const fromMs = input.nowMs - SHEET_MS;
  const breaks: Break[] = [];
  let endMs = runs.length === 0 ? input.lastAtMs : null;
  for (const run of runs) {
    const startMs = run[0]?.atMs ?? 0;
    if (endMs !== null && startMs > fromMs) {
      breaks.push({ fromMs: endMs, toMs: startMs, untilMs: startMs, open: false });
    }
    endMs = run.at(-1)?.atMs ?? endMs;
  }
  const { past, nowMs } = input;
  const nextMs = past === undefined ? nowMs : past.nextAtMs;
  if (endMs !== null && (nextMs ?? nowMs) - endMs > breakMs && endMs < nowMs) {
    breaks.push({ fromMs: endMs, toMs: nowMs, untilMs: nextMs, open: past === undefined });
  }
  return breaks;
}

/** Less of a sheet than this is not seen. */
const LEAST_SHARE = 1 / 300;

function gapsOf({ untilMs, ...hole }: Break, input: SheetInput): Gap[] {
  const window = { fromMs: input.nowMs - SHEET_MS, toMs: input.nowMs };
  const whole = { ...hole, toMs: untilMs ?? hole.toMs };
  const pieces = explain(whole, knowledgeOf(input), SHEET_MS * LEAST_SHARE);
  return pieces.flatMap((piece, index): Gap[] => {
    const last = index === pieces.length - 1;
    const lengthMs = last && untilMs === null ? null : piece.toMs - piece.fromMs;
    return within([piece], window).map(({ fromMs, toMs, why }) => {
      return { fromMs, sinceMs: piece.fromMs, toMs, why, open: last && hole.open, lengthMs };
    });
  });
}

function knowledgeOf({ line, spells, ledger = NO_LEDGER }: SheetInput): Knowledge {
  const refused = line.filter((point) => refusal(point) !== null);
  return { ledger, refused, spells, coarse: false };
}

/**
 * Before the first reading that is here: where the server accounts for it, there was one before.
 * Of a sheet of the past the one who looks back knows better.
 */
function leading(runs: readonly (readonly Drawn[])[], input: SheetInput, breakMs: number): Gap[] {
  const { ledger = NO_LEDGER } = input;
  const ahead = leadingOf(runs, input, breakMs);
  const gaps = ahead === null ? [] : ledger.gaps.filter((gap) => within([gap], ahead).length > 0);
  return gaps.flatMap((gap): Gap[] => {
    const begins = !ledger.known.some(({ fromMs }) => fromMs === gap.fromMs);
    const lengthMs = begins ? gap.toMs - gap.fromMs : null;
    const shown = ahead === null ? [] : within([gap], ahead);
    return shown.map(({ fromMs, toMs }) => {
      return { fromMs, sinceMs: gap.fromMs, toMs, why: whyOf(gap), open: false, lengthMs };
    });
  });
}

function leadingOf(
  runs: readonly (readonly Drawn[])[],
  { nowMs, past }: SheetInput,
  breakMs: number,
): Stretch | null {
  const fromMs = nowMs - SHEET_MS;
  const firstMs = runs[0]?.[0]?.atMs ?? fromMs;
  return past === undefined && firstMs - fromMs > breakMs ? { fromMs, toMs: firstMs } : null;
}

/** Nobody is told of a silence of days here: of its beginning, on a person's own page. */
const LONGEST_MS = 24 * 3_600_000;
const GRID_MS = 10_000;
/** A hole that goes on is asked for anew now and then: more may be known of it. */
const OPEN_GRID_MS = 60_000;

/** Of what the server is asked why it is missing; null: nothing is. In steps, to be asked seldom. */
export function missingFrom(input: SheetInput): Stretch | null {
  const breakMs = lateAfterMs(input.line, input.freshForMs);
  const runs = split(
    input.line.flatMap((point) => draw(point, input.freshForMs)),
    breakMs,
  );
  const ahead = leadingOf(runs, input, breakMs);
  const breaks: readonly Stretch[] = breaksOf(runs, input, breakMs);
  const holes = ahead === null ? breaks : [ahead, ...breaks];
  const fromMs = Math.min(...holes.map((hole) => hole.fromMs));
  const toMs = Math.max(...holes.map((hole) => hole.toMs));
  const gridMs = toMs >= input.nowMs ? OPEN_GRID_MS : GRID_MS;
  const earliestMs = Math.floor((input.nowMs - LONGEST_MS) / OPEN_GRID_MS) * OPEN_GRID_MS;
  return holes.length === 0
    ? null
    : {
        fromMs: Math.max(earliestMs, Math.floor(fromMs / GRID_MS - 1) * GRID_MS),
        toMs: Math.ceil(toMs / gridMs + 1) * gridMs,
      };
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
