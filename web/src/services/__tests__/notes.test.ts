import { expect, test, vi } from "vitest";
import { fetchNotes, NO_NOTES } from "../notes";
import { EPOCH, series } from "./fake-server";

const session = { id: "AAAAAAAAAAAAAAAAAAAAAA", name: "Intervals", startMs: 5, endMs: null };
const measured = { session, readings: 3, average: 70, min: 60, max: 80 };
const sessions = { user: "u1", sessions: [measured], position: [EPOCH, 1] };

function marks(atMs: number[], label: unknown) {
  const said = { ...series(atMs, []), metric: "mark", value: atMs.map(() => null), label };
  return { user: "u1", metric: "mark", series: [said], position: [EPOCH, 1] };
}

test("sessions with their figures, marks with their words, of one stretch", async () => {
  const ask = vi.fn((method: string) =>
    Promise.resolve(method === "sessions" ? sessions : marks([30, 10, 20], ["c", "a", null])),
  );
  expect(await fetchNotes(ask, "u1", { fromMs: 0, toMs: 100 })).toEqual({
    sessions: [measured],
    marks: [
      { atMs: 10, label: "a" },
      { atMs: 20, label: "" },
      { atMs: 30, label: "c" },
    ],
  });
  expect(ask.mock.calls).toMatchObject([
    ["sessions", { user: "u1", fromMs: 0, toMs: 100 }],
    ["history", { user: "u1", metric: "mark", fromMs: 0, toMs: 100, resolution: "raw" }],
  ]);
});

test("marks of a server that tells no words are marks", async () => {
  const ask = (method: string) =>
    Promise.resolve(method === "sessions" ? sessions : marks([10], undefined));
  const { marks: found } = await fetchNotes(ask, "u1", { fromMs: 0, toMs: 100 });
  expect(found).toEqual([{ atMs: 10, label: "" }]);
});

test("an answer of another shape is none", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  expect(await fetchNotes(() => Promise.resolve({}), "u1", { fromMs: 0, toMs: 1 })).toBe(NO_NOTES);
  expect(console.error).toHaveBeenCalledOnce();
});
