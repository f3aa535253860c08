// A stretch of the past, drawn: means over their lowest to highest, gaps with their cause, marks.
import { type ReactNode, useRef } from "react";
import { Holes } from "@/components/people/holes";
import { Plate } from "@/components/people/sheet";
import { gapPlate } from "@/model/describe";
import { beforeWords, describePast, fitsOn, pastGapWhole } from "@/model/describe-past";
import type { Mean, PastSheet } from "@/model/past";
import { type Scale, scaleFor } from "@/model/scale";
import { ticksOf } from "@/model/spans";
import type { Stretch } from "@/services/stretches";

interface PastPlotProps {
  readonly sheet: PastSheet;
  readonly name: string;
  readonly live: boolean;
  /** By the type of its labels: which of them fit. */
  readonly width: number;
  /** Of now, where its gaps can be pointed at; null: it is too small for that. */
  readonly nowMs: number | null;
  readonly children?: ReactNode;
}

const BOX = { width: 1_000, height: 100 };
/** So few that each is a bar of its own. */
const MOST_BARS = 62;
/** Of the room that a bar has. */
const BAR_SHARE = 0.62;
const TICKS = 12;

export function PastPlot({ sheet, name, live, width, nowMs, children }: PastPlotProps) {
  const scale = useScale(sheet);
  const place = (stretch: Stretch) => ({
    left: percent(sheet, stretch.fromMs),
    width: `${(((stretch.toMs - stretch.fromMs) / lengthOf(sheet)) * 100).toFixed(3)}%`,
  });
  const fits = (text: string, stretch: Stretch) => fitsOn(sheet, text, stretch, width);
  return (
    <div className="sheet past">
      <div className="drawing" role="img" aria-label={describePast(sheet, name)}>
        {ticksOf(sheet.fromMs, sheet.toMs, TICKS).map(({ atMs }) => (
          <i className="minute" key={atMs} style={{ left: percent(sheet, atMs) }} />
        ))}
        <div className="plot">
          {scale?.levels.map((level) => (
            <div className="level" key={level} style={{ top: `${topOf(level, scale)}%` }}>
              <span>{level}</span>
            </div>
          ))}
          {sheet.before === null ||
          !fits(beforeWords(sheet.before, sheet.toMs), sheet.before) ? null : (
            <div className="before" style={place(sheet.before)}>
              {beforeWords(sheet.before, sheet.toMs)}
            </div>
          )}
          {sheet.gaps.map((gap) => (
            <div className="gap" key={gap.fromMs} style={place(gap)}>
              <Plate words={gapPlate(gap, (lengthOf(gap) / lengthOf(sheet)) * width)} />
            </div>
          ))}
          {scale === null ? null : <Curve sheet={sheet} scale={scale} />}
          {scale === null && sheet.pending.length > 0 ? <p className="waits">Fetching…</p> : null}
          {children}
        </div>
        <i className={live ? "nowline" : "nowline none"} />
      </div>
      {nowMs === null ? null : (
        <Holes
          stretch={sheet}
          gaps={sheet.gaps.map((gap) => ({ ...gap, words: pastGapWhole(gap, nowMs) }))}
        />
      )}
    </div>
  );
}

function Curve({ sheet, scale }: { readonly sheet: PastSheet; readonly scale: Scale }) {
  const x = (atMs: number) => round(((atMs - sheet.fromMs) / lengthOf(sheet)) * BOX.width);
  const y = (bpm: number) => round(topOf(bpm, scale));
  const bars = lengthOf(sheet) / widest(sheet) <= MOST_BARS;
  return (
    <svg
      className="curve"
      viewBox={`0 0 ${BOX.width} ${BOX.height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {sheet.runs.map((run) =>
        bars ? (
          run.map((mean) => <Bar key={mean.fromMs} mean={mean} x={x} y={y} />)
        ) : (
          <g key={run[0]?.fromMs}>
            <path className="env" d={envelope(run, x, y)} />
            <path className="mid" d={middle(run, x, y)} />
          </g>
        ),
      )}
    </svg>
  );
}

type Place = (value: number) => number;

interface BarProps {
  readonly mean: Mean;
  readonly x: Place;
  readonly y: Place;
}

function Bar({ mean, x, y }: BarProps) {
  const room = x(mean.toMs) - x(mean.fromMs);
  const left = round(x(mean.fromMs) + (room * (1 - BAR_SHARE)) / 2);
  const right = round(left + room * BAR_SHARE);
  return (
    <>
      <path
        className={mean.running ? "env running" : "env"}
        d={`M${left} ${y(mean.high)}H${right}V${y(mean.low)}H${left}Z`}
      />
      <path className="mid" d={`M${left} ${y(mean.mean)}H${right}`} />
    </>
  );
}

function envelope(run: readonly Mean[], x: Place, y: Place): string {
  const above = run.map((mean) => `${x(middleOf(mean))} ${y(mean.high)}`);
  const below = run.map((mean) => `${x(middleOf(mean))} ${y(mean.low)}`).reverse();
  return run.length === 1 ? lone(run, x, y) : `M${[...above, ...below].join("L")}Z`;
}

/** One alone is as wide as its own stretch. */
function lone([mean]: readonly Mean[], x: Place, y: Place): string {
  return mean === undefined
    ? ""
    : `M${x(mean.fromMs)} ${y(mean.high)}H${x(mean.toMs)}V${y(mean.low)}H${x(mean.fromMs)}Z`;
}

function middle(run: readonly Mean[], x: Place, y: Place): string {
  const [only] = run;
  return run.length === 1 && only !== undefined
    ? `M${x(only.fromMs)} ${y(only.mean)}H${x(only.toMs)}`
    : `M${run.map((mean) => `${x(middleOf(mean))} ${y(mean.mean)}`).join("L")}`;
}

function middleOf({ fromMs, toMs }: Stretch): number {
  return (fromMs + toMs) / 2;
}

/** The running one is shorter than the others. */
function widest(sheet: PastSheet): number {
  return Math.max(1, ...sheet.runs.flat().map(lengthOf));
}

function lengthOf({ fromMs, toMs }: Stretch): number {
  return toMs - fromMs;
}

export function percent(sheet: Stretch, atMs: number): string {
  return `${(((atMs - sheet.fromMs) / lengthOf(sheet)) * 100).toFixed(3)}%`;
}

function topOf(bpm: number, scale: Scale): number {
  return ((scale.high - bpm) / (scale.high - scale.low)) * 100;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function useScale(sheet: PastSheet): Scale | null {
  const before = useRef<Scale | null>(null);
  if (sheet.least === null || sheet.most === null) {
    return null;
  }
  before.current = scaleFor(sheet.least, sheet.most, before.current);
  return before.current;
}
