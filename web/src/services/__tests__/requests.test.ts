import { expect, test } from "vitest";
import { REQUESTS_BOUND, RequestError, Requests } from "../requests";

test("each answer finds its question", async () => {
  const requests = new Requests();
  const ids: string[] = [];
  const first = requests.ask((id) => ids.push(id));
  const second = requests.ask((id) => ids.push(id));
  requests.answer(String(ids[1]), "b");
  requests.answer(String(ids[0]), "a");
  expect(await Promise.all([first, second])).toEqual(["a", "b"]);
});

test("a refusal names its code", async () => {
  const requests = new Requests();
  let asked = "";
  const answer = requests.ask((id) => {
    asked = id;
  });
  expect(requests.refuse(asked, "notGranted", "no")).toBe(true);
  expect(requests.refuse(asked, "notGranted", "no")).toBe(false);
  await expect(answer).rejects.toEqual(new RequestError("notGranted", "no"));
});

test("no more at once than the server answers: the others wait for their turn", async () => {
  const requests = new Requests();
  const sent: string[] = [];
  requests.limit(2);
  const answers = ["a", "b", "c", "d"].map(() => requests.ask((id) => sent.push(id)));
  expect(sent).toEqual(["r1", "r2"]);
  requests.answer("r2", "b");
  expect(sent).toEqual(["r1", "r2", "r3"]);
  requests.refuse("r1", "failed", "no");
  expect(sent).toEqual(["r1", "r2", "r3", "r4"]);
  requests.abandon();
  const ends = await Promise.allSettled(answers);
  expect(ends.map(({ status }) => status)).toEqual([
    "rejected",
    "fulfilled",
    "rejected",
    "rejected",
  ]);
});

test("a question that waits is never sent over the next connection", async () => {
  const requests = new Requests();
  const sent: string[] = [];
  requests.limit(1);
  const answers = [1, 2].map(() => requests.ask((id) => sent.push(id)));
  requests.abandon();
  await Promise.allSettled(answers);
  const next = requests.ask((id) => sent.push(id));
  expect(sent).toEqual(["r1", "r3"]);
  requests.answer("r3", "c");
  expect(await next).toBe("c");
});

test("bounded, and given up together", async () => {
  const requests = new Requests();
  const waiting = Array.from({ length: REQUESTS_BOUND }, () => requests.ask(() => undefined));
  await expect(requests.ask(() => undefined)).rejects.toMatchObject({ code: "tooMany" });
  requests.abandon();
  const ends = await Promise.allSettled(waiting);
  expect(ends.every((end) => end.status === "rejected")).toBe(true);
  const after = requests.ask(() => undefined);
  requests.abandon();
  await expect(after).rejects.toMatchObject({ code: "connectionLost" });
});
