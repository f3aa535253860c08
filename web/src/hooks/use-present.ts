// The five minutes up to now, with the cause of what is missing in them: asked for only where it is.
import { heartRateOf } from "@/model/person";
import type { RateView } from "@/model/rate";
import { missingFrom, type Sheet, type SheetInput, sheetOf } from "@/model/sheet";
import type { Ledger } from "@/services/gaps";
import type { WatchedPerson } from "@/services/websocket-service";
import { useGaps } from "./use-gaps";

/** A heart's freshness where a person has no reading yet. */
const FRESH_FOR_MS = 5_000;

/** The sheet is null until the server has said its time. */
export function usePresent(
  person: WatchedPerson,
  rate: RateView,
  nowMs: number | null,
): [Sheet | null, Ledger] {
  const { user, line, spells } = person;
  const freshForMs = heartRateOf(person)?.freshForMs ?? FRESH_FOR_MS;
  const input: SheetInput | null =
    nowMs === null ? null : { line, spells, nowMs, freshForMs, lastAtMs: rate.was?.atMs ?? null };
  const missing = input === null ? null : missingFrom(input);
  const ledger = useGaps({ user, metric: "heart_rate" }, missing === null ? [] : [missing]);
  return [input === null ? null : sheetOf({ ...input, ledger }), ledger];
}
