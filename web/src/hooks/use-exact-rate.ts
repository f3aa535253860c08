// A rate that leaves the screen at the millisecond at which it stops being the present.
import type { RateView } from "@/model/rate";
import { usePassed } from "./use-passed";

/** Past its limit a value leaves at once, not with the next tick. */
export function useExactRate(view: RateView): RateView {
  const passed = usePassed(view.endsMs);
  return passed ? { ...view, state: "stale", bpm: null, endsMs: null } : view;
}
