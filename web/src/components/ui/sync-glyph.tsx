// The six glyphs of the connection: they speak the line's grammar, shape before colour.
import type { ReactNode } from "react";
import { SyncStatus } from "@/model/sync-status";

const SHAPES: Readonly<Record<SyncStatus, ReactNode>> = {
  [SyncStatus.REALTIME]: (
    <>
      <path d="M1 8h11" />
      <circle className="solid" cx="17" cy="8" r="5.5" />
    </>
  ),
  [SyncStatus.SYNCING]: (
    <>
      <path d="M1 6h9.6M1 10h9.6" />
      <circle cx="17" cy="8" r="5.5" />
      <path className="solid" d="M11.5 8h11a5.5 5.5 0 0 1-11 0z" />
    </>
  ),
  [SyncStatus.SYNCED]: (
    <>
      <path d="M1 8h10" />
      <circle cx="17" cy="8" r="6" />
      <path d="m14.3 8.2 1.9 1.9 3.5-3.8" />
    </>
  ),
  [SyncStatus.OFFLINE]: (
    <>
      <path d="M.5 8H4M4 5v6M8.5 5v6" />
      <circle cx="17" cy="8" r="5.5" />
    </>
  ),
  [SyncStatus.ERROR]: (
    <>
      <path d="M.5 8H5M15 1.6 22.5 14.4h-15z" />
      <path d="M15 6.4v3.8" />
      <circle className="solid" cx="15" cy="12.2" r="1" />
    </>
  ),
  [SyncStatus.CONNECTING]: (
    <>
      <path d="M1 8h8" strokeDasharray=".1 3.4" />
      <path d="M14.4 5.6A2.7 2.7 0 1 1 18 8.2c-.8.3-1.1.8-1.1 1.6" />
      <circle className="solid" cx="16.9" cy="13" r="1.1" />
    </>
  ),
};

export function SyncGlyph({ status }: { readonly status: SyncStatus }) {
  return (
    <svg className="glyph" viewBox="0 0 24 16" aria-hidden="true">
      {SHAPES[status]}
    </svg>
  );
}
