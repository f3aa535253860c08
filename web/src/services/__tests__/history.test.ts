import { beforeEach, expect, test, vi } from "vitest";
import { HistoryFetcher, type HistoryHost } from "../history";
import { RequestError } from "../requests";
import { EPOCH, historyPage } from "./fake-server";

type Answer = (value: unknown) => void;

function host() {
  const asked: Record<string, unknown>[] = [];
  const answers: { resolve: Answer; reject: (error: unknown) => void }[] = [];
  const arrived = vi.fn<HistoryHost["arrived"]>();
  const made: HistoryHost = {
    ask: (_method, params) => {
      asked.push(params);
      return new Promise((resolve, reject) => answers.push({ resolve, reject }));
    },
    stretch: () => ({ fromMs: 100, toMs: 200 }),
    arrived,
  };
  return { made, asked, answers, arrived };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});

test("asks for the stretch on the screen, raw, and hands it over with its position", async () => {
  const { made, asked, answers, arrived } = host();
  const fetcher = new HistoryFetcher(made, "heart_rate");
  fetcher.want("u1");
  fetcher.run();
  expect(asked).toEqual([
    { user: "u1", metric: "heart_rate", fromMs: 100, toMs: 200, resolution: "raw", limit: 2_000 },
  ]);
  const page = historyPage([150], [70], 7);
  answers[0]?.resolve(page);
  await settle();
  expect(arrived).toHaveBeenCalledWith("u1", { fromMs: 100, toMs: 200 }, page.series, [EPOCH, 7]);
});

test("goes on where a page ends, under the first page's position", async () => {
  const { made, asked, answers, arrived } = host();
  const fetcher = new HistoryFetcher(made, "heart_rate");
  fetcher.want("u1");
  fetcher.run();
  answers[0]?.resolve({ ...historyPage([110], [70], 7), next: "p2" });
  await settle();
  expect(asked[1]).toMatchObject({ after: "p2" });
  answers[1]?.resolve(historyPage([150], [71], 9));
  await settle();
  expect(arrived.mock.calls[0]?.[2]).toHaveLength(2);
  expect(arrived.mock.calls[0]?.[3]).toEqual([EPOCH, 7]);
});

test("four at once; asked again meanwhile, once more after that", async () => {
  const { made, asked, answers } = host();
  const fetcher = new HistoryFetcher(made, "heart_rate");
  for (const user of ["a", "b", "c", "d", "e", "f"]) {
    fetcher.want(user);
  }
  fetcher.run();
  fetcher.want("a");
  fetcher.run();
  expect(asked.map((params) => params.user)).toEqual(["a", "b", "c", "d"]);
  answers[0]?.resolve(historyPage([150], [70]));
  await settle();
  expect(asked.map((params) => params.user)).toEqual(["a", "b", "c", "d", "e"]);
});

test("a refusal and an answer that is none are said, a lost connection is not", async () => {
  const { made, answers, arrived } = host();
  const fetcher = new HistoryFetcher(made, "heart_rate");
  for (const user of ["a", "b", "c"]) {
    fetcher.want(user);
  }
  fetcher.run();
  answers[0]?.reject(new RequestError("notGranted", "no"));
  answers[1]?.reject(new RequestError("connectionLost", "gone"));
  answers[2]?.resolve({ series: "none" });
  await settle();
  expect(console.warn).toHaveBeenCalledOnce();
  expect(console.error).toHaveBeenCalledOnce();
  expect(arrived).not.toHaveBeenCalled();
});

test("who left is not asked for", () => {
  const { made, asked } = host();
  const fetcher = new HistoryFetcher(made, "heart_rate");
  fetcher.want("u1");
  fetcher.forget("u1");
  fetcher.run();
  expect(asked).toEqual([]);
});
