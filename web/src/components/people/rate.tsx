// One person's heart rate: the figure with its strap and its age, or why there is none.
import type { Because } from "@/model/missing";
import type { RateView, Trend } from "@/model/rate";
import { whyWords } from "@/model/why";
import { ago, capital, clock, duration } from "@/model/words";
import { Strap } from "./strap";

interface RateProps {
  readonly rate: RateView;
  readonly trend: Trend | null;
  readonly because: Because | null;
  readonly nowMs: number | null;
}

export function Rate({ rate, trend, because, nowMs }: RateProps) {
  return (
    <div className="rate">
      {rate.bpm === null ? (
        <data value="">
          —<span className="sr"> no current rate</span>
        </data>
      ) : (
        <data value={rate.bpm}>
          {rate.bpm}
          <span className="sr"> beats a minute</span>
        </data>
      )}
      <Strap endsMs={rate.endsMs} freshForMs={rate.freshForMs} />
      <div className="facts">
        {rate.bpm === null ? (
          <Absent rate={rate} because={because} nowMs={nowMs} />
        ) : (
          <>
            <span className="under">
              <span className="age">{ago(rate.ageMs)}</span>
              <abbr title="beats a minute">bpm</abbr>
            </span>
            {trend === null ? null : <TrendMark trend={trend} />}
          </>
        )}
      </div>
    </div>
  );
}

/** A drop is noticed a little late: until then the absence and its cause began together. */
const NOTICED_MS = 15_000;

function Absent({ rate, because, nowMs }: Omit<RateProps, "trend">) {
  const cause = because === null ? null : capital(whyWords(because.why));
  if (rate.was === null) {
    return (
      <>
        <span>Not measured yet</span>
        {cause === null ? null : <span>{cause}</span>}
      </>
    );
  }
  const { atMs, bpm } = rate.was;
  const sinceMs = Math.max(atMs, because?.sinceMs ?? atMs);
  const forMs = (nowMs ?? sinceMs) - (sinceMs - atMs > NOTICED_MS ? sinceMs : atMs);
  return (
    <>
      <span className="was">
        {bpm} at {clock(atMs)}
      </span>
      <span>
        {cause ?? "No reading"} <span className="nowrap">for {duration(forMs)}</span>
      </span>
    </>
  );
}

const TREND_SPOKEN = { up: "up ", down: "down ", level: "level, " } as const;

function TrendMark({ trend }: { readonly trend: Trend }) {
  return (
    <span className="trend" data-trend={trend.direction}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <path d="M2 10 10 2M4 2h6v6" />
      </svg>
      <span>
        <span className="sr">{TREND_SPOKEN[trend.direction]}</span>
        {trend.by} in a minute
      </span>
    </span>
  );
}
