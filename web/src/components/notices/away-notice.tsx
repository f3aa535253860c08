// The page has lost its server, and says so: since when, what goes on meanwhile, a way to try now.
import { reasonRemedy, reasonTitle } from "@/model/reason-words";
import { clockWithSeconds } from "@/model/words";
import type { Reason } from "@/services/close-codes";

interface AwayNoticeProps {
  readonly reason: Reason;
  readonly lostAtMs: number | null;
  readonly onTryNow: () => void;
}

export function AwayNotice({ reason, lostAtMs, onTryNow }: AwayNoticeProps) {
  const since = lostAtMs === null ? "" : ` since ${clockWithSeconds(lostAtMs)}`;
  return (
    <section className="notice" aria-label="Connection lost">
      <p>
        <strong>
          {reasonTitle(reason)}
          {since}.
        </strong>{" "}
        {reasonRemedy(reason)}
      </p>
      <button type="button" className="button" onClick={onTryNow}>
        Try now
      </button>
    </section>
  );
}
