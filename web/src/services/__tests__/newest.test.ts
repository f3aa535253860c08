import { expect, test } from "vitest";
import { Newest } from "../newest";

function tasks() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const task = (name: string) => () => {
    begun.push(name);
    return new Promise<void>((resolve) => ends.set(name, resolve));
  };
  const end = async (name: string) => {
    ends.get(name)?.();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { newest: new Newest(), begun, task, end };
}

test("one at a time; of those that wait only the newest is begun", async () => {
  const { newest, begun, task, end } = tasks();
  for (const name of ["a", "b", "c", "d"]) {
    newest.begin(task(name));
  }
  expect(begun).toEqual(["a"]);
  await end("a");
  expect(begun).toEqual(["a", "d"]);
  newest.begin(task("e"));
  await end("d");
  await end("e");
  newest.begin(task("f"));
  expect(begun).toEqual(["a", "d", "e", "f"]);
});

test("one that waits and is withdrawn is not begun", async () => {
  const { newest, begun, task, end } = tasks();
  const over = newest.begin(task("a"));
  const withdraw = newest.begin(task("b"));
  over();
  withdraw();
  await end("a");
  expect(begun).toEqual(["a"]);
  newest.begin(task("c"));
  expect(begun).toEqual(["a", "c"]);
});
