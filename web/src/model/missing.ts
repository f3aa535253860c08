// Why there is no reading: what the hops say, else what the readings say, else nothing.
import { Cause, type Spell } from "@/services/causes";
import type { Point } from "@/services/lines";
import { Missing, type Why } from "./why";

/** What a reading, or the last value, says. */
type Said = Pick<Point, "value" | "quality"> & { readonly contact?: Point["contact"] };

/** What a reading says of itself that keeps it off the line; null for one that is drawn. */
export function refusal(point: Said): Why | null {
  if (point.contact === false || point.quality.includes("noContact")) {
    return Cause.NOT_WORN;
  }
  if (point.value === null || point.value <= 0 || point.quality.includes("zero")) {
    return Missing.NO_SIGNAL;
  }
  if (point.quality.includes("implausible")) {
    return Missing.IMPLAUSIBLE;
  }
  return point.quality.includes("frozen") ? Missing.FROZEN : null;
}

/** A drop is noticed late, so that a spell need not cover the gap whole to be its cause. */
const LEAST_SHARE = 1 / 3;

export interface Because {
  readonly why: Why;
  /** When it began, where a spell is the cause. */
  readonly sinceMs: number | null;
}

/** What this screen lost itself: while that lasts, it knows nothing of anything further away. */
export function ownLoss(spells: readonly Spell[]): Because | null {
  const own = spells.find((spell) => spell.toMs === null && OWN.has(spell.cause));
  return own === undefined ? null : { why: own.cause, sinceMs: own.fromMs };
}

const OWN: ReadonlySet<Cause> = new Set([Cause.SERVER_AWAY, Cause.SCREEN_OFFLINE]);

/**
 * The cause of a gap, on evidence alone: refused readings within it, then the longest spell. In a
 * gap that goes on, a spell that still lasts comes before those that are over, however short it
 * is; one that is over must have covered a third. A loss of this screen's own that lasts and has
 * covered a third comes before what was last heard of the way beyond.
 */
export function becauseBetween(
  fromMs: number,
  toMs: number,
  refused: readonly Point[],
  spells: readonly Spell[],
): Because {
  const within = refused.filter((point) => point.atMs > fromMs && point.atMs < toMs).at(-1);
  const said = within === undefined ? null : refusal(within);
  if (said !== null) {
    return { why: said, sinceMs: null };
  }
  const overlapMs = (spell: Spell) =>
    Math.min(toMs, spell.toMs ?? toMs) - Math.max(fromMs, spell.fromMs);
  const touching = spells.filter((spell) => overlapMs(spell) > 0);
  const lasting = touching.filter((spell) => spell.toMs === null);
  const leastMs = (toMs - fromMs) * LEAST_SHARE;
  const own = lasting.filter((spell) => OWN.has(spell.cause) && overlapMs(spell) >= leastMs);
  const held = own.length > 0 ? own : lasting;
  const candidates =
    held.length > 0 ? held : touching.filter((spell) => overlapMs(spell) >= leastMs);
  const longest = candidates.reduce<Spell | null>(
    (best, spell) => (best !== null && overlapMs(best) >= overlapMs(spell) ? best : spell),
    null,
  );
  return longest === null
    ? { why: Missing.NO_READING, sinceMs: null }
    : { why: longest.cause, sinceMs: longest.fromMs };
}

/** The cause at this moment; null when nothing is known to stand in the way. */
export function becauseNow(spells: readonly Spell[], last: Point | undefined): Because | null {
  const open = spells.find((spell) => spell.toMs === null);
  if (open !== undefined) {
    return { why: open.cause, sinceMs: open.fromMs };
  }
  const said = last === undefined ? null : refusal(last);
  return said === null ? null : { why: said, sinceMs: null };
}
