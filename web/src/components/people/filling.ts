// Which gaps have just been filled in: their hatching leaves once, from left to right.
import { useEffect, useRef, useState } from "react";
import type { Gap, Sheet } from "@/model/sheet";
import { type Stretch, unite, within } from "@/services/stretches";

export const FILL_MS = 600;
/** A seam of less is no filling. */
const LEAST_MS = 1_000;

/** What of the gaps of before has readings now, whichever way they came. */
export function newlyFilled(before: readonly Gap[], sheet: Sheet): Stretch[] {
  const measured = sheet.ledger.filter(({ kind }) => kind !== "hole");
  return before
    .filter((gap) => !sheet.gaps.some((still) => still.sinceMs === gap.sinceMs))
    .flatMap((gap) => within(unite(measured), gap))
    .filter(({ fromMs, toMs }) => toMs - fromMs >= LEAST_MS);
}

export function useFilling(sheet: Sheet): readonly Stretch[] {
  const before = useRef<readonly Gap[]>(sheet.gaps);
  const [filling, setFilling] = useState<readonly Stretch[]>([]);
  useEffect(() => {
    const fresh = newlyFilled(before.current, sheet);
    before.current = sheet.gaps;
    if (fresh.length > 0) {
      setFilling(fresh);
    }
  }, [sheet]);
  useEffect(() => {
    if (filling.length === 0) {
      return undefined;
    }
    const timer = setTimeout(() => setFilling([]), FILL_MS);
    return () => clearTimeout(timer);
  }, [filling]);
  return filling;
}
