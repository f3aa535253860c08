// The connection's own mark, apart from the rates: shape first, words second, spoken politely.
import { type ReactNode, useCallback, useEffect, useId, useRef, useState } from "react";
import { useAnnouncement } from "@/hooks/use-announcement";
import { useAsked } from "@/hooks/use-asked";
import { useDismissal } from "@/hooks/use-dismissal";
import { STATUS_WORDS, SyncStatus } from "@/model/sync-status";
import { ago, agoSpoken, clock } from "@/model/words";
import { SyncGlyph } from "./sync-glyph";

export { SyncStatus } from "@/model/sync-status";

export interface DataSyncIndicatorProps {
  readonly status: SyncStatus;
  /** When data last came, by this machine's clock. Whoever knows better gives `detail`. */
  readonly lastSyncTime?: Date | null;
  readonly showSyncButton?: boolean;
  /** What came of it, if it promises a text, is shown in the button for a while. */
  readonly onSyncClick?: () => unknown;
  readonly variant?: "badge" | "icon" | "text" | "full";
  /** Beside the status's word, in place of what `lastSyncTime` tells: "312 waiting". */
  readonly detail?: string;
  /** The whole sentence for a voice. */
  readonly spoken?: string;
  /** Changes when there is something new to say; by default the status. */
  readonly spokenKey?: string;
  /** Of several indicators on a page only one speaks. */
  readonly announce?: boolean;
  /** The button's words: "Sync now", offline "Try now". */
  readonly syncLabel?: string;
  /** The way of the readings: opened by a badge or an icon, in place in the full form. */
  readonly children?: ReactNode;
}

export default function DataSyncIndicator(props: DataSyncIndicatorProps) {
  const { status, variant = "badge", announce = true, children } = props;
  const ageMs = useAge(props.lastSyncTime ?? null);
  const detail = props.detail ?? detailOf(status, props.lastSyncTime ?? null, ageMs);
  const spoken = props.spoken ?? spokenOf(status, props.lastSyncTime ?? null, ageMs);
  const mark = <Mark status={status} detail={detail} spoken={spoken} variant={variant} />;
  const button = props.showSyncButton === true ? <SyncButton {...props} /> : null;
  return (
    <>
      {variant === "full" ? (
        <section className="full" aria-label={`How readings reach you: ${STATUS_WORDS[status]}`}>
          <div className="fh">
            {mark}
            {button}
          </div>
          {children}
        </section>
      ) : children === undefined ? (
        <>
          <span className={`sync ${variant}`} data-status={status}>
            {mark}
          </span>
          {button}
        </>
      ) : (
        <Opener status={status} variant={variant} mark={mark}>
          <div className="fh">
            <span className="sync text" data-status={status}>
              <SyncGlyph status={status} />
              <span className="what">{STATUS_WORDS[status]}</span>
            </span>
            {button}
          </div>
          {children}
        </Opener>
      )}
      {announce ? <Voice text={spoken} speakKey={`${status} ${props.spokenKey ?? ""}`} /> : null}
    </>
  );
}

interface MarkProps {
  readonly status: SyncStatus;
  readonly detail: string;
  readonly spoken: string;
  readonly variant: NonNullable<DataSyncIndicatorProps["variant"]>;
}

function Mark({ status, detail, spoken, variant }: MarkProps) {
  if (variant === "icon") {
    return (
      <>
        <SyncGlyph status={status} />
        <span className="sr">{spoken}</span>
      </>
    );
  }
  const words = (
    <>
      <SyncGlyph status={status} />
      <span className="sr">Connection:</span> <span className="what">{STATUS_WORDS[status]}</span>{" "}
      {detail === "" ? null : <span className="more">{detail}</span>}
    </>
  );
  return variant === "badge" ? (
    <span className="box">{words}</span>
  ) : variant === "full" ? (
    <span className="sync text" data-status={status}>
      {words}
    </span>
  ) : (
    words
  );
}

interface OpenerProps {
  readonly status: SyncStatus;
  readonly variant: "badge" | "icon" | "text";
  readonly mark: ReactNode;
  readonly children: ReactNode;
}

/** Enter, space or a pointer opens the full form; Escape closes it and gives the focus back. */
function Opener({ status, variant, mark, children }: OpenerProps) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const opener = useRef<HTMLButtonElement>(null);
  const whole = useRef<HTMLDivElement>(null);
  const dismiss = useCallback((giveFocusBack: boolean) => {
    setOpen(false);
    if (giveFocusBack) {
      opener.current?.focus();
    }
  }, []);
  useDismissal(open, whole, dismiss);
  return (
    <div className="opens" ref={whole}>
      <button
        ref={opener}
        type="button"
        className={`sync ${variant}`}
        data-status={status}
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        {mark}
      </button>
      {open ? (
        <section className="full opened" id={id} aria-label="How readings reach you">
          {children}
        </section>
      ) : null}
    </div>
  );
}

function SyncButton({ status, onSyncClick, syncLabel }: DataSyncIndicatorProps) {
  const label = syncLabel ?? (status === SyncStatus.OFFLINE ? "Try now" : "Sync now");
  const [said, ask] = useAsked(onSyncClick, label === "Try now" ? "Trying…" : "Asking…");
  const syncing = status === SyncStatus.SYNCING && said === null;
  return (
    <button
      type="button"
      className="button sync-button"
      disabled={syncing}
      // Not disabled: the focus would be lost.
      aria-disabled={said === null ? undefined : true}
      onClick={ask}
    >
      {said ?? (syncing ? "Syncing" : label)}
    </button>
  );
}

function Voice({ text, speakKey }: { readonly text: string; readonly speakKey: string }) {
  return (
    <span className="sr" role="status">
      {useAnnouncement(text, speakKey)}
    </span>
  );
}

function useAge(time: Date | null): number | null {
  const [nowMs, setNowMs] = useState(() => Date.now());
  const ticking = time !== null;
  useEffect(() => {
    if (!ticking) {
      return undefined;
    }
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [ticking]);
  return time === null ? null : Math.max(0, nowMs - time.getTime());
}

function detailOf(status: SyncStatus, last: Date | null, ageMs: number | null): string {
  if (last === null || ageMs === null) {
    return "";
  }
  switch (status) {
    case SyncStatus.REALTIME:
      return ago(ageMs);
    case SyncStatus.SYNCED:
      return `nothing since ${clock(last.getTime())}`;
    case SyncStatus.OFFLINE:
    case SyncStatus.ERROR:
      return `since ${clock(last.getTime())}`;
    default:
      return "";
  }
}

function spokenOf(status: SyncStatus, last: Date | null, ageMs: number | null): string {
  const word = STATUS_WORDS[status];
  if (status === SyncStatus.CONNECTING) {
    return "Connection not known yet.";
  }
  if (last === null || ageMs === null) {
    return `${word}.`;
  }
  switch (status) {
    case SyncStatus.REALTIME:
      return `${word}. Last reading ${agoSpoken(ageMs)}.`;
    case SyncStatus.SYNCED:
      return `${word}. Nothing new since ${clock(last.getTime())}.`;
    case SyncStatus.OFFLINE:
      return `${word} since ${clock(last.getTime())}.`;
    default:
      return `${word}.`;
  }
}
