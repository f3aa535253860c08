import { beforeEach, expect, test, vi } from "vitest";
import { HistoryFetcher, type HistoryHost, type Question } from "../history";
import { RequestError } from "../requests";
import type { Stretch } from "../stretches";
import { EPOCH, historyPage } from "./fake-server";

type Answer = (value: unknown) => void;

let screen: Stretch | null;
let open: boolean;

function host() {
  const asked: Record<string, unknown>[] = [];
  const answers: { resolve: Answer; reject: (error: unknown) => void }[] = [];
  const arrived = vi.fn<HistoryHost["arrived"]>();
  const made: HistoryHost = {
    isOpen: () => open,
    ask: (_method, params) => {
      asked.push(params);
      return new Promise((resolve, reject) => answers.push({ resolve, reject }));
    },
    onScreen: () => screen,
    arrived,
  };
  return { fetcher: new HistoryFetcher(made), asked, answers, arrived };
}

function of(user = "u1"): Question {
  return { user, metric: "heart_rate", resolution: "raw" };
}

const ALL = { fromMs: 0, toMs: 100_000 };

async function settle() {
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => {
  vi.useFakeTimers();
  screen = ALL;
  open = true;
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  return () => vi.useRealTimers();
});

test("asks for what is missing, and hands it over with its position", async () => {
  const { fetcher, asked, answers, arrived } = host();
  fetcher.want(of(), { fromMs: 100, toMs: 200 }, null);
  fetcher.run();
  expect(asked).toEqual([
    { user: "u1", metric: "heart_rate", fromMs: 100, toMs: 200, resolution: "raw", limit: 2_000 },
  ]);
  const page = historyPage([150], [70], 7);
  answers[0]?.resolve(page);
  await settle();
  expect(arrived).toHaveBeenCalledWith(of(), { fromMs: 100, toMs: 200 }, [page], [EPOCH, 7]);
  fetcher.run();
  expect(asked).toHaveLength(1);
});

test("what is not on the screen, or has left it, is not asked for", async () => {
  const { fetcher, asked, answers, arrived } = host();
  screen = { fromMs: 50_000, toMs: 100_000 };
  fetcher.want(of(), { fromMs: 0, toMs: 60_000 }, null);
  fetcher.want(of("u2"), { fromMs: 0, toMs: 10_000 }, null);
  fetcher.run();
  expect(asked).toMatchObject([{ user: "u1", fromMs: 50_000, toMs: 60_000 }]);
  screen = { fromMs: 70_000, toMs: 120_000 };
  answers[0]?.resolve({ ...historyPage([55_000], [70], 7), next: "p2" });
  await settle();
  expect(asked).toHaveLength(1);
  expect(arrived).not.toHaveBeenCalled();
  screen = null;
  fetcher.want(of(), { fromMs: 80_000, toMs: 90_000 }, null);
  fetcher.run();
  expect(asked).toHaveLength(1);
});

test("each hole by itself, near ones together", async () => {
  const { fetcher, asked, answers } = host();
  fetcher.want(of(), { fromMs: 1_000, toMs: 2_000 }, null);
  fetcher.want(of(), { fromMs: 40_000, toMs: 41_000 }, null);
  fetcher.want(of(), { fromMs: 42_000, toMs: 43_000 }, null);
  fetcher.run();
  answers[0]?.resolve(historyPage([42_500], [70]));
  await settle();
  expect(asked).toMatchObject([
    { fromMs: 40_000, toMs: 43_000 },
    { fromMs: 1_000, toMs: 2_000 },
  ]);
});

test("goes on where a page ends, under the first page's position", async () => {
  const { fetcher, asked, answers, arrived } = host();
  fetcher.want(of(), ALL, null);
  fetcher.run();
  answers[0]?.resolve({ ...historyPage([110], [70], 7), next: "p2" });
  await settle();
  expect(asked[1]).toMatchObject({ after: "p2" });
  answers[1]?.resolve(historyPage([150], [71], 9));
  await settle();
  expect(arrived.mock.calls[0]?.[2]).toHaveLength(2);
  expect(arrived.mock.calls[0]?.[3]).toEqual([EPOCH, 7]);
});

