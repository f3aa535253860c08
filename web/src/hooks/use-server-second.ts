// The server's time in steps of a second: what ages are counted by, and when lines step.
import { useEffect, useState } from "react";
import websocketService from "@/services/websocket-service";
import { onWake } from "./on-wake";

const SECOND_MS = 1_000;

/** Null until the server has said its time. */
export function useServerSecond(): number | null {
  const [nowMs, setNowMs] = useState(() => websocketService.serverNow());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const step = () => {
      const now = websocketService.serverNow();
      setNowMs(now);
      // On the server's whole second, so that all screens step together.
      timer = setTimeout(step, SECOND_MS - (Math.floor(now ?? 0) % SECOND_MS));
    };
    step();
    // The first word of the server is not waited for a second long.
    const unsubscribe = websocketService.subscribe(() =>
      setNowMs((before) => before ?? websocketService.serverNow()),
    );
    const unwake = onWake(() => setNowMs(websocketService.serverNow()));
    return () => {
      clearTimeout(timer);
      unwake();
      unsubscribe();
    };
  }, []);
  return nowMs;
}
