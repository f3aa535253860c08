// A stretch of somebody's past, fetched and kept fresh while a component shows it.
import { useCallback, useEffect, useSyncExternalStore } from "react";
import type { Question } from "@/services/history";
import type { PastRecord } from "@/services/past";
import type { Stretch } from "@/services/stretches";
import websocketService from "@/services/websocket-service";

/** Null: nothing is to be fetched now. */
export function usePast(question: Question, stretch: Stretch | null): PastRecord {
  const { user, metric, resolution } = question;
  const fromMs = stretch?.fromMs ?? null;
  const toMs = stretch?.toMs ?? null;
  useEffect(() => {
    return fromMs === null || toMs === null
      ? undefined
      : websocketService.past.look({ user, metric, resolution }, { fromMs, toMs });
  }, [user, metric, resolution, fromMs, toMs]);
  const read = useCallback(
    () => websocketService.past.of({ user, metric, resolution }),
    [user, metric, resolution],
  );
  return useSyncExternalStore(websocketService.past.subscribe, read);
}
