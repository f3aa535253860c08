// Whether a moment of the server's clock has passed, to the millisecond and not to the next tick.
import { useEffect, useState } from "react";
import websocketService from "@/services/websocket-service";
import { onWake } from "./on-wake";

/** False for null: a moment that never comes. */
export function usePassed(momentMs: number | null): boolean {
  const [passed, setPassed] = useState<number | null>(null);
  useEffect(() => {
    if (momentMs === null) {
      return undefined;
    }
    const leftMs = momentMs - (websocketService.serverNow() ?? momentMs);
    const timer = setTimeout(() => setPassed(momentMs), Math.max(0, leftMs));
    // A hidden page's timers come up to a minute late.
    const unwake = onWake(() => {
      if ((websocketService.serverNow() ?? momentMs) > momentMs) {
        setPassed(momentMs);
      }
    });
    return () => {
      clearTimeout(timer);
      unwake();
    };
  }, [momentMs]);
  return momentMs !== null && passed === momentMs;
}
