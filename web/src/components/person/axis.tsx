// The times below a sheet of any length.
import { useWidth } from "@/hooks/use-width";
import { ticksOf } from "@/model/spans";
import type { Stretch } from "@/services/stretches";

interface AxisProps extends Stretch {
  /** Its right edge is the present. */
  readonly live: boolean;
}

const LABEL_PX = 64;
const LEAST_TICKS = 3;
/** How near to either end a label may stand. */
const EDGE_PX = 22;
const NOW_PX = 60;

export function Axis({ fromMs, toMs, live }: AxisProps) {
  const [axis, width] = useWidth<HTMLDivElement>();
  const share = (atMs: number) => (atMs - fromMs) / (toMs - fromMs);
  const ticks = ticksOf(fromMs, toMs, Math.max(LEAST_TICKS, Math.floor(width / LABEL_PX))).filter(
    ({ atMs }) =>
      share(atMs) * width >= EDGE_PX && (1 - share(atMs)) * width >= (live ? NOW_PX : EDGE_PX),
  );
  return (
    <div className="axis" ref={axis} aria-hidden="true">
      {ticks.map(({ atMs, label }) => (
        <span key={atMs} style={{ left: `${share(atMs) * 100}%` }}>
          {label}
        </span>
      ))}
      {live ? <span className="end">now</span> : null}
    </div>
  );
}