test("pages that hold nothing are gone through to the end, however many they are", async () => {
  const { fetcher, asked, answers, arrived } = host();
  fetcher.want(of(), ALL, null);
  fetcher.run();
  for (let page = 0; page < 20; page++) {
    answers[page]?.resolve({ ...historyPage([], [], 7), series: [], next: `p${page}` });
    await settle();
    expect(arrived).not.toHaveBeenCalled();
  }
  answers[20]?.resolve(historyPage([150], [71], 7));
  await settle();
  expect(arrived.mock.calls[0]?.[2]).toHaveLength(21);
  expect(asked).toHaveLength(21);
});

test("a page that ends where it began is not asked for again and again", async () => {
  const { fetcher, asked, answers, arrived } = host();
  fetcher.want(of(), ALL, null);
  fetcher.run();
  answers[0]?.resolve({ ...historyPage([110], [70], 7), next: "p2" });
  await settle();
  answers[1]?.resolve({ ...historyPage([], [], 7), series: [], next: "p2" });
  await settle();
  fetcher.run();
  expect(asked).toHaveLength(2);
  expect(arrived).not.toHaveBeenCalled();
});

test("a change that the answer does not have is fetched once more, one that it has is not", async () => {
  const { fetcher, asked, answers } = host();
  fetcher.want(of(), ALL, null);
  fetcher.run();
  fetcher.want(of(), { fromMs: 10, toMs: 20 }, [EPOCH, 7]);
  fetcher.want(of(), { fromMs: 30, toMs: 40 }, [EPOCH, 8]);
  fetcher.run();
  expect(asked).toHaveLength(1);
  answers[0]?.resolve(historyPage([150], [70], 7));
  await settle();
  await vi.advanceTimersByTimeAsync(1_000);
  fetcher.run();
  expect(asked).toHaveLength(2);
  expect(asked[1]).toMatchObject({ fromMs: 30, toMs: 40 });
});

test("what changes all the time is fetched once a second", async () => {
  const { fetcher, asked, answers } = host();
  fetcher.want(of(), { fromMs: 10, toMs: 20 }, [EPOCH, 7]);
  fetcher.run();
  answers[0]?.resolve(historyPage([15], [70], 7));
  await settle();
  fetcher.want(of(), { fromMs: 30, toMs: 40 }, [EPOCH, 8]);
  fetcher.want(of(), { fromMs: 50, toMs: 60 }, [EPOCH, 9]);
  fetcher.run();
  expect(asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1_000);
  fetcher.run();
  expect(asked[1]).toMatchObject({ fromMs: 30, toMs: 60 });
});

test("what changes all the time keeps nothing else waiting", async () => {
  const { fetcher, asked, answers } = host();
  fetcher.want(of(), { fromMs: 90_000, toMs: 91_000 }, [EPOCH, 99]);
  fetcher.want(of(), { fromMs: 0, toMs: 10_000 }, null);
  fetcher.run();
  // The answer is of before the change: it stays wanted, and is not asked for at once.
  answers[0]?.resolve(historyPage([90_500], [70], 7));
  await settle();
  expect(asked).toMatchObject([{ fromMs: 90_000 }, { fromMs: 0 }]);
  answers[1]?.resolve(historyPage([500], [70], 7));
  await settle();
  expect(asked).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1_000);
  fetcher.run();
  expect(asked).toHaveLength(3);
});

test("four at once", async () => {
  const { fetcher, asked, answers } = host();
  for (const user of ["a", "b", "c", "d", "e", "f"]) {
    fetcher.want(of(user), ALL, null);
  }
  fetcher.run();
  expect(asked.map((params) => params.user)).toEqual(["a", "b", "c", "d"]);
  answers[0]?.resolve(historyPage([150], [70]));
  await settle();
  expect(asked.map((params) => params.user)).toEqual(["a", "b", "c", "d", "e"]);
});

