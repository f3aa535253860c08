// One person's heart rate: the figure with its strap and its age, or why there is none.
import { type Why, whyWords } from "@/model/missing";
import type { RateView, Trend } from "@/model/rate";
import { ago, capital, clock, duration } from "@/model/words";
import { Strap } from "./strap";

interface RateProps {
  readonly rate: RateView;
  readonly trend: Trend | null;
  readonly why: Why | null;
  readonly nowMs: number | null;
}

export function Rate({ rate, trend, why, nowMs }: RateProps) {
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
          <Absent rate={rate} why={why} nowMs={nowMs} />
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

function Absent({ rate, why, nowMs }: Pick<RateProps, "why" | "nowMs"> & { rate: RateView }) {
  const cause = why === null ? null : capital(whyWords(why));
  if (rate.was === null) {
    return (
      <>
        <span>Not measured yet</span>
        {cause === null ? null : <span>{cause}</span>}
      </>
    );
  }
  const forMs = nowMs === null ? null : nowMs - rate.was.atMs;
  return (
    <>
      <span className="was">
        {rate.was.bpm} at {clock(rate.was.atMs)}
      </span>
      <span>
        {cause ?? "No reading"}{" "}
        {forMs === null ? null : <span className="nowrap">for {duration(forMs)}</span>}
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
