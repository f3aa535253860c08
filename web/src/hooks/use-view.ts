// Whose page is open. Kept in the tab's history alone: no address names a person.
import { useCallback, useSyncExternalStore } from "react";

interface View {
  readonly person?: unknown;
}

const CHANGED = "strapline:view";

function current(): string | null {
  const state: View | null = history.state;
  return typeof state?.person === "string" ? state.person : null;
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("popstate", changed);
  window.addEventListener(CHANGED, changed);
  return () => {
    window.removeEventListener("popstate", changed);
    window.removeEventListener(CHANGED, changed);
  };
}

/** The user whose page is open, or null for everyone's; and a way to open another. */
export function useView(): [string | null, (user: string | null) => void] {
  const open = useCallback((user: string | null) => {
    history.pushState(user === null ? null : { person: user }, "", location.href);
    window.dispatchEvent(new Event(CHANGED));
  }, []);
  return [useSyncExternalStore(subscribe, current), open];
}
