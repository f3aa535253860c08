// The week's days: lowest to highest heart rate of each, with its average. The running one so far.
import { usePast } from "@/hooks/use-past";
import type { Calendar } from "@/model/calendar";
import { withLine } from "@/model/latest";
import { heartRateOf } from "@/model/person";
import { weekAsked, weekUntil } from "@/model/steps";
import type { HeartRateData } from "@/protocol/messages";
import type { Bucket } from "@/services/past";
import type { Stretch } from "@/services/stretches";
import type { WatchedPerson } from "@/services/websocket-service";

interface RangesProps {
  readonly person: WatchedPerson;
  readonly dayEndsMs: number;
  /** The person's. */
  readonly calendar: Calendar;
}

export function Ranges({ person, dayEndsMs, calendar }: RangesProps) {
  const { user, line } = person;
  const week = weekUntil(dayEndsMs, calendar);
  const question = { user, metric: "heart_rate", resolution: "day" } as const;
  const record = usePast(question, weekAsked(dayEndsMs));
  const { buckets } = withLine(record, "day", line);
  const rows = week
    .map((day) => ({ day, bucket: said(bucketOf(buckets, day), day, heartRateOf(person)) }))
    .reverse();
  const lows = rows.flatMap(({ bucket }) => bucket?.min ?? []);
  const highs = rows.flatMap(({ bucket }) => bucket?.max ?? []);
  const low = Math.min(...lows);
  const high = Math.max(...highs);
  return (
    <section aria-labelledby="ranges">
      <h2 id="ranges">Heart rate by day</h2>
      <ol className="ranges">
        {rows.map(({ day, bucket }, index) => (
          <li key={day.fromMs}>
            <span>{index === 0 ? "Today so far" : calendar.shortDay(day.fromMs)}</span>
            <Range bucket={bucket} low={low} high={high} />
          </li>
        ))}
        {lows.length === 0 ? null : (
          <li className="whole">
            <span>The week</span>
            <span className="bed" />
            <span className="t">
              {Math.round(low)} to {Math.round(high)}
            </span>
          </li>
        )}
      </ol>
    </section>
  );
}

interface RangeProps {
  readonly bucket: Bucket | undefined;
  readonly low: number;
  readonly high: number;
}

function Range({ bucket, low, high }: RangeProps) {
  if (bucket === undefined || bucket.min === null || bucket.max === null) {
    return (
      <>
        <span className="bed" />
        <span className="t">—</span>
      </>
    );
  }
  const share = (bpm: number) => `${(((bpm - low) / Math.max(1, high - low)) * 100).toFixed(1)}%`;
  const { min, max, average } = bucket;
  const width = `${(((max - min) / Math.max(1, high - low)) * 100).toFixed(1)}%`;
  return (
    <>
      <span className="bed" aria-hidden="true">
        <i style={{ left: share(min), width }} />
        {average === null ? null : <b style={{ left: share(average) }} />}
      </span>
      <span className="t">
        {Math.round(min)} to {Math.round(max)}
        {average === null ? null : <small>average {Math.round(average)}</small>}
      </span>
    </>
  );
}

/** What the present says of its day is newer than what was fetched of it. */
function said(
  bucket: Bucket | undefined,
  day: Stretch,
  live: HeartRateData | null,
): Bucket | undefined {
  if (bucket === undefined || live?.over !== "day" || live.dayEndsMs !== day.toMs) {
    return bucket;
  }
  const { average, min, max } = live;
  return min === null || max === null ? bucket : { ...bucket, average, min, max };
}

function bucketOf(buckets: readonly Bucket[], day: Stretch): Bucket | undefined {
  return buckets.find(({ atMs }) => atMs >= day.fromMs && atMs < day.toMs);
}
