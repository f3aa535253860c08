// A day in small, with a window over it: where in it the sheet above stands, and a way to move it.
import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import { useGaps } from "@/hooks/use-gaps";
import { usePast } from "@/hooks/use-past";
import { stretchWords } from "@/model/describe-past";
import type { First } from "@/model/first";
import { withLine } from "@/model/latest";
import { fetched, type Looking, stretchOf } from "@/model/look-back";
import { pastSheetOf } from "@/model/past";
import { SPANS } from "@/model/spans";
import type { SessionMeasured } from "@/protocol/messages";
import type { Stretch } from "@/services/stretches";
import type { WatchedPerson } from "@/services/websocket-service";
import { Axis } from "./axis";
import { Sessions } from "./noted";
import { PastPlot } from "./past-plot";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** What is longer than this share of it needs no overview. */
const MOST_SHARE = 1 / 2;

/** The day around what is looked at, up to the present where that is in it; null: none is needed. */
export function overviewOf(looking: Looking, nowMs: number): Stretch | null {
  if (looking.span.lengthMs > DAY_MS * MOST_SHARE) {
    return null;
  }
  const end = Math.ceil(nowMs / MINUTE_MS) * MINUTE_MS;
  const { fromMs } = stretchOf(looking, nowMs);
  if (fromMs >= end - DAY_MS) {
    return { fromMs: end - DAY_MS, toMs: end };
  }
  const middle = Math.floor(fromMs / (DAY_MS / 2)) * (DAY_MS / 2);
  return { fromMs: middle - DAY_MS / 2, toMs: middle + DAY_MS / 2 };
}

interface OverviewProps {
  readonly person: WatchedPerson;
  readonly around: Stretch;
  readonly looking: Looking;
  readonly nowMs: number;
  readonly sessions: readonly SessionMeasured[];
  readonly first: First | null;
  /** The window is to end at this moment. */
  readonly onLook: (toMs: number) => void;
}

export function Overview(props: OverviewProps) {
  const { person, around, looking, nowMs, sessions, first, onLook } = props;
  const minutes = { user: person.user, metric: "heart_rate", resolution: "minute" } as const;
  const span = SPANS.find(({ resolution }) => resolution === "minute") ?? looking.span;
  const record = withLine(usePast(minutes, fetched(around, span)), "minute", person.line);
  const { spells } = person;
  const ledger = useGaps({ user: person.user, metric: "heart_rate" }, []);
  const sheet = pastSheetOf({
    ...around,
    record,
    resolution: "minute",
    spells,
    ledger,
    nowMs,
    first,
  });
  const present = around.toMs >= nowMs;
  const strip = useRef<HTMLDivElement>(null);
  const to = (event: PointerEvent) => {
    const box = strip.current?.getBoundingClientRect();
    if (box !== undefined && box.width > 0) {
      const atMs = around.fromMs + ((event.clientX - box.left) / box.width) * DAY_MS;
      onLook(Math.round(atMs + looking.span.lengthMs / 2));
    }
  };
  return (
    <div className="overview">
      <h3>{present ? "Last 24 hours" : stretchWords(around.fromMs, around.toMs, nowMs)}</h3>
      <Sessions sessions={sessions} stretch={around} nowMs={nowMs} live={present} />
      <div
        className="scrub"
        ref={strip}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          to(event);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) {
            to(event);
          }
        }}
      >
        <PastPlot sheet={sheet} name={person.name} live={present} width={0} nowMs={null} />
        <Window around={around} looking={looking} nowMs={nowMs} onLook={onLook} />
      </div>
      <Axis {...around} live={present} />
    </div>
  );
}

type WindowProps = Pick<OverviewProps, "around" | "looking" | "nowMs" | "onLook">;

function Window({ around, looking, nowMs, onLook }: WindowProps) {
  const stretch = stretchOf(looking, nowMs);
  const live = looking.endMs === null;
  const words = stretchWords(stretch.fromMs, stretch.toMs, nowMs);
  const keys = (event: KeyboardEvent) => {
    const by = { PageUp: -DAY_MS / 24, PageDown: DAY_MS / 24, Home: -DAY_MS }[event.key];
    if (by !== undefined) {
      event.preventDefault();
      onLook(stretch.toMs + by);
    }
  };
  return (
    <div
      className={live ? "win now" : "win"}
      role="slider"
      tabIndex={0}
      aria-label="Time shown"
      aria-valuemin={0}
      aria-valuemax={DAY_MS / MINUTE_MS}
      aria-valuenow={Math.round((Math.min(stretch.toMs, around.toMs) - around.fromMs) / MINUTE_MS)}
      aria-valuetext={live ? `${words}, live` : words}
      style={{
        // From its right edge on: at the present it ends there, however little time it shows.
        right: `${(((around.toMs - Math.min(stretch.toMs, around.toMs)) / DAY_MS) * 100).toFixed(3)}%`,
        width: `${((looking.span.lengthMs / DAY_MS) * 100).toFixed(3)}%`,
      }}
      onKeyDown={keys}
    />
  );
}
