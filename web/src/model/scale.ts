// The levels of a sheet: a steady range around what is drawn, and round numbers to read it by.

export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly levels: readonly number[];
}

/** Span in bpm with the distance of its levels. */
const SPANS: readonly (readonly [span: number, step: number])[] = [
  [40, 20],
  [60, 20],
  [80, 20],
  [120, 40],
  [160, 40],
  [240, 80],
];
const GRID = 5;
/** What is drawn keeps this far from the edges. */
const MARGIN = 3;
/** No level closer to an edge than this share of the span: its number would be cut. */
const EDGE = 0.07;

/**
 * A range for values from `least` to `most`. The one before stays while everything fits into it
 * and a smaller one would not do: a sheet that moves up and down cannot be read.
 */
export function scaleFor(least: number, most: number, before: Scale | null): Scale {
  const needed = most - least + 2 * MARGIN;
  const index = SPANS.findIndex(([span]) => span >= needed);
  const [span, step] = SPANS[index === -1 ? SPANS.length - 1 : index] ?? [240, 80];
  if (before !== null && fits(before, least, most) && before.high - before.low <= span * 1.5) {
    return before;
  }
  const middle = (least + most) / 2;
  const low = Math.round((middle - span / 2) / GRID) * GRID;
  const high = low + span;
  const round = levelsIn(low, high, step, step);
  return { low, high, levels: round.length > 1 ? round : levelsIn(low, high, step, step / 2) };
}

/** Levels `step` apart, the first on a multiple of `grid`. */
function levelsIn(low: number, high: number, step: number, grid: number): number[] {
  const edge = (high - low) * EDGE;
  const levels: number[] = [];
  for (let level = Math.ceil((low + edge) / grid) * grid; level <= high - edge; level += step) {
    levels.push(level);
  }
  return levels;
}

function fits(scale: Scale, least: number, most: number): boolean {
  return least - MARGIN >= scale.low && most + MARGIN <= scale.high;
}
