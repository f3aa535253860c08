// A page that wakes shows nothing old, not even for one frame: what waits for a timer is told at once.
import { flushSync } from "react-dom";

/** Calls `look` as the page is seen again, before it is painted. Returns what ends it. */
export function onWake(look: () => void): () => void {
  const wake = () => {
    if (document.visibilityState === "visible") {
      flushSync(look);
    }
  };
  const targets: readonly [EventTarget, string][] = [
    [document, "visibilitychange"],
    [document, "resume"],
    [window, "pageshow"],
  ];
  for (const [target, type] of targets) {
    target.addEventListener(type, wake);
  }
  return () => {
    for (const [target, type] of targets) {
      target.removeEventListener(type, wake);
    }
  };
}
