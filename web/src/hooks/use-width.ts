// How wide an element is, as it changes, by the type in it: what a label of so many characters fits.
import { type RefObject, useEffect, useRef, useState } from "react";

const TYPE_PX = 12;

/** In CSS pixels where the element's type is 12 of them; half as much where it is 24. */
export function useWidth<Element extends HTMLElement>(): [RefObject<Element | null>, number] {
  const element = useRef<Element>(null);
  const [found, setFound] = useState<Element | null>(null);
  const [width, setWidth] = useState(0);
  // After each rendering: what is drawn in its place may be another element.
  useEffect(() => setFound(element.current));
  useEffect(() => {
    if (found === null || typeof ResizeObserver === "undefined") {
      return undefined;
    }
    const observer = new ResizeObserver(() => {
      const typePx = Number.parseFloat(getComputedStyle(found).fontSize) || TYPE_PX;
      setWidth(Math.round((found.clientWidth * TYPE_PX) / typePx));
    });
    observer.observe(found);
    return () => observer.disconnect();
  }, [found]);
  return [element, width];
}
