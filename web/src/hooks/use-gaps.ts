// What is missing of some stretches and why, asked for and kept fresh while a component shows it.
import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";
import type { GapsQuestion, Ledger } from "@/services/gaps";
import type { Stretch } from "@/services/stretches";
import websocketService from "@/services/websocket-service";
import { useStood } from "./use-stood";

/** None: nothing is to be asked now. What is moved on and on is asked for where it comes to stand. */
export function useGaps({ user, metric }: GapsQuestion, stretches: readonly Stretch[]): Ledger {
  const asked = JSON.stringify(stretches.map(({ fromMs, toMs }) => [fromMs, toMs]));
  const view = useMemo(
    () => ({ question: { user, metric }, stretches: JSON.parse(asked) as [number, number][] }),
    [user, metric, asked],
  );
  const looked = useStood(view);
  useEffect(() => {
    const ends = looked.stretches.map(([fromMs, toMs]) =>
      websocketService.gaps.look(looked.question, { fromMs, toMs }),
    );
    return () => {
      for (const end of ends) {
        end();
      }
    };
  }, [looked]);
  const read = useCallback(() => websocketService.gaps.of({ user, metric }), [user, metric]);
  return useSyncExternalStore(websocketService.gaps.subscribe, read);
}
