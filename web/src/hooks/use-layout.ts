// How people are laid out: wide channels, or compact ones in as many columns as the screen holds.
import { useMedia } from "./use-media";

export interface Layout {
  /**
   * `channel`: figure, wide sheet, the rest beside it. `compact`: figure beside a small sheet.
   * `seat`: a large figure over a flat sheet, for many people across the room.
   */
  readonly layout: "channel" | "compact" | "seat";
  readonly columns: number;
  /** So little height for so many that the facts stand beside their figure, not below it. */
  readonly tight: boolean;
}

type Arrangement = Omit<Layout, "tight">;

export type Screen = "narrow" | "tablet" | "desk" | "wall";

/** The most people that each number of columns holds, on each kind of screen. */
const STEPS: Readonly<Record<Screen, readonly (readonly [most: number, layout: Arrangement])[]>> = {
  narrow: [[Number.POSITIVE_INFINITY, { layout: "compact", columns: 1 }]],
  tablet: [
    [3, { layout: "compact", columns: 1 }],
    [Number.POSITIVE_INFINITY, { layout: "compact", columns: 2 }],
  ],
  desk: [
    [4, { layout: "channel", columns: 1 }],
    [6, { layout: "compact", columns: 2 }],
    [Number.POSITIVE_INFINITY, { layout: "compact", columns: 3 }],
  ],
  wall: [
    [3, { layout: "channel", columns: 1 }],
    [6, { layout: "channel", columns: 2 }],
    [12, { layout: "seat", columns: 4 }],
    [Number.POSITIVE_INFINITY, { layout: "seat", columns: 6 }],
  ],
};

/** What this many people get on such a screen. */
export function layoutFor(people: number, screen: Screen): Arrangement {
  const found = STEPS[screen].find(([most]) => people <= most);
  return found?.[1] ?? { layout: "compact", columns: 1 };
}

/** From how many people on a column is tight, where 860 or 1000 pixels are all the height. */
const TIGHT_FROM: Readonly<Record<Screen, readonly [at860: number, at1000: number]>> = {
  narrow: [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  tablet: [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  desk: [3, 4],
  wall: [3, 3],
};

export function useLayout(people: number): Layout {
  const wall = useMedia("(min-width: 1600px)");
  const desk = useMedia("(min-width: 1001px)");
  const tablet = useMedia("(min-width: 760px)");
  const short = useMedia("(max-height: 860px)");
  const low = useMedia("(max-height: 1000px)");
  const screen = wall ? "wall" : desk ? "desk" : tablet ? "tablet" : "narrow";
  const found = layoutFor(people, screen);
  const [at860, at1000] = TIGHT_FROM[screen];
  const crowded = (short && people >= at860) || (low && people >= at1000);
  return { ...found, tight: found.layout === "channel" && found.columns === 1 && crowded };
}
