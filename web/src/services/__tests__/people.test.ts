import { expect, test } from "vitest";
import { People } from "../people";
import { heartRate, SERVER_TIME, status, update, userSnapshot } from "./fake-server";

test("seats by name, newcomers at the end, everyone keeps the seat", () => {
  const people = new People();
  const named = (name: string) => userSnapshot({ name });
  people.snapshot({ a: named("Tomás"), b: named("Ilse") }, SERVER_TIME);
  expect(people.all.map((person) => person.name)).toEqual(["Ilse", "Tomás"]);
  people.snapshot({ c: named("Aiko"), a: named("Tomás"), b: named("Zoe") }, SERVER_TIME);
  expect(people.all.map((person) => person.name)).toEqual(["Zoe", "Tomás", "Aiko"]);
  people.snapshot({ a: named("Tomás") }, SERVER_TIME);
  expect(people.all.map((person) => person.user)).toEqual(["a"]);
});

test("without a reset the state stays, with one it is replaced", () => {
  const people = new People();
  people.snapshot({ u1: userSnapshot() }, SERVER_TIME);
  const { state: _state, ...resumed } = userSnapshot({ reset: false });
  people.snapshot({ u1: resumed }, SERVER_TIME);
  expect(people.of("u1")?.metrics.heart_rate).toEqual(heartRate());
  people.snapshot({ u1: { ...resumed, reset: true } }, SERVER_TIME);
  expect(people.of("u1")?.metrics).toEqual({});
});

test("a change replaces one metric of one person", () => {
  const people = new People();
  people.snapshot({ u1: userSnapshot(), u2: userSnapshot() }, SERVER_TIME);
  const other = people.of("u2");
  people.apply(update(11, 10));
  expect(people.of("u1")?.metrics.heart_rate).toMatchObject({ current: 71 });
  expect(people.of("u2")).toBe(other);
});

test("a status keeps its time and none of the envelope", () => {
  const people = new People();
  people.snapshot({ u1: userSnapshot() }, SERVER_TIME);
  const told = status({ status: "offline" });
  people.applyStatus({
    ...told,
    type: "SYNC_STATUS_UPDATE",
    user: "u1",
    serverTime: SERVER_TIME + 5,
  });
  expect(people.of("u1")).toMatchObject({ status: told, statusAtMs: SERVER_TIME + 5 });
  expect(people.of("u1")?.status).not.toHaveProperty("user");
});

test("who has no name goes by the id", () => {
  const people = new People();
  people.snapshot({ u1: userSnapshot({ name: "" }) }, SERVER_TIME);
  expect(people.of("u1")?.name).toBe("u1");
});