test("what a lost connection took is asked for once, when it is back", async () => {
  const { fetcher, asked, answers, arrived } = host();
  fetcher.want(of(), ALL, null);
  fetcher.run();
  answers[0]?.reject(new RequestError("connectionLost", "gone"));
  await settle();
  expect(console.warn).not.toHaveBeenCalled();
  expect(asked).toHaveLength(1);
  open = false;
  fetcher.run();
  fetcher.want(of("u2"), ALL, null);
  fetcher.run();
  expect(asked).toHaveLength(1);
  open = true;
  fetcher.run();
  expect(asked.map(({ user }) => user)).toEqual(["u1", "u1", "u2"]);
  expect(asked[1]).toEqual(asked[0]);
  answers[1]?.resolve(historyPage([150], [70]));
  await settle();
  expect(arrived).toHaveBeenCalledOnce();
});

test("a question that is rejected at once is asked once", async () => {
  // Not for ever: a test that is red shall end.
  const ask = vi.fn(
    (): Promise<unknown> =>
      ask.mock.calls.length > 20
        ? new Promise(() => undefined)
        : Promise.reject(new RequestError("connectionLost", "no session")),
  );
  const fetcher = new HistoryFetcher({
    isOpen: () => true,
    ask,
    onScreen: () => ALL,
    arrived: () => undefined,
  });
  fetcher.want(of(), ALL, null);
  fetcher.run();
  for (let turn = 0; turn < 50; turn += 1) {
    await Promise.resolve();
  }
  expect(ask).toHaveBeenCalledOnce();
});

test("a server that cannot read now is asked later, ever more so", async () => {
  const { fetcher, asked, answers } = host();
  fetcher.want(of(), ALL, null);
  for (const waitMs of [5_000, 10_000]) {
    fetcher.run();
    answers.at(-1)?.reject(new RequestError("failed", "the database cannot be read"));
    await settle();
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(waitMs - 1);
    fetcher.run();
    expect(asked).toHaveLength(before);
    await vi.advanceTimersByTimeAsync(1);
  }
  fetcher.run();
  expect(asked).toHaveLength(3);
});

test("a refusal for good, and an answer that is none, are said and not asked again", async () => {
  const { fetcher, asked, answers, arrived } = host();
  fetcher.want(of("a"), ALL, null);
  fetcher.want(of("b"), ALL, null);
  fetcher.run();
  answers[0]?.reject(new RequestError("notGranted", "no"));
  answers[1]?.resolve({ series: "none" });
  await settle();
  expect(console.warn).toHaveBeenCalledTimes(2);
  fetcher.run();
  expect(asked).toHaveLength(2);
  expect(arrived).not.toHaveBeenCalled();
});

test("who left is neither asked for nor heard", async () => {
  const { fetcher, asked, answers, arrived } = host();
  fetcher.want(of(), ALL, null);
  fetcher.run();
  fetcher.forget("u1");
  fetcher.run();
  answers[0]?.resolve(historyPage([150], [70]));
  await settle();
  expect(asked).toHaveLength(1);
  expect(arrived).not.toHaveBeenCalled();
});

test("of pages without end what came is known, and the rest is asked for by itself", async () => {
  const { fetcher, asked, answers, arrived } = host();
  screen = { fromMs: 0, toMs: 1_000_000 };
  fetcher.want(of(), screen, null);
  fetcher.run();
  for (let page = 0; page < 8; page += 1) {
    const times = Array.from({ length: 2_000 }, (_, index) => page * 20_000 + index * 10 + 10);
    answers.at(-1)?.resolve({ ...historyPage(times, times), next: `p${page}` });
    await settle();
  }
  expect(arrived.mock.calls[0]?.[1]).toEqual({ fromMs: 0, toMs: 160_000 });
  expect(asked).toHaveLength(9);
  expect(asked[8]).toMatchObject({ fromMs: 160_000, toMs: 1_000_000 });
  expect(asked[8]).not.toHaveProperty("after");
});

test("empty pages without end are asked for no more than so often", async () => {
  const { fetcher, asked, answers, arrived } = host();
  fetcher.want(of(), ALL, null);
  fetcher.run();
  for (let page = 0; page < 300; page += 1) {
    answers[page]?.resolve({ ...historyPage([1], [1]), series: [], next: `p${page}` });
    await settle();
  }
  expect(asked).toHaveLength(256);
  expect(arrived.mock.calls[0]?.[1]).toEqual(ALL);
});
