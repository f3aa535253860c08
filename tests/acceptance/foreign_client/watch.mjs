// A viewer of strapline.v1 in plain Node (22 or later, no packages), written from
// docs/reference/protocol.md alone.
//
//   STRAPLINE_ADDRESS=ws://127.0.0.1:8080/ws STRAPLINE_TOKEN=… node watch.mjs
//
// It prints one JSON line for each thing it learns: every user's snapshot, each change once,
// what was resumed and what was reset. Questions about the past are JSON lines on its input:
//
//   {"user": "maren-holt", "metric": "heart_rate", "fromMs": 0, "toMs": 1767225600000}

import { createInterface } from "node:readline";

const VERSION = "strapline.v1";
const CLIENT = { name: "watch.mjs", version: "1" };
const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 60_000;
const SILENT_HEARTBEATS = 2.5;
const MOST_USERS_RESUMED = 1_000;

function say(event, fields = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
}

/** The rows of a series. `seq` and `atMs` hold their first number and then differences. */
function readings(series) {
  let seq = 0;
  let atMs = 0;
  return series.value.map((value, row) => {
    seq += series.seq[row];
    atMs += series.atMs[row];
    return { seq, atMs, value };
  });
}

/** Positions of two epochs are of two histories: neither is later. */
function isLater([epoch, n], [otherEpoch, other]) {
  return epoch === otherEpoch && n > other;
}

/** How far each user has been followed, as a whole and by metric. */
class Positions {
  #users = new Map();

  /** A snapshot is the state of all metrics at its position. Says whether there was one before. */
  reset(user, position) {
    const known = this.#users.has(user);
    this.#users.set(user, { snapshot: position, through: position, metrics: new Map() });
    return known;
  }

  forget(user) {
    this.#users.delete(user);
  }

  /** Say what a change is to us: "new", "old", a "gap" before it, or "unasked". */
  follow({ user, metric, position, previous, conflated = 0 }) {
    const known = this.#users.get(user);
    if (!known) return "unasked";
    const held = known.metrics.get(metric) ?? known.snapshot;
    if (isLater(previous, held) && conflated === 0) {
      known.through = held;
      return "gap";
    }
    // Also after an old one: what comes next on this connection comes after it.
    known.through = position;
    if (!isLater(position, held)) return "old";
    known.metrics.set(metric, position);
    return "new";
  }

  /** What SUBSCRIBE says in `since`: after a gap, what was held before it. */
  since() {
    const users = [...this.#users].slice(0, MOST_USERS_RESUMED);
    return Object.fromEntries(users.map(([user, known]) => [user, known.through]));
  }
}

/** When to come back after a connection has ended: the table of close codes. */
class Backoff {
  #attempt = 0;

  /** A useful session: the next trouble is a new one. */
  reset() {
    this.#attempt = 0;
  }

  /** Milliseconds to wait, or null where a viewer stops. */
  waitMs(code, reason, { reconnectAfterMs, reconnectSpreadMs }) {
    switch (code) {
      case 1001:
      case 1012:
        return reconnectAfterMs ?? Math.random() * reconnectSpreadMs;
      case 1013:
      case 4429:
        return Number(/retry after (\d+) ms/.exec(reason)?.[1] ?? 0) + this.#next();
      case 4400:
      case 4403:
      case 4426:
        return null;
      default:
        // Also 4401: the newest token that there is has just been refused.
        return this.#next();
    }
  }

  /** Full jitter: clients that were cut together do not come back together. */
  #next() {
    const most = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#attempt);
    this.#attempt += 1;
    return Math.random() * most;
  }
}

class Viewer {
  #address;
  #token;
  #positions = new Positions();
  #backoff = new Backoff();
  #questions = []; // asked one at a time; kept until answered, over connections too
  #requests = 0;

  // Of one connection:
  #socket = null;
  #silence = null;
  #pace = null;
  #subscribing = null; // the SUBSCRIBE that is not answered yet
  #authenticated = false;
  #asking = null; // the REQUEST that is not answered yet

  constructor(address, token) {
    this.#address = address;
    this.#token = token;
  }

  connect() {
    const socket = new WebSocket(this.#address, VERSION);
    this.#socket = socket;
    this.#pace = { heartbeatMs: 15_000, reconnectSpreadMs: FIRST_BACKOFF_MS };
    this.#subscribing = null;
    this.#asking = null;
    this.#listenForLife();
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      this.#listenForLife();
      this.#receive(JSON.parse(data));
    };
    socket.onerror = () => {}; // a close always follows, and tells the code
    socket.onclose = ({ code, reason }) => this.#ended(socket, code, reason);
  }

  ask(question) {
    this.#questions.push({ ...question });
    this.#askNext();
  }

