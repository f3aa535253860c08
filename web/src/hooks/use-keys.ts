// Single keys of a page, wherever in it the focus is, but for where text is written.
import { useEffect, useRef } from "react";

/** By the key's name; null: not now. A key that something nearer has used is not heard. */
export function useKeys(keys: Readonly<Record<string, (() => void) | null>>): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const act = latest.current[event.key] ?? null;
      const modified = event.ctrlKey || event.metaKey || event.altKey;
      const used = event.defaultPrevented || event.target instanceof HTMLInputElement;
      if (act !== null && !modified && !used) {
        event.preventDefault();
        act();
      }
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
