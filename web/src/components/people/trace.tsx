// The trace itself: uPlot draws the runs on a canvas, straight from reading to reading.
import { useEffect, useRef } from "react";
import type uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Scale } from "@/model/scale";
import type { Kind, Run } from "@/model/sheet";

interface TraceProps {
  readonly runs: readonly Run[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly scale: Scale;
}

const PENS: Readonly<Record<Kind, { readonly width: number; readonly dash: number[] }>> = {
  live: { width: 2, dash: [] },
  back: { width: 1.25, dash: [] },
  estimated: { width: 1.5, dash: [5, 3] },
};
const KINDS = ["live", "back", "estimated"] as const;
/** A reading with nothing beside it has no line: it is a point. */
const LONE_PX = 4;
const ROOT_PX = 16;

export function Trace({ runs, fromMs, toMs, scale }: TraceProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shown = useRef({ runs, fromMs, toMs, scale });
  useEffect(() => {
    const element = box.current;
    if (element === null) {
      return undefined;
    }
    const sized = new ResizeObserver(() => {
      plot.current?.setSize({ width: element.clientWidth, height: element.clientHeight });
    });
    let wanted = true;
    // The figures do not wait for what draws the lines.
    void import("uplot").then(({ default: Plot }) => {
      if (wanted) {
        plot.current = new Plot(options(element, shown), columns(shown.current.runs), element);
        sized.observe(element);
      }
    });
    return () => {
      wanted = false;
      sized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => {
    shown.current = { runs, fromMs, toMs, scale };
    plot.current?.setData(columns(runs));
  }, [runs, fromMs, toMs, scale]);
  return <div className="trace" ref={box} aria-hidden="true" />;
}

function options(element: HTMLElement, shown: { readonly current: TraceProps }): uPlot.Options {
  // Read at each drawing: the theme may have changed, and forced colours are the system's own.
  const ink = () => getComputedStyle(element).color;
  // Type and lines grow together on a screen across the room.
  const root = getComputedStyle(document.documentElement).fontSize;
  const grown = Number.parseFloat(root) / ROOT_PX || 1;
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    padding: [0, 0, 0, 0],
    axes: [{ show: false }, { show: false }],
    legend: { show: false },
    cursor: { show: false },
    select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      x: { time: false, range: () => [shown.current.fromMs, shown.current.toMs] },
      y: { range: () => [shown.current.scale.low, shown.current.scale.high] },
    },
    series: [
      {},
      ...KINDS.map(
        (kind): uPlot.Series => ({
          stroke: ink,
          width: PENS[kind].width * grown,
          dash: PENS[kind].dash.map((px) => px * grown),
          cap: "butt",
          spanGaps: false,
          points: { show: true, size: LONE_PX * grown, fill: ink, width: 0, filter: lonePoints },
        }),
      ),
    ],
  };
}

function lonePoints(plot: uPlot, series: number): number[] {
  const values = plot.data[series] ?? [];
  const lone: number[] = [];
  for (let index = 0; index < values.length; index += 1) {
    const alone = values[index - 1] == null && values[index + 1] == null;
    if (values[index] != null && alone) {
      lone.push(index);
    }
  }
  return lone;
}

/** One row for each point, and one without values after each run, where the pen is lifted. */
function columns(runs: readonly Run[]): uPlot.AlignedData {
  const times: number[] = [];
  const values: Record<Kind, (number | null)[]> = { live: [], back: [], estimated: [] };
  const row = (atMs: number, kind: Kind | null, bpm: number | null) => {
    times.push(atMs);
    for (const one of KINDS) {
      values[one].push(one === kind ? bpm : null);
    }
  };
  for (const run of runs) {
    for (const point of run.points) {
      row(point.atMs, run.kind, point.bpm);
    }
    row(run.points.at(-1)?.atMs ?? 0, null, null);
  }
  return [times, ...KINDS.map((kind) => values[kind])] as uPlot.AlignedData;
}
