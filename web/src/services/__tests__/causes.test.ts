import { describe, expect, test } from "vitest";
import { Cause, Causes, causeOf, SPELLS_BOUND } from "../causes";
import { status } from "./fake-server";

const server = { state: "ok", sinceMs: 1 } as const;
const online = { name: "b", state: "online", sinceMs: 1, heardMs: 1, pending: 0 } as const;
const hop = (device: string, state: "connected" | "searching" | "notWorn", sinceMs = 5) => ({
  device,
  name: "",
  state,
  sinceMs,
});

function cause(hops: Parameters<typeof status>[0], device: string | null = null) {
  return causeOf(status(hops), device);
}

describe("causeOf", () => {
  test("nothing in the way, or nothing known", () => {
    expect(cause({})).toBeNull();
    expect(cause({ hops: { server } })).toBeNull();
  });

  test("nearest to the screen first", () => {
    const offline = { ...online, state: "offline", sinceMs: 7 } as const;
    const devices = [hop("d1", "searching")];
    expect(
      cause({
        hops: { server: { state: "notStoring", sinceMs: 9 }, bridges: [offline], devices },
      }),
    ).toEqual({ cause: Cause.NOT_STORING, fromMs: 9 });
    expect(cause({ hops: { server, bridges: [offline], devices } })).toEqual({
      cause: Cause.BRIDGE_OFFLINE,
      fromMs: 7,
    });
    expect(cause({ hops: { server, bridges: [online, offline], devices } })).toEqual({
      cause: Cause.OUT_OF_RANGE,
      fromMs: 5,
    });
  });

  test("the device that the readings come from decides", () => {
    const devices = [hop("strap", "searching"), hop("watch", "connected")];
    expect(cause({ hops: { server, bridges: [online], devices } })).toBeNull();
    expect(cause({ hops: { server, bridges: [online], devices } }, "strap")?.cause).toBe(
      Cause.OUT_OF_RANGE,
    );
  });

  test("not worn", () => {
    expect(cause({ hops: { server, bridges: [online], devices: [hop("d", "notWorn")] } })).toEqual({
      cause: Cause.NOT_WORN,
      fromMs: 5,
    });
  });
});

describe("Causes", () => {
  const out = { cause: Cause.OUT_OF_RANGE, fromMs: 100 };

  test("a spell opens, lasts, and closes", () => {
    const causes = new Causes();
    causes.note("u", out, 120);
    causes.note("u", { ...out, fromMs: 130 }, 140);
    expect(causes.of("u")).toEqual([{ ...out, toMs: null }]);
    causes.note("u", null, 200);
    expect(causes.of("u")).toEqual([{ ...out, toMs: 200 }]);
  });

  test("another cause ends the one before", () => {
    const causes = new Causes();
    causes.note("u", out, 120);
    causes.note("u", { cause: Cause.NOT_WORN, fromMs: 150 }, 160);
    expect(causes.of("u").map((spell) => [spell.cause, spell.toMs])).toEqual([
      [Cause.OUT_OF_RANGE, 150],
      [Cause.NOT_WORN, null],
    ]);
  });

  test("the screen's own way counts for everybody", () => {
    const causes = new Causes();
    causes.noteOwn({ cause: Cause.SERVER_AWAY, fromMs: 5 }, 5);
    causes.noteOwn(null, 25);
    expect(causes.of("anyone")).toEqual([{ cause: Cause.SERVER_AWAY, fromMs: 5, toMs: 25 }]);
    causes.forget("anyone");
    expect(causes.of("anyone")).toHaveLength(1);
  });

  test("bounded", () => {
    const causes = new Causes();
    for (let at = 0; at < 3 * SPELLS_BOUND; at += 1) {
      causes.note("u", at % 2 === 0 ? { ...out, fromMs: at } : null, at);
    }
    expect(causes.of("u")).toHaveLength(SPELLS_BOUND);
  });
});
