// How people are laid out: wide channels, or compact ones in as many columns as the screen holds.
import { useMedia } from "./use-media";

export interface Layout {
  /**
   * `channel`: figure, wide sheet, the rest beside it. `compact`: figure beside a small sheet.
   * `seat`: a large figure over a flat sheet, for many people across the room.
   */
  readonly layout: "channel" | "compact" | "seat";
  readonly columns: number;
}

export type Screen = "narrow" | "tablet" | "desk" | "wall";

/** The most people that each number of columns holds, on each kind of screen. */
const STEPS: Readonly<Record<Screen, readonly (readonly [most: number, layout: Layout])[]>> = {
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
export function layoutFor(people: number, screen: Screen): Layout {
  const found = STEPS[screen].find(([most]) => people <= most);
  return found?.[1] ?? { layout: "compact", columns: 1 };
}

export function useLayout(people: number): Layout {
  const wall = useMedia("(min-width: 1600px)");
  const desk = useMedia("(min-width: 1001px)");
  const tablet = useMedia("(min-width: 760px)");
  return layoutFor(people, wall ? "wall" : desk ? "desk" : tablet ? "tablet" : "narrow");
}
