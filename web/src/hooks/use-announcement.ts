// What the page's one polite region says, and when: held for 3 s, at most every 10 s.
import { useEffect, useRef, useState } from "react";

export const HOLD_MS = 3_000;
export const PAUSE_MS = 10_000;

/** How long until something that changed now may be said. */
export function waitBeforeSpeaking(nowMs: number, lastSpokenMs: number | null): number {
  return Math.max(HOLD_MS, lastSpokenMs === null ? 0 : lastSpokenMs + PAUSE_MS - nowMs);
}

/** `text` as it stands when it is due. Only another `key` is something new to say. */
export function useAnnouncement(text: string, key: string): string {
  const [said, setSaid] = useState("");
  const latest = useRef(text);
  const lastSpokenMs = useRef<number | null>(null);
  const saidKey = useRef<string | null>(null);
  useEffect(() => {
    latest.current = text;
  }, [text]);
  useEffect(() => {
    if (saidKey.current === key) {
      return undefined;
    }
    const timer = setTimeout(
      () => {
        saidKey.current = key;
        lastSpokenMs.current = performance.now();
        setSaid(latest.current);
      },
      waitBeforeSpeaking(performance.now(), lastSpokenMs.current),
    );
    return () => clearTimeout(timer);
  }, [key]);
  return said;
}
