// When somebody's first reading was: by the day over all that is kept, by the minute where that is near.
import { daysAsked, type First, firstDay, firstOf } from "@/model/first";
import { usePast } from "./use-past";

/** Null: not known yet, or so long before `fromMs` that nothing there depends on it. */
export function useFirst(
  user: string,
  dayEndsMs: number,
  fromMs: number,
  nowMs: number,
): First | null {
  const asked = daysAsked(dayEndsMs);
  const days = usePast({ user, metric: "heart_rate", resolution: "day" }, asked);
  const day = firstDay(days, asked, nowMs);
  const near = day !== null && day !== "none" && day.toMs > fromMs;
  const minutes = { user, metric: "heart_rate", resolution: "minute" } as const;
  const record = usePast(minutes, near ? day : null);
  return fromMs < asked.fromMs ? null : firstOf(near || day === "none" ? day : null, record, nowMs);
}
