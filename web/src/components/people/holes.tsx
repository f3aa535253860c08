// What a pointer, a finger or the keyboard finds of a sheet's gaps: each says all of its cause.
import type { CSSProperties } from "react";
import type { Stretch } from "@/services/stretches";

export interface Pointed extends Stretch {
  readonly words: string;
}

interface HolesProps {
  readonly stretch: Stretch;
  readonly gaps: readonly Pointed[];
}

/** Nobody steps through more with the keyboard: all of them are in the list and in the table. */
const MOST = 24;

/** Over the drawing, which is one picture to those who hear it. */
export function Holes({ stretch, gaps }: HolesProps) {
  return gaps.length === 0 ? null : (
    <ol className="holes" aria-label="Gaps">
      {gaps.slice(-MOST).map((gap) => (
        <li key={gap.toMs >= stretch.toMs ? "last" : gap.toMs}>
          <button
            type="button"
            aria-label={gap.words}
            style={{ left: `${share(stretch, gap.fromMs)}%`, width: `${widthOf(stretch, gap)}%` }}
          />
          <span className="tip" aria-hidden="true" style={beside(stretch, gap)}>
            <span>{gap.words}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}

function share({ fromMs, toMs }: Stretch, atMs: number): number {
  return round(((atMs - fromMs) / (toMs - fromMs)) * 100);
}

function widthOf(stretch: Stretch, { fromMs, toMs }: Stretch): number {
  return round(((toMs - fromMs) / (stretch.toMs - stretch.fromMs)) * 100);
}

function round(percent: number): number {
  return Math.round(percent * 1_000) / 1_000;
}

/** So near to an edge, words begin or end with their gap. */
const EDGE = 30;

/** Words stay within the sheet: at an edge they grow away from it, else to either side. */
function beside(stretch: Stretch, gap: Stretch): CSSProperties {
  const left = share(stretch, gap.fromMs);
  const right = share(stretch, gap.toMs);
  const middle = (left + right) / 2;
  if (middle < EDGE) {
    return { justifyContent: "flex-start", paddingLeft: `${left}%` };
  }
  if (middle > 100 - EDGE) {
    return { justifyContent: "flex-end", paddingRight: `${100 - right}%` };
  }
  return {
    justifyContent: "center",
    paddingLeft: `${Math.max(0, 2 * middle - 100)}%`,
    paddingRight: `${Math.max(0, 100 - 2 * middle)}%`,
  };
}
