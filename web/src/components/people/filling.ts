// Which gaps have just been filled in: their hatching leaves once, from left to right.
import { useEffect, useRef, useState } from "react";
import type { Gap, Sheet, Stretch } from "@/model/sheet";

export const FILL_MS = 600;

/** The gaps of before that `filled` stretches now cover. */
export function newlyFilled(before: readonly Gap[], sheet: Sheet): Stretch[] {
  return before.filter(
    (gap) =>
      gap.toMs - gap.fromMs > 0 &&
      sheet.filled.some((filled) => filled.fromMs <= gap.fromMs && filled.toMs > gap.fromMs) &&
      !sheet.gaps.some((still) => still.fromMs === gap.fromMs),
  );
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
