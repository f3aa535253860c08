import { expect, test, vi } from "vitest";
import { fetchNotes, NO_NOTES, NOTES_BOUND } from "../notes";
import { EPOCH, series } from "./fake-server";

const session = { id: "AAAAAAAAAAAAAAAAAAAAAA", name: "Intervals", startMs: 5, endMs: null };
const measured = { session, readings: 3, average: 70, min: 60, max: 80 };
const sessions = { user: "u1", sessions: [measured], position: [EPOCH, 1] };

function marks(atMs: number[], label: unknown) {
  const said = { ...series(atMs, []), metric: "mark", value: atMs.map(() => null), label };
  return { user: "u1", metric: "mark", series: [said], position: [EPOCH, 1] };
}

const ALL = { fromMs: 0, toMs: 100_000 };
const wanted = () => true;

test("sessions with their figures, marks with their words, of one stretch", async () => {
  const ask = vi.fn((method: string) =>
    Promise.resolve(method === "sessions" ? sessions : marks([30, 10, 20], ["c", "a", null])),
  );
  expect(await fetchNotes(ask, "u1", { fromMs: 0, toMs: 100 }, wanted)).toEqual({
    sessions: [measured],
    marks: [
      { atMs: 10, label: "a" },
      { atMs: 20, label: "" },
      { atMs: 30, label: "c" },
    ],
    sessionsUntilMs: null,
    marksUntilMs: null,
  });
  expect(ask.mock.calls).toMatchObject([
    ["sessions", { user: "u1", fromMs: 0, toMs: 100 }],
    ["history", { user: "u1", metric: "mark", fromMs: 0, toMs: 100, resolution: "raw" }],
  ]);
});

test("marks of a server that tells no words are marks", async () => {
  const ask = (method: string) =>
    Promise.resolve(method === "sessions" ? sessions : marks([10], undefined));
  const found = await fetchNotes(ask, "u1", ALL, wanted);
  expect(found?.marks).toEqual([{ atMs: 10, label: "" }]);
});

test("an answer of another shape is none", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const ask = () => Promise.resolve({});
  expect(await fetchNotes(ask, "u1", ALL, wanted)).toEqual(NO_NOTES);
  expect(console.error).toHaveBeenCalledTimes(2);
});

/** Pages of 500 marks, as many as are asked for, of `count` in all. */
function pages(count: number) {
  return vi.fn((method: string, params: Record<string, unknown>) => {
    const from = Number(params.after ?? 0);
    const to = Math.min(count, from + Number(params.limit));
    const at = Array.from({ length: to - from }, (_, index) => from + index);
    const next = to < count ? String(to) : null;
    const none = { user: "u1", sessions: [], position: [EPOCH, 1] };
    return Promise.resolve(method === "sessions" ? none : { ...marks(at, undefined), next });
  });
}

test("the newest are on the last page, and there", async () => {
  const found = await fetchNotes(pages(1_200), "u1", ALL, wanted);
  expect(found?.marks).toHaveLength(1_200);
  expect(found?.marks.at(-1)?.atMs).toBe(1_199);
  expect(found?.marksUntilMs).toBeNull();
});

test("up to a bound, and what is left out is said", async () => {
  const found = await fetchNotes(pages(9_999), "u1", ALL, wanted);
  expect(found?.marks).toHaveLength(NOTES_BOUND);
  expect(found?.marksUntilMs).toBe(NOTES_BOUND - 1);
  expect(found?.sessionsUntilMs).toBeNull();
});

test("a page that ends where it began is not asked for again and again", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const ask = vi.fn((method: string) =>
    Promise.resolve(method === "sessions" ? sessions : { ...marks([10], ["a"]), next: "p2" }),
  );
  expect((await fetchNotes(ask, "u1", ALL, wanted))?.marks).toHaveLength(1);
  expect(ask).toHaveBeenCalledTimes(3);
});

test("what is no longer wanted is not asked for to its end", async () => {
  const ask = pages(1_200);
  expect(await fetchNotes(ask, "u1", ALL, () => false)).toBeNull();
  expect(ask).toHaveBeenCalledTimes(2);
});
