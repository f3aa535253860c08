// The strap under a rate: what is left of its freshness, running out evenly.
import { useEffect, useRef } from "react";
import { useMedia } from "@/hooks/use-media";
import websocketService from "@/services/websocket-service";

const NEEDLE_MS = 320;
const SECOND_MS = 1_000;

interface StrapProps {
  /** By the server's clock; null where the value does not run out. */
  readonly endsMs: number | null;
  readonly freshForMs: number;
}

export function Strap({ endsMs, freshForMs }: StrapProps) {
  const fill = useRef<HTMLElement>(null);
  const running = useRef<Animation | null>(null);
  const calm = useMedia("(prefers-reduced-motion: reduce)");
  useEffect(() => {
    const element = fill.current;
    const now = websocketService.serverNow();
    if (element === null || now === null || typeof element.animate !== "function") {
      return;
    }
    const from = running.current === null || calm ? null : scaleNow(element);
    running.current?.cancel();
    running.current =
      endsMs === null ? null : element.animate(...run(endsMs - now, freshForMs, from));
  }, [endsMs, freshForMs, calm]);
  useEffect(() => () => running.current?.cancel(), []);
  return (
    <span className="strap" aria-hidden="true">
      <i ref={fill} />
    </span>
  );
}

/** Where the strap stands now, so that the needle goes on from there. */
function scaleNow(element: HTMLElement): number {
  const { transform } = getComputedStyle(element);
  return transform === "none" || transform === "" ? 1 : new DOMMatrixReadOnly(transform).a;
}

/**
 * From where the needle stands to what is left, then evenly to nothing. Without a place to start
 * from (the first reading, or reduced motion) it jumps there, and runs out in whole seconds.
 */
function run(
  endsInMs: number,
  freshForMs: number,
  from: number | null,
): [Keyframe[], KeyframeAnimationOptions] {
  const leftMs = Math.max(1, endsInMs);
  const left = Math.min(1, leftMs / freshForMs);
  const landed = Math.min(1, NEEDLE_MS / leftMs);
  const keyframes: Keyframe[] =
    from === null
      ? [{ transform: scale(left) }, { transform: scale(0) }]
      : [
          { transform: scale(from) },
          { transform: scale(left * (1 - landed)), offset: landed },
          { transform: scale(0) },
        ];
  const seconds = Math.max(1, Math.round(leftMs / SECOND_MS));
  const easing = from === null ? `steps(${seconds})` : "linear";
  return [keyframes, { duration: leftMs, fill: "forwards", easing }];
}

function scale(share: number): string {
  return `scaleX(${share.toFixed(4)})`;
}
