// Fetches history: readings, or what was measured in stretches of one length.
import { type HistoryPage, isHistoryPage, type Resolution } from "@/protocol/messages";
import { Fetcher, type FetcherHost, type Source } from "./fetcher";

const PAGE = 2_000;

/** What is asked of which stretch. */
export interface Question {
  readonly user: string;
  readonly metric: string;
  readonly resolution: Resolution;
}

export type HistoryHost = FetcherHost<Question, HistoryPage>;

export function keyOf({ user, metric, resolution }: Question): string {
  return `${resolution} ${metric} ${user}`;
}

const HISTORY: Source<Question, HistoryPage> = {
  method: "history",
  words: "history",
  limit: PAGE,
  // Five minutes at fifty readings a second: no strap sends as many.
  most: 8 * PAGE,
  apartMs: 1_000,
  keyOf,
  isPage: isHistoryPage,
  sizeOf: (page) => columnsOf(page).reduce((sum, { atMs }) => sum + atMs.length, 0),
  lastOf: (page) => Math.max(0, ...columnsOf(page).map(({ atMs }) => sumOf(atMs))),
};

export class HistoryFetcher extends Fetcher<Question, HistoryPage> {
  constructor(host: HistoryHost) {
    super(HISTORY, host);
  }
}

function columnsOf({ series, stretches }: HistoryPage) {
  return [...series, ...(stretches ?? [])];
}

function sumOf(differences: readonly number[]): number {
  return differences.reduce((sum, difference) => sum + difference, 0);
}
