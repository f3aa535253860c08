// The line under the date: "3 people: 2 live, 1 out of range".
import type { WatchedPerson } from "@/services/feed";
import { becauseNone, rateOf } from "./person";
import { isOnlyTold } from "./told";
import { whyCounted } from "./why";

export function summaryOf(
  people: readonly WatchedPerson[],
  nowMs: number | null,
  connected: boolean,
): string {
  const counts = new Map<string, number>();
  for (const person of people) {
    const said = standing(person, nowMs, connected);
    counts.set(said, (counts.get(said) ?? 0) + 1);
  }
  const [only] = counts.keys();
  if (people.length === 1 && only !== undefined) {
    return `1 person, ${only}`;
  }
  const parts = [...counts]
    .sort(([a], [b]) => Number(b === "live") - Number(a === "live"))
    .map(([said, number]) => `${number} ${said}`);
  return `${people.length} people: ${parts.join(", ")}`;
}

function standing(person: WatchedPerson, nowMs: number | null, connected: boolean): string {
  if (isOnlyTold(person)) {
    return "told by the application";
  }
  const rate = rateOf(person, nowMs, connected);
  if (rate.bpm !== null) {
    return "live";
  }
  const because = becauseNone(person, rate, nowMs);
  return because === null ? "not measured yet" : whyCounted(because.why);
}

/** "Everything up to 14:05:39 is here": the earliest moment that holds for all. */
export function completeThrough(people: readonly WatchedPerson[]): number | null {
  let earliest: number | null = null;
  for (const { status } of people) {
    const at = status.completeThroughMs;
    if (at !== null && (earliest === null || at < earliest)) {
      earliest = at;
    }
  }
  return earliest;
}