  #send(type, fields) {
    this.#socket.send(JSON.stringify({ type, ...fields }));
  }

  /** A dead connection says nothing, not even that it is closed. */
  #listenForLife() {
    clearTimeout(this.#silence);
    const socket = this.#socket;
    this.#silence = setTimeout(() => {
      socket.close();
      this.#ended(socket, 1006, "silence");
    }, this.#pace.heartbeatMs * SILENT_HEARTBEATS);
  }

  #ended(socket, code, reason) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#authenticated = false;
    clearTimeout(this.#silence);
    const waitMs = this.#backoff.waitMs(code, reason, this.#pace);
    say("closed", { code, reason, waitMs });
    if (waitMs === null) process.exit(1);
    setTimeout(() => this.connect(), waitMs);
  }

  #receive(message) {
    switch (message.type) {
      case "HELLO":
        this.#send("AUTHENTICATE", { token: this.#token, client: CLIENT });
        break;
      case "AUTHENTICATED":
        Object.assign(this.#pace, message);
        this.#authenticated = true;
        say("authenticated", { principal: message.principal, users: message.users });
        this.#subscribe();
        this.#askNext();
        break;
      case "TOKEN_EXPIRING":
        this.#token = message.token ?? this.#token;
        this.#send("REFRESH", { token: this.#token });
        break;
      case "REFRESHED":
        say("refreshed", { expiresAt: message.expiresAt });
        break;
      case "GOING_AWAY":
        this.#pace.reconnectAfterMs = message.reconnectAfterMs;
        break;
      case "SUBSCRIBED":
        this.#subscribed(message);
        break;
      case "HEALTH_DATA_UPDATE":
      case "HISTORY_CHANGED":
        this.#changed(message);
        break;
      case "SYNC_STATUS_UPDATE":
        say("status", { user: message.user, status: message.status });
        break;
      case "SUBSCRIPTION_CHANGED":
        for (const user of message.removed) this.#positions.forget(user);
        if (message.added.length > 0) this.#subscribe();
        break;
      case "RESULT":
        if (message.request === this.#asking) this.#page(message.result);
        break;
      case "ERROR":
        this.#refused(message);
        break;
      default: // a later version of the protocol may say more
    }
  }

  #subscribe() {
    const since = this.#positions.since();
    this.#subscribing = { request: `r${++this.#requests}`, since };
    this.#send("SUBSCRIBE", this.#subscribing);
  }

  #subscribed({ request, snapshot }) {
    if (request !== this.#subscribing?.request) return; // of one that was replaced
    const { since } = this.#subscribing;
    this.#subscribing = null;
    this.#backoff.reset();
    for (const [user, { position, reset, state }] of Object.entries(snapshot)) {
      if (!reset) {
        // Not yet at `position`: the changes up to it follow.
        say("resumed", { user, since: since[user] });
        continue;
      }
      const again = this.#positions.reset(user, position);
      say(again ? "reset" : "snapshot", { user, position, state });
    }
  }

  #changed(message) {
    if (this.#subscribing) return; // of the earlier subscription: what it tells comes again
    const { user, metric, position, data } = message;
    const verdict = this.#positions.follow(message);
    if (verdict === "gap") {
      say("gap", { user, metric, previous: message.previous });
      this.#subscribe();
    }
    if (verdict !== "new") return;
    if (message.type === "HISTORY_CHANGED") {
      const { fromMs, toMs, why } = message;
      say("historyChanged", { user, metric, position, fromMs, toMs, why, data });
      this.ask({ user, metric, fromMs, toMs });
      return;
    }
    const { stream, series, conflated } = message;
    say("change", { user, metric, stream, position, conflated, readings: readings(series), data });
  }

  #askNext() {
    if (!this.#authenticated || this.#asking || this.#questions.length === 0) return;
    this.#asking = `r${++this.#requests}`;
    const params = { resolution: "raw", ...this.#questions[0] };
    this.#send("REQUEST", { request: this.#asking, method: "history", params });
  }

  #page({ user, metric, series, next }) {
    say("history", { user, metric, readings: series.flatMap(readings), last: !next });
    if (next) this.#questions[0].after = next;
    else this.#questions.shift();
    this.#asking = null;
    this.#askNext();
  }

  #refused({ request, code, message }) {
    say("error", { code, message });
    if (request !== this.#asking) return;
    this.#questions.shift();
    this.#asking = null;
    this.#askNext();
  }
}

const { STRAPLINE_ADDRESS: address, STRAPLINE_TOKEN: token } = process.env;
if (!address || !token) {
  console.error("Set STRAPLINE_ADDRESS (ws://…/ws) and STRAPLINE_TOKEN.");
  process.exit(2);
}
const viewer = new Viewer(address, token);
createInterface({ input: process.stdin }).on("line", (line) => viewer.ask(JSON.parse(line)));
viewer.connect();
