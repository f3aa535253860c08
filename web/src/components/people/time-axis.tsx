// The time axis that all people share, and the legend of the line's grammar.
import { useWidth } from "@/hooks/use-width";
import { SHEET_MS } from "@/model/sheet";
import { clock } from "@/model/words";
import { minutes } from "./sheet";

/** What a label takes, and how near to "now" the last one may stand. */
const LABEL_PX = 44;
const CLEAR_PX = 60;
const EDGE_PX = 20;
const MINUTES = SHEET_MS / 60_000;

export function TimeAxis({ nowMs }: { readonly nowMs: number }) {
  const [axis, width] = useWidth<HTMLDivElement>();
  const fromMs = nowMs - SHEET_MS;
  const every = width / MINUTES < LABEL_PX ? 2 : 1;
  const placed = minutes({ fromMs, toMs: nowMs })
    .map((atMs) => ({ atMs, share: (atMs - fromMs) / SHEET_MS }))
    .filter(({ share }) => share * width >= EDGE_PX && (1 - share) * width >= CLEAR_PX)
    // Counted in minutes of the clock, so that a label stays with its minute as time goes on.
    .filter(({ atMs }) => (atMs / 60_000) % every === 0);
  return (
    <div className="shared" aria-hidden="true">
      <div className="axis" ref={axis}>
        {placed.map(({ atMs, share }) => (
          <span key={atMs} style={{ left: `${share * 100}%` }}>
            {clock(atMs)}
          </span>
        ))}
        <span className="end">now</span>
      </div>
    </div>
  );
}

export function Legend() {
  return (
    <div className="legend" aria-hidden="true">
      <span>
        <i className="ledger">
          <i className="live" />
        </i>
        live
      </span>
      <span>
        <i className="ledger">
          <i className="back" />
        </i>
        filled in later
      </span>
      <span>
        <i className="ledger">
          <i className="est" />
        </i>
        time estimated
      </span>
      <span>
        <i className="swatch" />
        gap, with its cause
      </span>
    </div>
  );
}
