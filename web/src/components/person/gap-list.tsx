// The gaps of the stretch that is shown, the newest first: when, how long, and why.
import { useState } from "react";
import { useGaps } from "@/hooks/use-gaps";
import type { First } from "@/model/first";
import {
  gapsWords,
  isAccounted,
  lengthWords,
  pieceWords,
  reachWords,
  type Silence,
  silencesOf,
  whenWords,
} from "@/model/gap-list";
import type { Stretch } from "@/services/stretches";

interface GapListProps {
  readonly user: string;
  readonly stretch: Stretch;
  readonly nowMs: number;
  readonly first: First | null;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Of a longer stretch, so much is asked for at first, and each time that more is wanted. */
const REACH_MS = DAY_MS;
/** So many at first, and each time that more are wanted. */
const ROWS = 6;
/** Who wants more of them looks at a shorter stretch. */
const MOST_ROWS = 600;

/** What is asked for: in steps of a minute, so that a list at the present asks seldom. */
export function listed({ fromMs, toMs }: Stretch, reaches: number): Stretch {
  const earliestMs = Math.max(fromMs, toMs - reaches * REACH_MS);
  return {
    fromMs: Math.max(0, Math.floor(earliestMs / MINUTE_MS) * MINUTE_MS),
    toMs: Math.ceil(toMs / MINUTE_MS) * MINUTE_MS,
  };
}

/** Another length begins anew: to be keyed by it. */
export function GapList({ user, stretch, nowMs, first }: GapListProps) {
  const [reaches, setReaches] = useState(1);
  const [rows, setRows] = useState(ROWS);
  const asked = listed(stretch, reaches);
  const ledger = useGaps({ user, metric: "heart_rate" }, [asked]);
  const shown = { fromMs: Math.max(stretch.fromMs, asked.fromMs), toMs: stretch.toMs };
  const silences = silencesOf(ledger, shown);
  const isWhole = isAccounted(ledger, shown, nowMs);
  const beginsMs = Math.max(stretch.fromMs, first?.firstMs ?? stretch.fromMs);
  const hasEarlier = shown.fromMs - beginsMs >= MINUTE_MS;
  const hidden = silences.length - rows;
  const isFull = rows >= MOST_ROWS;
  const more = () => {
    if (hidden < ROWS && hasEarlier) {
      setReaches((before) => before + 1);
    }
    setRows((before) => Math.min(MOST_ROWS, before + ROWS));
  };
  if (silences.length === 0 && !isWhole) {
    // Not known yet, or a server that does not say.
    return null;
  }
  return (
    <section className="gap-list" aria-labelledby="gaps">
      <h3 id="gaps">{headline(silences, shown, hasEarlier, nowMs)}</h3>
      <ol>
        {silences
          .slice(-rows)
          .reverse()
          .map((silence) => (
            <Row key={silence.fromMs} silence={silence} nowMs={nowMs} />
          ))}
      </ol>
      {(hidden <= 0 && !hasEarlier) || isFull ? null : (
        <button type="button" className="button more" onClick={more}>
          {hidden > 0 ? `Show ${Math.min(hidden, ROWS)} more` : "Earlier gaps"}
        </button>
      )}
      {isFull ? <p className="second">Earlier ones are in a shorter stretch.</p> : null}
    </section>
  );
}

function headline(
  silences: readonly Silence[],
  shown: Stretch,
  hasEarlier: boolean,
  nowMs: number,
): string {
  const since = hasEarlier ? ` since ${reachWords(shown.fromMs, nowMs)}` : "";
  return `${gapsWords(silences, shown)}${since}`;
}

function Row({ silence, nowMs }: { readonly silence: Silence; readonly nowMs: number }) {
  const { pieces } = silence;
  const alone = pieces.length === 1;
  return (
    <li>
      <span className="when">{whenWords(silence, nowMs)}</span>{" "}
      <span className="long">{lengthWords(silence, nowMs)}</span>{" "}
      <span className="why">
        {pieces.map((piece, index) => (
          <span key={piece.fromMs}>
            {pieceWords(piece, alone)}
            {index === pieces.length - 1 ? "" : "; "}
          </span>
        ))}
      </span>
    </li>
  );
}
