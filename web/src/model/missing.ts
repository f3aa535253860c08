// Why there is no reading, in words: what the hops say, else what the readings say, else nothing.
import { Cause, type Spell } from "@/services/causes";
import type { Point } from "@/services/lines";

/** Causes that stand in the readings themselves, and the one that claims nothing. */
export enum Missing {
  NO_SIGNAL = "noSignal",
  IMPLAUSIBLE = "implausible",
  NO_READING = "noReading",
}

export type Why = Cause | Missing;

const WORDS: Readonly<Record<Why, string>> = {
  [Cause.NOT_WORN]: "not worn",
  [Cause.OUT_OF_RANGE]: "strap out of range",
  [Cause.BRIDGE_OFFLINE]: "bridge offline",
  [Cause.NOT_STORING]: "server cannot store",
  [Cause.SERVER_AWAY]: "server away",
  [Cause.SCREEN_OFFLINE]: "this screen is offline",
  [Missing.NO_SIGNAL]: "no signal",
  [Missing.IMPLAUSIBLE]: "readings not plausible",
  [Missing.NO_READING]: "no reading",
};

/** "strap out of range". */
export function whyWords(why: Why): string {
  return WORDS[why];
}

const COUNTED: Readonly<Record<Why, string>> = {
  [Cause.NOT_WORN]: "not worn",
  [Cause.OUT_OF_RANGE]: "out of range",
  [Cause.BRIDGE_OFFLINE]: "with the bridge offline",
  [Cause.NOT_STORING]: "not stored",
  [Cause.SERVER_AWAY]: "cut off, server away",
  [Cause.SCREEN_OFFLINE]: "cut off, no network here",
  [Missing.NO_SIGNAL]: "without a signal",
  [Missing.IMPLAUSIBLE]: "not plausible",
  [Missing.NO_READING]: "silent",
};

/** After a number of people: "2 live, 1 out of range". */
export function whyCounted(why: Why): string {
  return COUNTED[why];
}

/** What a reading says of itself that keeps it off the line; null for one that is drawn. */
export function refusal(point: Point): Why | null {
  if (point.contact === false || point.quality.includes("noContact")) {
    return Cause.NOT_WORN;
  }
  if (point.value === null || point.value <= 0 || point.quality.includes("zero")) {
    return Missing.NO_SIGNAL;
  }
  return point.quality.includes("implausible") ? Missing.IMPLAUSIBLE : null;
}

/** A drop is noticed late, so that a spell need not cover the gap whole to be its cause. */
const LEAST_SHARE = 1 / 3;

/**
 * The cause of a gap, on evidence alone: refused readings within it, then the longest spell. One
 * that still lasts is evidence however short it is; one that is over must have lasted a while.
 */
export function whyBetween(
  fromMs: number,
  toMs: number,
  refused: readonly Point[],
  spells: readonly Spell[],
): Why {
  const within = refused.filter((point) => point.atMs > fromMs && point.atMs < toMs).at(-1);
  const said = within === undefined ? null : refusal(within);
  if (said !== null) {
    return said;
  }
  let longest: Spell | null = null;
  let longestMs = 0;
  for (const spell of spells) {
    const overlapMs = Math.min(toMs, spell.toMs ?? toMs) - Math.max(fromMs, spell.fromMs);
    const leastMs = spell.toMs === null ? 0 : (toMs - fromMs) * LEAST_SHARE;
    if (overlapMs > leastMs && overlapMs > longestMs) {
      longest = spell;
      longestMs = overlapMs;
    }
  }
  return longest?.cause ?? Missing.NO_READING;
}

/** The cause at this moment; null when nothing is known to stand in the way. */
export function whyNow(spells: readonly Spell[], last: Point | undefined): Why | null {
  const open = spells.find((spell) => spell.toMs === null);
  return open?.cause ?? (last === undefined ? null : refusal(last));
}
