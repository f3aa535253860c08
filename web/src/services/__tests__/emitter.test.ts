import { expect, test, vi } from "vitest";
import { Emitter } from "../emitter";

test("calls who listens to that type, until they stop", () => {
  const emitter = new Emitter<string, [number]>();
  const a = vi.fn();
  const b = vi.fn();
  const stop = emitter.add("x", a);
  emitter.add("y", b);
  emitter.emit("x", 1);
  stop();
  emitter.emit("x", 2);
  expect(a.mock.calls).toEqual([[1]]);
  expect(b).not.toHaveBeenCalled();
});

test("one that throws is reported and harms nobody", () => {
  const complaint = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const emitter = new Emitter<string, []>();
  const after = vi.fn();
  emitter.add("x", () => {
    throw new Error("bug");
  });
  emitter.add("x", after);
  emitter.emit("x");
  expect(after).toHaveBeenCalledOnce();
  expect(complaint).toHaveBeenCalledOnce();
});

test("a listener may leave while it is called", () => {
  const emitter = new Emitter<string, []>();
  const after = vi.fn();
  const stop = emitter.add("x", () => stop());
  emitter.add("x", after);
  emitter.emit("x");
  emitter.emit("x");
  expect(after).toHaveBeenCalledTimes(2);
});
