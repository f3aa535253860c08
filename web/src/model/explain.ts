// A hole in a line, cut where its cause changes: by the server's ledger, and by what this page knows.
import { Cause, type Spell } from "@/services/causes";
import type { Ledger } from "@/services/gaps";
import type { Line } from "@/services/lines";
import { missingOf, type Stretch, within } from "@/services/stretches";
import { becauseBetween } from "./missing";
import { Missing, Told, type Why, whyOf } from "./why";

/** Between two readings that are drawn, or up to now. */
export interface Hole extends Stretch {
  /** It goes on. */
  readonly open: boolean;
}

export interface Knowledge {
  readonly ledger: Ledger;
  /** Readings that were not drawn. */
  readonly refused: Line;
  readonly spells: readonly Spell[];
  /** The line is of means: its readings are not here, and those not drawn say nothing. */
  readonly coarse: boolean;
}

/** A part of a hole that has one cause. */
export interface Piece extends Stretch {
  readonly why: Why;
  /** When its cause began, where that is known. */
  readonly sinceMs: number | null;
  /** The server's own word. */
  readonly told: boolean;
}

/** Nothing that is sure: what is known of this moment says more. */
const VAGUE: ReadonlySet<Why> = new Set<Why>([
  Told.SILENT,
  Told.SILENT_LINKED,
  Told.PENDING,
  Missing.NO_READING,
]);
/** Of the strap's own way: what is known of the strap at this moment may be the same thing. */
const OF_STRAP: ReadonlySet<Why> = new Set<Why>([
  Told.RADIO_LOST,
  Told.BLUETOOTH_AWAY,
  Told.BATTERY_EMPTY,
  Cause.NOT_WORN,
]);
const STRAP_AWAY: ReadonlySet<Why> = new Set<Why>([Cause.OUT_OF_RANGE, Cause.NOT_WORN]);
/** A drop is noticed a little late. */
const NOTICED_MS = 15_000;

/**
 * The pieces are exactly the hole, in order of time. What the server accounts for comes first; of
 * the rest, and of a hole that goes on, this page says what it knows.
 *
 * @param leastMs A piece that is shorter joins its longer neighbour: nobody would see it.
 */
export function explain(hole: Hole, knowledge: Knowledge, leastMs: number): Piece[] {
  const told = within(knowledge.ledger.gaps, hole).map(
    (gap): Piece => ({
      fromMs: gap.fromMs,
      toMs: gap.toMs,
      why: whyOf(gap),
      sinceMs: gap.fromMs,
      told: true,
    }),
  );
  const rest = missingOf(hole, told).map((part) => untold(part, hole, knowledge));
  const pieces = [...told, ...rest].sort((a, b) => a.fromMs - b.fromMs);
  const now = hole.open ? ofNow(merged(pieces), hole, knowledge) : pieces;
  return coarsened(merged(now), leastMs);
}

function untold(part: Stretch, { open }: Hole, knowledge: Knowledge): Piece {
  const { ledger, refused, spells, coarse } = knowledge;
  const because = becauseBetween(part.fromMs, part.toMs, refused, spells);
  const accounted = coarse && missingOf(part, ledger.known).length === 0;
  const nothing = because.why === Missing.NO_READING;
  const { completeThroughMs } = ledger;
  const waits = nothing && completeThroughMs !== null && part.fromMs >= completeThroughMs;
  const why = waits && !open ? Told.PENDING : nothing && accounted ? Missing.UNUSABLE : because.why;
  return { fromMs: part.fromMs, toMs: part.toMs, why, sinceMs: because.sinceMs, told: false };
}

/** The end of a hole that goes on: by what lasts at this moment, where that says more. */
function ofNow(pieces: readonly Piece[], hole: Hole, { refused, spells }: Knowledge): Piece[] {
  const firstVague = pieces.findLastIndex(({ why }) => !VAGUE.has(why)) + 1;
  const tail = pieces.slice(firstVague);
  const [first] = tail;
  const lasting = spells.filter(({ toMs }) => toMs === null);
  if (first === undefined || lasting.length === 0) {
    return [...pieces];
  }
  const { why, sinceMs } = becauseBetween(first.fromMs, hole.toMs, refused, lasting);
  if (why === Missing.NO_READING) {
    return [...pieces];
  }
  const before = pieces[firstVague - 1];
  const beganMs = Math.max(first.fromMs, sinceMs ?? first.fromMs);
  const goesOn =
    before?.told &&
    OF_STRAP.has(before.why) &&
    STRAP_AWAY.has(why) &&
    beganMs - before.toMs <= NOTICED_MS;
  if (goesOn) {
    return [...pieces.slice(0, firstVague), { ...before, fromMs: first.fromMs, toMs: hole.toMs }];
  }
  // What was told of the time before it stays told.
  const told = tail.some((piece) => piece.told && piece.why !== Told.PENDING);
  const fromMs = told && beganMs - first.fromMs > NOTICED_MS ? beganMs : first.fromMs;
  return [
    ...pieces.slice(0, firstVague),
    ...within(tail, { fromMs: first.fromMs, toMs: fromMs }),
    { fromMs, toMs: hole.toMs, why, sinceMs, told: false },
  ];
}

function merged(pieces: readonly Piece[]): Piece[] {
  const found: Piece[] = [];
  for (const piece of pieces) {
    const last = found.at(-1);
    if (last?.why === piece.why) {
      found[found.length - 1] = { ...last, toMs: piece.toMs };
    } else {
      found.push(piece);
    }
  }
  return found;
}

function coarsened(pieces: readonly Piece[], leastMs: number): Piece[] {
  let left = [...pieces];
  for (;;) {
    const index = left.findIndex(({ fromMs, toMs }) => toMs - fromMs < leastMs);
    const short = left[index];
    if (left.length < 2 || short === undefined) {
      return left;
    }
    const [before, after] = [left[index - 1], left[index + 1]];
    const intoAfter = before === undefined || (after !== undefined && longer(after, before));
    left = merged(
      intoAfter
        ? [
            ...left.slice(0, index),
            ...(after === undefined ? [] : [{ ...after, fromMs: short.fromMs }]),
            ...left.slice(index + 2),
          ]
        : [...left.slice(0, index - 1), { ...before, toMs: short.toMs }, ...left.slice(index + 1)],
    );
  }
}

function longer(one: Stretch, other: Stretch): boolean {
  return one.toMs - one.fromMs > other.toMs - other.fromMs;
}
