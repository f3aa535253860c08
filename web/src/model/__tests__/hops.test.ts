import { describe, expect, test } from "vitest";
import type { Hops } from "@/protocol/messages";
import { status } from "@/services/__tests__/fake-server";
import { Reason } from "@/services/close-codes";
import { ConnectionStatus } from "@/services/events";
import { wayOfNobody, waysOf } from "../hops";
import { connection, NOW, person, readings } from "./people-of";

const context = { connection: connection(), nowMs: NOW, silenceMs: 140 };

function ways(hops: Partial<Hops>, extra: Parameters<typeof person>[0] = {}) {
  const told = status();
  return waysOf(
    person({ ...extra, status: { ...told, hops: { ...told.hops, ...hops } } }),
    context,
  );
}

describe("waysOf", () => {
  test("whole: strap, bridge, server, you, each with its age", () => {
    const line = readings(-5_000, 0, 70, { contact: true });
    expect(ways({}, { line })).toEqual([
      {
        key: "u1 d1",
        wearable: "Chest strap",
        strapQuiet: false,
        bridgeQuiet: false,
        serverQuiet: false,
        you: "live",
        hops: [
          { look: "whole", age: "1 s", note: "good contact" },
          { look: "whole", age: "0.1 s", note: "nothing waiting" },
          { look: "whole", age: "0.1 s", note: "" },
        ],
      },
    ]);
  });

  test("a reading that came is a word of the bridge", () => {
    const bridges = [
      { name: "b", state: "online" as const, sinceMs: 1, heardMs: NOW - 25_000, pending: 0 },
    ];
    const [way] = ways({ bridges }, { line: readings(-5_000, 0) });
    expect(way?.hops[1].age).toBe("0.9 s");
  });

  test("out of range is broken, not worn is whole, each since when", () => {
    const device = { device: "d1", name: "", sinceMs: NOW - 60_000 };
    const [lost] = ways({ devices: [{ ...device, state: "searching" }] });
    expect(lost?.hops[0]).toMatchObject({ look: "broken", note: "out of range" });
    expect(lost?.strapQuiet).toBe(true);
    const [off] = ways({ devices: [{ ...device, state: "notWorn" }] });
    expect(off?.hops[0]).toMatchObject({ look: "whole", note: "not worn" });
  });

  test("the bridge is away, or has readings waiting, or is none", () => {
    const bridge = { name: "b", sinceMs: NOW, heardMs: NOW, pending: 312 };
    const [away] = ways({ bridges: [{ ...bridge, state: "offline" }] });
    expect(away?.hops[1]).toMatchObject({ look: "broken", note: "312 readings waiting" });
    const [late] = ways({ bridges: [{ ...bridge, state: "online" }] });
    expect(late?.hops[1]).toMatchObject({ look: "thin", note: "312 readings waiting" });
    const [none] = ways({ bridges: [], devices: [] });
    expect(none?.hops.map((hop) => hop.look)).toEqual(["dark", "dark", "whole"]);
  });

  test("two wearables are two ways", () => {
    const device = { name: "", sinceMs: NOW, state: "connected" as const };
    const made = ways({
      devices: [
        { ...device, device: "a" },
        { ...device, device: "b" },
      ],
    });
    expect(made.map((way) => way.key)).toEqual(["u1 a", "u1 b"]);
  });

  test("without a session nothing beyond the server is claimed", () => {
    const lost = connection({
      status: ConnectionStatus.RECONNECTING,
      reason: Reason.SERVER_AWAY,
      lostAtMs: NOW,
    });
    const [way] = waysOf(person(), { ...context, connection: lost });
    expect(way?.hops.map((hop) => hop.look)).toEqual(["dark", "dark", "broken"]);
    expect(way?.hops.map((hop) => hop.age)).toEqual([
      "not known",
      "not known",
      expect.stringMatching(/^since/),
    ]);
    expect(way?.you).toBe("quiet");
    const [first] = waysOf(person(), {
      ...context,
      connection: connection({ status: ConnectionStatus.CONNECTING }),
    });
    expect(first?.hops[2]).toMatchObject({ look: "dark", age: "connecting" });
  });
});

test("a link that shows nobody still shows where the way ends", () => {
  const revoked = connection({
    status: ConnectionStatus.STOPPED,
    reason: Reason.LINK_REVOKED,
    lostAtMs: NOW,
  });
  expect(wayOfNobody(revoked).hops.map((hop) => hop.age)).toEqual([
    "not shown",
    "not shown",
    expect.stringMatching(/^since/),
  ]);
});
