import { describe, expect, test } from "vitest";
import { ServerClock, SleepWatch } from "../clock";

describe("ServerClock", () => {
  test("knows nothing before the first message", () => {
    expect(new ServerClock().now(5)).toBeNull();
  });

  test("the largest offset of a connection holds: a message is late, never early", () => {
    const clock = new ServerClock();
    clock.heard(1_000_000, 100);
    clock.heard(1_000_450, 600);
    expect(clock.now(600)).toBe(1_000_500);
    clock.heard(1_001_200, 1_000);
    expect(clock.now(1_000)).toBe(1_001_200);
  });

  test("a new connection measures anew, and the old offset goes on until it has", () => {
    const clock = new ServerClock();
    clock.heard(2_000_000, 0);
    clock.begin();
    expect(clock.now(10)).toBe(2_000_010);
    clock.heard(1_000_000, 20);
    expect(clock.now(20)).toBe(1_000_000);
  });

  test("sleep counts until the server is heard again", () => {
    const clock = new ServerClock();
    clock.heard(1_000, 0);
    clock.slept(8_000);
    expect(clock.now(10)).toBe(9_010);
    clock.heard(9_500, 20);
    expect(clock.now(20)).toBe(9_500);
  });
});

describe("SleepWatch", () => {
  test("sees the wall clock go on without the monotonic one", () => {
    const watch = new SleepWatch();
    expect(watch.look(10_000, 1_000)).toBe(0);
    expect(watch.look(11_000, 2_000)).toBe(0);
    expect(watch.look(71_000, 3_000)).toBe(59_000);
    expect(watch.look(72_000, 4_000)).toBe(0);
  });

  test("a clock set backwards is no sleep", () => {
    const watch = new SleepWatch();
    watch.look(100_000, 0);
    expect(watch.look(10_000, 1_000)).toBe(0);
  });
});
