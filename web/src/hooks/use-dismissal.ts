// When something that was opened closes again: Escape, a pointer elsewhere, the focus moving on.
import { type RefObject, useEffect } from "react";

/** `dismiss` is told whether the focus is to go back to what opened it. Nothing while not `open`. */
export function useDismissal(
  open: boolean,
  whole: RefObject<HTMLElement | null>,
  dismiss: (giveFocusBack: boolean) => void,
): void {
  useEffect(() => {
    const element = whole.current;
    if (!open || element === null) {
      return undefined;
    }
    const isOutside = (target: EventTarget | null) =>
      target instanceof Node && !element.contains(target);
    // A click on plain text takes the focus to nowhere, and so does Tab at the page's end.
    let tabbed = false;
    const key = (event: KeyboardEvent) => {
      tabbed = event.key === "Tab";
      if (event.key === "Escape") {
        // Used up: a page behind it has its own Escape.
        event.preventDefault();
        dismiss(true);
      }
    };
    const pointer = (event: PointerEvent) => {
      tabbed = false;
      if (isOutside(event.target)) {
        dismiss(false);
      }
    };
    const left = (event: FocusEvent) => {
      if (event.relatedTarget === null ? tabbed : isOutside(event.relatedTarget)) {
        dismiss(false);
      }
    };
    document.addEventListener("keydown", key);
    document.addEventListener("pointerdown", pointer);
    element.addEventListener("focusout", left);
    return () => {
      document.removeEventListener("keydown", key);
      document.removeEventListener("pointerdown", pointer);
      element.removeEventListener("focusout", left);
    };
  }, [open, whole, dismiss]);
}
