// A stretch of somebody's past, fetched and kept fresh while a component shows it.
import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";
import type { Question } from "@/services/history";
import type { PastRecord } from "@/services/past";
import type { Stretch } from "@/services/stretches";
import websocketService from "@/services/websocket-service";
import { useStood } from "./use-stood";

/** Null: nothing is to be fetched now. What is moved on and on is fetched where it comes to stand. */
export function usePast(question: Question, stretch: Stretch | null): PastRecord {
  const { user, metric, resolution } = question;
  const fromMs = stretch?.fromMs ?? null;
  const toMs = stretch?.toMs ?? null;
  const view = useMemo(
    () => ({
      question: { user, metric, resolution },
      stretch: fromMs === null || toMs === null ? null : { fromMs, toMs },
    }),
    [user, metric, resolution, fromMs, toMs],
  );
  const looked = useStood(view);
  useEffect(() => {
    return looked.stretch === null
      ? undefined
      : websocketService.past.look(looked.question, looked.stretch);
  }, [looked]);
  const read = useCallback(
    () => websocketService.past.of({ user, metric, resolution }),
    [user, metric, resolution],
  );
  return useSyncExternalStore(websocketService.past.subscribe, read);
}
