// The five-minute sheet: levels, minutes, the trace, gaps with their cause, the ledger, the needle.
import { type RefObject, useRef } from "react";
import { describeSheet, filledLabel, fits, gapWhole, plateOn } from "@/model/describe";
import { type Scale, scaleFor } from "@/model/scale";
import { SHEET_MS, type Sheet as SheetModel } from "@/model/sheet";
import { useFilling } from "./filling";
import { Holes } from "./holes";
import { Trace } from "./trace";

interface SheetProps {
  readonly sheet: SheetModel;
  /** The value at the right edge is the present. */
  readonly live: boolean;
  readonly name: string;
  readonly figure: RefObject<HTMLElement | null>;
  /** By the type of its labels: which of them fit. */
  readonly width: number;
}

const MINUTE_MS = 60_000;
export function Sheet({ sheet, live, name, figure, width }: SheetProps) {
  const scale = useScale(sheet);
  const filling = useFilling(sheet);
  const place = (fromMs: number, toMs: number) => ({
    left: share(fromMs - sheet.fromMs),
    width: share(toMs - fromMs),
  });
  return (
    <figure className="sheet" ref={figure}>
      <div className="drawing" aria-label={describeSheet(sheet, name)} role="img">
        {minutes(sheet).map((atMs) => (
          <i className="minute" key={atMs} style={{ left: share(atMs - sheet.fromMs) }} />
        ))}
        <div className="plot">
          {scale?.levels.map((level) => (
            <div className="level" key={level} style={{ top: height(level, scale) }}>
              <span>{level}</span>
            </div>
          ))}
          {sheet.gaps.map((gap) => (
            <div
              className={gap.open ? "gap open" : "gap"}
              key={gap.open ? "open" : gap.toMs}
              style={place(gap.fromMs, gap.toMs)}
            >
              <Plate words={plateOn(gap, width)} />
            </div>
          ))}
          {filling.map((gap) => (
            <div
              className="gap filling"
              key={`${gap.fromMs} ${gap.toMs}`}
              style={place(Math.max(sheet.fromMs, gap.fromMs), gap.toMs)}
            />
          ))}
          {scale === null ? (
            <p className="waits">{sheet.gaps.length === 0 ? "The line begins here" : ""}</p>
          ) : (
            <Trace runs={sheet.runs} fromMs={sheet.fromMs} toMs={sheet.toMs} scale={scale} />
          )}
          {sheet.filled
            .filter((filled) => fits(filledLabel(filled), filled, width))
            .map((filled) => (
              <span
                className="filled"
                key={filled.fromMs}
                style={{ left: share((filled.fromMs + filled.toMs) / 2 - sheet.fromMs) }}
              >
                {filledLabel(filled)}
              </span>
            ))}
          {live && sheet.last !== null && scale !== null ? (
            <i
              className="nowdot"
              style={{
                top: height(sheet.last.bpm, scale),
                left: share(Math.min(SHEET_MS, sheet.last.atMs - sheet.fromMs)),
              }}
            />
          ) : null}
        </div>
        <div className="ledger">
          {sheet.ledger.map((entry) => (
            <i
              className={LEDGER_CLASS[entry.kind]}
              key={`${entry.kind} ${entry.fromMs}`}
              style={place(entry.fromMs, entry.toMs)}
            />
          ))}
        </div>
        <i className={live ? "nowline" : "nowline none"} />
      </div>
      <Holes stretch={sheet} gaps={sheet.gaps.map((gap) => ({ ...gap, words: gapWhole(gap) }))} />
    </figure>
  );
}

/** The label of a gap, where there is room for it. */
export function Plate({ words }: { readonly words: string | null }) {
  return words === null ? null : <span>{words}</span>;
}

const LEDGER_CLASS = { live: "live", back: "back", estimated: "est", hole: "hole" } as const;

function useScale(sheet: SheetModel): Scale | null {
  const before = useRef<Scale | null>(null);
  if (sheet.least === null || sheet.most === null) {
    return null;
  }
  before.current = scaleFor(sheet.least, sheet.most, before.current);
  return before.current;
}

function share(spanMs: number): string {
  return `${((spanMs / SHEET_MS) * 100).toFixed(3)}%`;
}

function height(bpm: number, scale: Scale): string {
  return `${(((scale.high - bpm) / (scale.high - scale.low)) * 100).toFixed(2)}%`;
}

export function minutes({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }) {
  const found: number[] = [];
  for (let atMs = Math.ceil(fromMs / MINUTE_MS) * MINUTE_MS; atMs <= toMs; atMs += MINUTE_MS) {
    found.push(atMs);
  }
  return found;
}
