import { describe, expect, test } from "vitest";
import { status } from "@/services/__tests__/fake-server";
import { Reason } from "@/services/close-codes";
import { ConnectionStatus } from "@/services/events";
import type { WatchedPerson } from "@/services/feed";
import { standingOf } from "../standing";
import { SyncStatus } from "../sync-status";
import { connection, NOW, person, rate } from "./people-of";

function standing(people: WatchedPerson[], extra: Parameters<typeof connection>[0] = {}) {
  const retryInMs = extra?.retryAtMs ?? null;
  return standingOf({ connection: connection(extra), people, nowMs: NOW, retryInMs });
}

const bridge = { name: "Garage", sinceMs: NOW - 240_000, heardMs: NOW, pending: 312 };

function offline(pending: number): WatchedPerson {
  return person({
    status: status({
      status: "offline",
      pending,
      hops: {
        devices: [],
        bridges: [{ ...bridge, state: "offline", pending }],
        server: { state: "ok", sinceMs: NOW },
      },
    }),
  });
}

describe("standingOf", () => {
  test("live, with the age of the newest reading", () => {
    const older = person({ metrics: { heart_rate: rate(4_000) } });
    expect(standing([older, person({ metrics: { heart_rate: rate(1_200) } })])).toMatchObject({
      status: SyncStatus.REALTIME,
      detail: "1 s ago",
      spoken: "Live. Last reading 1 second ago.",
    });
  });

  test("an age that counts on is nothing new to say", () => {
    const one = standing([person({ metrics: { heart_rate: rate(1_000) } })]);
    const two = standing([person({ metrics: { heart_rate: rate(4_000) } })]);
    expect(one.key).toBe(two.key);
    expect(one.detail).not.toBe(two.detail);
  });

  test("a silence that the server has not named yet is not live", () => {
    expect(standing([person({ metrics: { heart_rate: rate(11_000) } })])).toMatchObject({
      status: SyncStatus.CONNECTING,
      detail: "silent for 11 s",
    });
  });

  test("catching up, each bridge counted once", () => {
    const syncing = person({
      status: status({
        status: "syncing",
        pending: 1_204,
        hops: {
          devices: [],
          bridges: [{ ...bridge, state: "online", pending: 1_204 }],
          server: { state: "ok", sinceMs: NOW },
        },
      }),
    });
    expect(standing([syncing, { ...syncing, user: "u2" }, person()])).toMatchObject({
      status: SyncStatus.SYNCING,
      detail: "1,204 left",
      spoken: "Catching up. 1,204 readings left.",
    });
  });

  test("up to date: since when, or what is still to come", () => {
    const synced = status({ status: "synced" });
    expect(standing([person({ status: synced })]).detail).toMatch(/^nothing since \d\d:\d\d$/);
    expect(standing([person({ status: synced, metrics: {} })]).detail).toBe("no reading yet");
    const bare = status({
      status: "synced",
      hops: { devices: [], bridges: [], server: { state: "ok", sinceMs: NOW } },
    });
    expect(standing([person({ status: bare, metrics: {} })]).detail).toBe("no strap yet");
  });

  test("the bridge is offline", () => {
    expect(standing([offline(312)])).toMatchObject({
      status: SyncStatus.OFFLINE,
      detail: "312 waiting",
    });
    expect(standing([offline(312)]).spoken).toMatch(
      /^Offline since \d\d:\d\d\. 312 readings are waiting on the bridge\.$/,
    );
    expect(standing([offline(0)])).toMatchObject({ detail: "bridge offline" });
  });

  test("this page has lost the server", () => {
    const lost = {
      status: ConnectionStatus.RECONNECTING,
      reason: Reason.SERVER_AWAY,
      lostAtMs: NOW - 9_000,
    };
    expect(standing([person()], { ...lost, retryAtMs: 7_200 })).toMatchObject({
      status: SyncStatus.OFFLINE,
      detail: "tries again in 8 s",
    });
    expect(standing([person()], lost).detail).toBe("trying now");
    expect(standing([person()], lost).spoken).toMatch(/^Offline since \d\d:\d\d\. Server away\.$/);
    expect(
      standing([person()], {
        ...lost,
        status: ConnectionStatus.OFFLINE,
        reason: Reason.NO_NETWORK,
      }).detail,
    ).toBe("no network here");
  });

  test("stopped, and a link that has ended, say why", () => {
    expect(
      standing([], { status: ConnectionStatus.STOPPED, reason: Reason.LINK_REVOKED }),
    ).toMatchObject({
      status: SyncStatus.ERROR,
      detail: "link revoked",
      spoken: "Stopped. This link was revoked.",
    });
    expect(
      standing([], { status: ConnectionStatus.RECONNECTING, reason: Reason.LINK_ENDED }),
    ).toMatchObject({ status: SyncStatus.ERROR, detail: "link expired" });
    expect(standing([person({ status: status({ status: "error" }) })])).toMatchObject({
      status: SyncStatus.ERROR,
      detail: "server cannot store",
    });
  });

  test("nothing known yet", () => {
    expect(standing([], { status: ConnectionStatus.CONNECTING })).toMatchObject({
      status: SyncStatus.CONNECTING,
      spoken: "Connection not known yet.",
    });
    expect(standing([person({ status: status({ status: "connecting" }) })]).status).toBe(
      SyncStatus.CONNECTING,
    );
  });
});
