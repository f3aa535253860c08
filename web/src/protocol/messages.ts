// Generated from strapline_protocol by protocol/generate.py. Do not edit.

const isRecord = (m: any): boolean => typeof m === "object" && m !== null && !Array.isArray(m);

/** RESULT of ``accounts``: each number is in one of these, or is not accounted for. ``next`` is the number from which on more follows; null where this is all. ``readings`` is how many numbers were received, of the whole stream. */
export interface Accounts {
  stream: string;
  received: [number, number][];
  rejected: [number, number][];
  dropped: [number, number][];
  erased: [number, number][];
  readings: number;
  next?: number | null;
}

/** REQUEST ``accounts``, a bridge's own: what the server accounts for of one of its streams. Of numbers from ``first`` on. */
export interface AccountsParams {
  stream: string;
  first?: number;
}

/** Server, after its durable commit; in answer to STREAM all that it holds. It holds what it has received. A number that was dropped or rejected is not in that answer: a clone of the outbox may still have it, and then it is received after all. */
export interface Acknowledged {
  type: "ACKNOWLEDGED";
  stream: string;
  ranges: [number, number][];
  zeroVersion?: number | null;
}

/** One moment on both clocks. */
export interface Anchor {
  elapsedMs: number;
  wallMs: number;
  uncertaintyMs: number;
  source: ClockSource;
}

/** Client, first, within 5 s. The token says who; grants stand in the store. */
export interface Authenticate {
  type: "AUTHENTICATE";
  token: string;
  client: Client;
}

/** Server: the session stands. ``simulated`` marks hearts that are not real. ``mayMark``: this viewer may start and end sessions and set marks. */
export interface Authenticated {
  type: "AUTHENTICATED";
  session: string;
  principal: string;
  role: Role;
  users: string[];
  expiresAt: number;
  heartbeatMs: number;
  reconnectSpreadMs: number;
  limits?: Limits;
  simulated?: boolean;
  mayMark?: boolean;
}

/** Battery, %, by device. */
export interface BatteryData {
  devices: DeviceLevel[];
  freshForMs: number;
}

/** Bridge to server. ``heardMs``: when it last said anything. */
export interface BridgeHop {
  name: string;
  state: HopState;
  sinceMs: number;
  heardMs: number;
  pending: number;
}

/** The program at the client's end and the metrics that it knows. */
export interface Client {
  name: string;
  version: string;
  metrics?: string[];
}

/** What a wall time rests on, best first. */
export type ClockSource = "system" | "server" | "serverUnsynchronised" | "estimate";

/** Whether the server calls its own clock synchronised. */
export type ClockState = "synchronised" | "unsynchronised";

/** What the bridge's wall time rests on at this moment. */
export interface ClockStatus {
  source: ClockSource;
  uncertaintyMs: number;
}

/** A count whose differences can be added up: a random id, and the total it counts from. That total is negative after a device's field has wrapped: the last one less its width. */
export interface Counter {
  id: string;
  from: number;
}

/** What a wearable says of itself, where it does (Device Information Service 1.1). Neither its maker nor its serial number: those never leave the bridge. ``bodyLocation`` is ``chest``, ``wrist``, ``finger``, ``hand``, ``earLobe``, ``foot`` or ``other``. */
export interface DeviceAbout {
  model?: string | null;
  firmware?: string | null;
  hardware?: string | null;
  software?: string | null;
  bodyLocation?: string | null;
}

/** Strap to bridge. ``sinceMs``: server's wall time since when it has been so. */
export interface DeviceHop {
  device: string;
  name: string;
  state: DeviceState;
  sinceMs: number;
  battery?: number | null;
  about?: DeviceAbout | null;
}

/** A level held by one device, such as its battery in percent. */
export interface DeviceLevel {
  device: string;
  value: number | null;
  atMs: number;
}

/** The first hop. */
export type DeviceState = "connected" | "searching" | "notWorn";

/** One wearable. ``name`` is what its owner gave; ``stateAgeMs`` how long it has been so. */
export interface DeviceStatus {
  device: string;
  user: string;
  name: string;
  state: DeviceState;
  stateAgeMs: number;
  battery?: number | null;
  about?: DeviceAbout | null;
  last?: Moment | null;
  completeThrough?: Moment | null;
}

/** How many readings are stored with a number of one range, and their SHA-256 in hex. */
export interface Digest {
  count: number;
  sha256: string;
}

/** RESULT of ``digests``: one for each range, in the order asked. */
export interface Digests {
  stream: string;
  digests: Digest[];
}

/** REQUEST ``digests``, a bridge's own: of what was received of each of these ranges. At most 10,000 numbers together; :mod:`strapline_protocol.digest` says how one is made. */
export interface DigestsParams {
  stream: string;
  ranges: [number, number][];
}

/** Bridge: what the size bound or the user discarded, so that a hole is always explained. Not of readings that are under way: those have left already, and are waited for. */
export interface Dropped {
  type: "DROPPED";
  stream: string;
  ranges: [number, number][];
  reason: string;
}

/** REQUEST ``endSession``: the one that runs, now or at a moment since its start. */
export interface EndSessionParams {
  user: string;
  atMs?: number | null;
}

/** When a run's stream ended, and whether the run said goodbye. */
export interface Ended {
  elapsedMs: number;
  clean: boolean;
}

/** Server: what was asked is not done, and why. */
export interface Error {
  type: "ERROR";
  request?: string | null;
  code: string;
  message: string;
}

/** A stretch without a reading, and why: codes of :mod:`strapline_protocol.gaps`. A gap whose cause changes is several that adjoin. ``evidence`` is what the cause rests on; ``device`` whose readings are missing, where it is one's; ``count`` how many readings are lost, where that is known. ``lasts``: it goes on after ``toMs``. */
export interface Gap {
  fromMs: number;
  toMs: number;
  cause: string;
  evidence?: string | null;
  device?: string | null;
  count?: number;
  lasts?: boolean;
}

/** Metric ``gap``: the newest that a bridge told of. All of them are asked for by ``gaps``. */
export interface GapData {
  gap: Gap | null;
}

/** RESULT of ``gaps``, in order of time; ``next`` is null on the last page. ``completeThroughMs``: up to then all that was measured is here or is accounted for; null where no bridge says. ``position`` is the user's when this was read. */
export interface GapsPage {
  user: string;
  metric: string;
  gaps: Gap[];
  completeThroughMs: number | null;
  position: [string, number];
  next?: string | null;
}

/** REQUEST ``gaps``: the stretches from ``fromMs`` to ``toMs`` without a reading, and why. Of all devices together, as history shows the metric; of one where ``device`` names it. What lies ahead of now is left out. */
export interface GapsParams {
  user: string;
  metric?: string;
  device?: string | null;
  fromMs: number;
  toMs: number;
  limit?: number;
  after?: string | null;
}

/** Server, draining: this client's own moment to come back. */
export interface GoingAway {
  type: "GOING_AWAY";
  reconnectAfterMs: number;
}

/** Server: what one commit brought of one user, metric, device and stream. */
export interface HealthDataUpdate {
  type: "HEALTH_DATA_UPDATE";
  user: string;
  metric: string;
  stream: string;
  data: HeartRateData | StepsData | BatteryData | SessionData | MarkData | SummaryData | GapData | ValueData;
  series: TimedSeries;
  position: [string, number];
  previous: [string, number];
  serverTime: number;
  conflated?: number;
}

/** bpm. ``current`` is null when older than ``freshForMs``, zero or not worn. ``over`` is ``session`` while one runs, which began at ``sessionBeganMs``. */
export interface HeartRateData {
  current: number | null;
  last: LastValue | null;
  average: number | null;
  min: number | null;
  max: number | null;
  over: Over;
  sessionBeganMs?: number | null;
  dayEndsMs: number;
  freshForMs: number;
  onChange: boolean;
}

/** Server, after 15 s of silence, since a browser cannot see pings. */
export interface Heartbeat {
  type: "HEARTBEAT";
  serverTime: number;
}

/** Server, first. ``store`` names the database, ``epoch`` its history. */
export interface Hello {
  type: "HELLO";
  store: string;
  epoch: string;
  serverTime: number;
  clockState: ClockState;
  versions?: string[];
}

/** Why the past is not what it was. */
export type HistoryChange = "backfilled" | "rebased" | "skipped" | "otherSource" | "erased" | "session";

/** Server, instead of pushing the past: a viewer fetches what it has on screen. */
export interface HistoryChanged {
  type: "HISTORY_CHANGED";
  user: string;
  metric: string;
  data: HeartRateData | StepsData | BatteryData | SessionData | MarkData | SummaryData | GapData | ValueData;
  fromMs: number;
  toMs: number;
  count: number;
  position: [string, number];
  previous: [string, number];
  serverTime: number;
  why: HistoryChange;
}

/** RESULT of ``history``: in order of time; ``next`` is null on the last page. Raw readings stand in ``series``, stretches of any other ``resolution`` in ``stretches``; ``zone`` names the zone of days. ``position`` is the user's when this was read: a later change is not in it. */
export interface HistoryPage {
  user: string;
  metric: string;
  resolution?: Resolution;
  series: TimedSeries[];
  stretches?: Stretches[];
  zone?: string | null;
  position: [string, number];
  next?: string | null;
}

/** REQUEST ``history``: one user's metric from ``fromMs`` to before ``toMs``. ``resolution`` ``raw`` answers the readings themselves, any other the stretches of that length which begin in the range. ``after`` is the last page's ``next``; a page holds at most ``limit`` readings or stretches. */
export interface HistoryParams {
  user: string;
  metric: string;
  fromMs: number;
  toMs: number;
  resolution?: Resolution;
  limit?: number;
  after?: string | null;
}

/** A bridge's hop to the server. */
export type HopState = "online" | "offline";

/** The way from strap to server, each hop with its state and since when. */
export interface Hops {
  devices?: DeviceHop[];
  bridges?: BridgeHop[];
  server: ServerHop;
}

export type JsonValue = unknown;

/** ``live`` goes first and keeps a quarter of the window; ``backlog`` drains behind it. */
export type Lane = "live" | "backlog";

/** What was measured last, whatever its age. */
export interface LastValue {
  value: number | null;
  atMs: number;
  quality?: string[] | null;
}

/** What this server takes from this client. */
export interface Limits {
  windowReadings?: number;
  messageBytes?: number;
  requestsInFlight?: number;
}

/** A moment that somebody pointed at. */
export interface Mark {
  atMs: number;
  label: string;
}

/** Metric ``mark``: the newest. */
export interface MarkData {
  mark: Mark | null;
}

/** REQUEST ``mark``: point at this moment, or at one that is past. */
export interface MarkParams {
  user: string;
  label?: string;
  atMs?: number | null;
}

/** RESULT of ``mark``. The marks of a stretch are the ``history`` of metric ``mark``. */
export interface MarkResult {
  mark: Mark;
  stream: string;
  seq: number;
  position: [string, number];
}

/** A moment of a stream. */
export interface Moment {
  stream: string;
  elapsedMs: number;
}

/** What average, minimum and maximum are taken over. */
export type Over = "day" | "session";

/** Bridge: readings of one stream, one lane. */
export interface Readings {
  type: "READINGS";
  stream: string;
  lane: Lane;
  series: Series[];
}

/** Client: a newer token of the same principal, in band. */
export interface Refresh {
  type: "REFRESH";
  token: string;
}

/** Server: the session now lasts until then. */
export interface Refreshed {
  type: "REFRESHED";
  expiresAt: number;
}

/** Server: these readings are refused for good, and why. The bridge keeps dead letters. */
export interface Rejected {
  type: "REJECTED";
  stream: string;
  ranges: [number, number][];
  code: string;
  message: string;
}

/** Client: a question. ``params`` are checked by the method's own model. */
export interface Request {
  type: "REQUEST";
  request: string;
  method: string;
  params?: Record<string, JsonValue>;
}

/** How finely history is answered. A ``day`` is one of the person's own zone. */
export type Resolution = "raw" | "second" | "minute" | "hour" | "day";

/** Server: the answer to one REQUEST, in the method's own shape. */
export interface Result {
  type: "RESULT";
  request: string;
  result: Record<string, JsonValue>;
}

/** What a principal may do at all; its grants say for whom. */
export type Role = "bridge" | "viewer";

/** Readings as the bridge took them. ``elapsedMs``: boot clock since the stream's start. */
export interface Series {
  user: string;
  device: string;
  metric: string;
  seq: number[];
  value: (number | null)[];
  rr?: (number[] | null)[] | null;
  contact?: (boolean | null)[] | null;
  energyKj?: (number | null)[] | null;
  quality?: (string[] | null)[] | null;
  counter?: Counter | null;
  onChange?: boolean;
  elapsedMs: number[];
}

/** The server itself. */
export interface ServerHop {
  state: ServerState;
  sinceMs: number;
}

/** The server's own hop. */
export type ServerState = "ok" | "notStoring";

/** A stretch that has a name, such as a training. ``endMs`` is null while it runs. */
export interface Session {
  id: string;
  name: string;
  startMs: number;
  endMs: number | null;
}

/** Metric ``session``: the one that runs, else null; ``last`` is the newest that ended. */
export interface SessionData {
  session: Session | null;
  last?: Session | null;
}

/** A session and what was measured in it so far; null where nothing was, or is not granted. */
export interface SessionMeasured {
  session: Session;
  readings: number;
  average: number | null;
  min: number | null;
  max: number | null;
}

/** RESULT of ``startSession`` and ``endSession``: the session as it is now. */
export interface SessionResult {
  session: Session;
  position: [string, number];
}

/** RESULT of ``sessions``, by their start; heart rates in bpm. */
export interface SessionsPage {
  user: string;
  sessions: SessionMeasured[];
  position: [string, number];
  next?: string | null;
}

/** REQUEST ``sessions``: those of a user that touch ``fromMs`` to before ``toMs``. */
export interface SessionsParams {
  user: string;
  fromMs: number;
  toMs: number;
  limit?: number;
  after?: string | null;
}

/** REQUEST ``startSession``: now, or at a moment that is past. One that runs ends there. */
export interface StartSessionParams {
  user: string;
  name: string;
  atMs?: number | null;
}

/** Bridge: on change, every 30 s, and in answer to SYNC (then with its ``request``). */
export interface Status {
  type: "STATUS";
  devices: DeviceStatus[];
  pending: number;
  oldestPendingMs: number;
  clock: ClockStatus;
  request?: string | null;
}

/** ``today`` counts in the person's zone until ``dayEndsMs``; ``last`` is a device's total. */
export interface StepsData {
  today: number | null;
  last: LastValue | null;
  dayEndsMs: number;
  freshForMs: number;
  onChange: boolean;
}

/** Bridge: before a stream's first readings in a connection, and as its time is known better. */
export interface Stream {
  type: "STREAM";
  stream: string;
  nextSeq: number;
  zero: Zero;
  ended?: Ended | null;
}

/** What was measured in each of many equally long stretches, by column. Only usable readings count, of one source at each moment; a stretch without any is left out. ``atMs`` is where each begins, the first and then differences. ``taken``, in place of ``average``, ``min`` and ``max``, are the steps taken in it. ``device`` is told of a metric that is held by device. */
export interface Stretches {
  device?: string | null;
  atMs: number[];
  count: number[];
  average?: number[] | null;
  min?: number[] | null;
  max?: number[] | null;
  taken?: number[] | null;
}

/** Viewer: all that is granted when nothing is named. A later one replaces it. */
export interface Subscribe {
  type: "SUBSCRIBE";
  request: string;
  users?: string[] | null;
  metrics?: string[] | null;
  since?: Record<string, [string, number]>;
  minIntervalMs?: number;
}

/** Server: position and state of one moment; only what is later follows. */
export interface Subscribed {
  type: "SUBSCRIBED";
  request: string;
  snapshot: Record<string, UserSnapshot>;
  serverTime: number;
}

/** Server: a grant came or went; what is removed leaves the screen. A viewer subscribes again for the state of who was added: nothing of theirs comes before. ``mayMark`` stands where that right came or went, and takes the place of AUTHENTICATED's. */
export interface SubscriptionChanged {
  type: "SUBSCRIPTION_CHANGED";
  added: string[];
  removed: string[];
  mayMark?: boolean | null;
}

/** Metric ``summary``: what a host application said last of each field, shown as given. */
export interface SummaryData {
  summary: Record<string, JsonValue>;
  atMs: number;
}

/** Server: a viewer asked; connect, flush, report. */
export interface Sync {
  type: "SYNC";
  request: string;
}

/** Viewer: the original service's form of asking for a sync. */
export interface SyncAsked {
  type: "SYNC_STATUS_UPDATE";
  status: "syncing";
}

/** REQUEST ``sync``: ask the bridges of these users (all granted when none is named). */
export interface SyncParams {
  users?: string[] | null;
}

/** RESULT of ``sync``: how many bridges were asked. */
export interface SyncResult {
  asked: number;
}

/** How near a user's screen is to the wearer. */
export type SyncStatus = "connecting" | "realtime" | "syncing" | "synced" | "offline" | "error";

/** Server: a user's three hops, sent on change. */
export interface SyncStatusUpdate {
  status: SyncStatus;
  hops: Hops;
  pending: number;
  completeThroughMs: number | null;
  lastSyncAt: number | null;
  type: "SYNC_STATUS_UPDATE";
  user: string;
  serverTime: number;
}

/** Readings as a viewer gets them. ``atMs``: wall time, the first and then differences. ``receivedMs`` is when the server committed them and ``timeSource`` whether their time is estimated, so that a screen can tell live from filled in later. ``serverMarks`` stands beside the bridge's ``quality``: what the server finds doubtful. ``stream`` is told in history, where no message around the series tells it: with ``seq`` it names each reading for ever. */
export interface TimedSeries {
  user: string;
  device: string;
  metric: string;
  seq: number[];
  value: (number | null)[];
  rr?: (number[] | null)[] | null;
  contact?: (boolean | null)[] | null;
  energyKj?: (number | null)[] | null;
  quality?: (string[] | null)[] | null;
  counter?: Counter | null;
  onChange?: boolean;
  stream?: string | null;
  atMs: number[];
  receivedMs: number;
  timeSource: string;
  serverMarks?: (string[] | null)[] | null;
}

/** Server, at half of a token's life; with ``token`` where the server issues them. */
export interface TokenExpiring {
  type: "TOKEN_EXPIRING";
  expiresAt: number;
  token?: string | null;
}

/** One user at the moment of subscribing. ``state`` is absent when changes follow instead. */
export interface UserSnapshot {
  name: string;
  position: [string, number];
  reset: boolean;
  status: UserStatus;
  state?: Record<string, HeartRateData | StepsData | BatteryData | SessionData | MarkData | SummaryData | GapData | ValueData> | null;
}

/** How near the screen is to one wearer. */
export interface UserStatus {
  status: SyncStatus;
  hops: Hops;
  pending: number;
  completeThroughMs: number | null;
  lastSyncAt: number | null;
}

/** Any other metric: its newest value. */
export interface ValueData {
  current: number | null;
  last: LastValue | null;
  freshForMs: number;
  onChange: boolean;
}

/** A stream's wall time. Between two anchors linear; outside, the nearest one's offset. */
export interface Zero {
  version: number;
  anchors: Anchor[];
}

export type ClientMessage =
  | Authenticate
  | Refresh
  | Request
  | Stream
  | Readings
  | Dropped
  | Status
  | Subscribe
  | SyncAsked;

export type ServerMessage =
  | Hello
  | Authenticated
  | TokenExpiring
  | Refreshed
  | Heartbeat
  | GoingAway
  | Result
  | Error
  | Acknowledged
  | Rejected
  | Sync
  | Subscribed
  | HealthDataUpdate
  | HistoryChanged
  | SyncStatusUpdate
  | SubscriptionChanged;

export const isAccounts = (m: any): m is Accounts =>
  isRecord(m) &&
  typeof m.stream === "string" &&
  Array.isArray(m.received) && m.received.every((i: any) => Array.isArray(i) && i.length === 2 && Number.isSafeInteger(i[0]) && i[0] >= 0 && Number.isSafeInteger(i[1]) && i[1] >= 0) &&
  Array.isArray(m.rejected) && m.rejected.every((i: any) => Array.isArray(i) && i.length === 2 && Number.isSafeInteger(i[0]) && i[0] >= 0 && Number.isSafeInteger(i[1]) && i[1] >= 0) &&
  Array.isArray(m.dropped) && m.dropped.every((i: any) => Array.isArray(i) && i.length === 2 && Number.isSafeInteger(i[0]) && i[0] >= 0 && Number.isSafeInteger(i[1]) && i[1] >= 0) &&
  Array.isArray(m.erased) && m.erased.every((i: any) => Array.isArray(i) && i.length === 2 && Number.isSafeInteger(i[0]) && i[0] >= 0 && Number.isSafeInteger(i[1]) && i[1] >= 0) &&
  Number.isSafeInteger(m.readings) && m.readings >= 0 &&
  (m.next === undefined || (Number.isSafeInteger(m.next) && m.next >= 0 || m.next === null));

export const isAcknowledged = (m: any): m is Acknowledged =>
  isRecord(m) &&
  m.type === "ACKNOWLEDGED" &&
  typeof m.stream === "string" &&
  Array.isArray(m.ranges) && m.ranges.every((i: any) => Array.isArray(i) && i.length === 2 && Number.isSafeInteger(i[0]) && i[0] >= 0 && Number.isSafeInteger(i[1]) && i[1] >= 0) &&
  (m.zeroVersion === undefined || (Number.isSafeInteger(m.zeroVersion) && m.zeroVersion >= 0 || m.zeroVersion === null));

export const isAuthenticated = (m: any): m is Authenticated =>
  isRecord(m) &&
  m.type === "AUTHENTICATED" &&
  typeof m.session === "string" &&
  typeof m.principal === "string" &&
  isRole(m.role) &&
  Array.isArray(m.users) && m.users.every((i: any) => typeof i === "string") &&
  Number.isSafeInteger(m.expiresAt) && m.expiresAt >= 0 &&
  Number.isSafeInteger(m.heartbeatMs) && m.heartbeatMs >= 0 &&
  Number.isSafeInteger(m.reconnectSpreadMs) && m.reconnectSpreadMs >= 0 &&
  (m.limits === undefined || isLimits(m.limits)) &&
  (m.simulated === undefined || typeof m.simulated === "boolean") &&
  (m.mayMark === undefined || typeof m.mayMark === "boolean");

export const isBatteryData = (m: any): m is BatteryData =>
  isRecord(m) &&
  Array.isArray(m.devices) && m.devices.every((i: any) => isDeviceLevel(i)) &&
  Number.isSafeInteger(m.freshForMs) && m.freshForMs >= 0;

export const isBridgeHop = (m: any): m is BridgeHop =>
  isRecord(m) &&
  typeof m.name === "string" &&
  isHopState(m.state) &&
  Number.isSafeInteger(m.sinceMs) && m.sinceMs >= 0 &&
  Number.isSafeInteger(m.heardMs) && m.heardMs >= 0 &&
  Number.isSafeInteger(m.pending) && m.pending >= 0;

export const isClockState = (m: any): m is ClockState => (m === "synchronised" || m === "unsynchronised");

export const isCounter = (m: any): m is Counter =>
  isRecord(m) &&
  typeof m.id === "string" &&
  Number.isSafeInteger(m.from);

export const isDeviceAbout = (m: any): m is DeviceAbout =>
  isRecord(m) &&
  (m.model === undefined || (typeof m.model === "string" || m.model === null)) &&
  (m.firmware === undefined || (typeof m.firmware === "string" || m.firmware === null)) &&
  (m.hardware === undefined || (typeof m.hardware === "string" || m.hardware === null)) &&
  (m.software === undefined || (typeof m.software === "string" || m.software === null)) &&
  (m.bodyLocation === undefined || (typeof m.bodyLocation === "string" || m.bodyLocation === null));

export const isDeviceHop = (m: any): m is DeviceHop =>
  isRecord(m) &&
  typeof m.device === "string" &&
  typeof m.name === "string" &&
  isDeviceState(m.state) &&
  Number.isSafeInteger(m.sinceMs) && m.sinceMs >= 0 &&
  (m.battery === undefined || (Number.isSafeInteger(m.battery) && m.battery >= 0 && m.battery <= 100 || m.battery === null)) &&
  (m.about === undefined || (isDeviceAbout(m.about) || m.about === null));

export const isDeviceLevel = (m: any): m is DeviceLevel =>
  isRecord(m) &&
  typeof m.device === "string" &&
  ((Number.isSafeInteger(m.value) || Number.isFinite(m.value) || m.value === null)) &&
  Number.isSafeInteger(m.atMs) && m.atMs >= 0;

export const isDeviceState = (m: any): m is DeviceState => (m === "connected" || m === "searching" || m === "notWorn");

export const isDigest = (m: any): m is Digest =>
  isRecord(m) &&
  Number.isSafeInteger(m.count) && m.count >= 0 &&
  typeof m.sha256 === "string";

export const isDigests = (m: any): m is Digests =>
  isRecord(m) &&
  typeof m.stream === "string" &&
  Array.isArray(m.digests) && m.digests.every((i: any) => isDigest(i));

export const isError = (m: any): m is Error =>
  isRecord(m) &&
  m.type === "ERROR" &&
  (m.request === undefined || (typeof m.request === "string" || m.request === null)) &&
  typeof m.code === "string" &&
  typeof m.message === "string";

export const isGap = (m: any): m is Gap =>
  isRecord(m) &&
  Number.isSafeInteger(m.fromMs) && m.fromMs >= 0 &&
  Number.isSafeInteger(m.toMs) && m.toMs >= 0 &&
  typeof m.cause === "string" &&
  (m.evidence === undefined || (typeof m.evidence === "string" || m.evidence === null)) &&
  (m.device === undefined || (typeof m.device === "string" || m.device === null)) &&
  (m.count === undefined || Number.isSafeInteger(m.count) && m.count >= 0) &&
  (m.lasts === undefined || typeof m.lasts === "boolean");

export const isGapData = (m: any): m is GapData =>
  isRecord(m) &&
  ((isGap(m.gap) || m.gap === null));

export const isGapsPage = (m: any): m is GapsPage =>
  isRecord(m) &&
  typeof m.user === "string" &&
  typeof m.metric === "string" &&
  Array.isArray(m.gaps) && m.gaps.every((i: any) => isGap(i)) &&
  ((Number.isSafeInteger(m.completeThroughMs) && m.completeThroughMs >= 0 || m.completeThroughMs === null)) &&
  Array.isArray(m.position) && m.position.length === 2 && typeof m.position[0] === "string" && Number.isSafeInteger(m.position[1]) && m.position[1] >= 0 &&
  (m.next === undefined || (typeof m.next === "string" || m.next === null));

export const isGoingAway = (m: any): m is GoingAway =>
  isRecord(m) &&
  m.type === "GOING_AWAY" &&
  Number.isSafeInteger(m.reconnectAfterMs) && m.reconnectAfterMs >= 0;

export const isHealthDataUpdate = (m: any): m is HealthDataUpdate =>
  isRecord(m) &&
  m.type === "HEALTH_DATA_UPDATE" &&
  typeof m.user === "string" &&
  typeof m.metric === "string" &&
  typeof m.stream === "string" &&
  (isRecord(m.data) && ("devices" in m.data ? isBatteryData(m.data) : "gap" in m.data ? isGapData(m.data) : "mark" in m.data ? isMarkData(m.data) : "over" in m.data ? isHeartRateData(m.data) : "session" in m.data ? isSessionData(m.data) : "summary" in m.data ? isSummaryData(m.data) : "today" in m.data ? isStepsData(m.data) : isValueData(m.data))) &&
  isTimedSeries(m.series) &&
  Array.isArray(m.position) && m.position.length === 2 && typeof m.position[0] === "string" && Number.isSafeInteger(m.position[1]) && m.position[1] >= 0 &&
  Array.isArray(m.previous) && m.previous.length === 2 && typeof m.previous[0] === "string" && Number.isSafeInteger(m.previous[1]) && m.previous[1] >= 0 &&
  Number.isSafeInteger(m.serverTime) && m.serverTime >= 0 &&
  (m.conflated === undefined || Number.isSafeInteger(m.conflated) && m.conflated >= 0);

export const isHeartRateData = (m: any): m is HeartRateData =>
  isRecord(m) &&
  ((Number.isSafeInteger(m.current) || Number.isFinite(m.current) || m.current === null)) &&
  ((isLastValue(m.last) || m.last === null)) &&
  ((Number.isSafeInteger(m.average) || Number.isFinite(m.average) || m.average === null)) &&
  ((Number.isSafeInteger(m.min) || Number.isFinite(m.min) || m.min === null)) &&
  ((Number.isSafeInteger(m.max) || Number.isFinite(m.max) || m.max === null)) &&
  isOver(m.over) &&
  (m.sessionBeganMs === undefined || (Number.isSafeInteger(m.sessionBeganMs) && m.sessionBeganMs >= 0 || m.sessionBeganMs === null)) &&
  Number.isSafeInteger(m.dayEndsMs) && m.dayEndsMs >= 0 &&
  Number.isSafeInteger(m.freshForMs) && m.freshForMs >= 0 &&
  typeof m.onChange === "boolean";

export const isHeartbeat = (m: any): m is Heartbeat =>
  isRecord(m) &&
  m.type === "HEARTBEAT" &&
  Number.isSafeInteger(m.serverTime) && m.serverTime >= 0;

export const isHello = (m: any): m is Hello =>
  isRecord(m) &&
  m.type === "HELLO" &&
  typeof m.store === "string" &&
  typeof m.epoch === "string" &&
  Number.isSafeInteger(m.serverTime) && m.serverTime >= 0 &&
  isClockState(m.clockState) &&
  (m.versions === undefined || Array.isArray(m.versions) && m.versions.length >= 1 && m.versions.every((i: any) => typeof i === "string"));

export const isHistoryChange = (m: any): m is HistoryChange => (m === "backfilled" || m === "rebased" || m === "skipped" || m === "otherSource" || m === "erased" || m === "session");

export const isHistoryChanged = (m: any): m is HistoryChanged =>
  isRecord(m) &&
  m.type === "HISTORY_CHANGED" &&
  typeof m.user === "string" &&
  typeof m.metric === "string" &&
  (isRecord(m.data) && ("devices" in m.data ? isBatteryData(m.data) : "gap" in m.data ? isGapData(m.data) : "mark" in m.data ? isMarkData(m.data) : "over" in m.data ? isHeartRateData(m.data) : "session" in m.data ? isSessionData(m.data) : "summary" in m.data ? isSummaryData(m.data) : "today" in m.data ? isStepsData(m.data) : isValueData(m.data))) &&
  Number.isSafeInteger(m.fromMs) && m.fromMs >= 0 &&
  Number.isSafeInteger(m.toMs) && m.toMs >= 0 &&
  Number.isSafeInteger(m.count) && m.count >= 0 &&
  Array.isArray(m.position) && m.position.length === 2 && typeof m.position[0] === "string" && Number.isSafeInteger(m.position[1]) && m.position[1] >= 0 &&
  Array.isArray(m.previous) && m.previous.length === 2 && typeof m.previous[0] === "string" && Number.isSafeInteger(m.previous[1]) && m.previous[1] >= 0 &&
  Number.isSafeInteger(m.serverTime) && m.serverTime >= 0 &&
  isHistoryChange(m.why);

export const isHistoryPage = (m: any): m is HistoryPage =>
  isRecord(m) &&
  typeof m.user === "string" &&
  typeof m.metric === "string" &&
  (m.resolution === undefined || isResolution(m.resolution)) &&
  Array.isArray(m.series) && m.series.every((i: any) => isTimedSeries(i)) &&
  (m.stretches === undefined || Array.isArray(m.stretches) && m.stretches.every((i: any) => isStretches(i))) &&
  (m.zone === undefined || (typeof m.zone === "string" || m.zone === null)) &&
  Array.isArray(m.position) && m.position.length === 2 && typeof m.position[0] === "string" && Number.isSafeInteger(m.position[1]) && m.position[1] >= 0 &&
  (m.next === undefined || (typeof m.next === "string" || m.next === null));

export const isHopState = (m: any): m is HopState => (m === "online" || m === "offline");

export const isHops = (m: any): m is Hops =>
  isRecord(m) &&
  (m.devices === undefined || Array.isArray(m.devices) && m.devices.every((i: any) => isDeviceHop(i))) &&
  (m.bridges === undefined || Array.isArray(m.bridges) && m.bridges.every((i: any) => isBridgeHop(i))) &&
  isServerHop(m.server);

export const isJsonValue = (_m: any): _m is JsonValue => true;

export const isLastValue = (m: any): m is LastValue =>
  isRecord(m) &&
  ((Number.isSafeInteger(m.value) || Number.isFinite(m.value) || m.value === null)) &&
  Number.isSafeInteger(m.atMs) && m.atMs >= 0 &&
  (m.quality === undefined || (Array.isArray(m.quality) && m.quality.every((i: any) => typeof i === "string") || m.quality === null));

export const isLimits = (m: any): m is Limits =>
  isRecord(m) &&
  (m.windowReadings === undefined || Number.isSafeInteger(m.windowReadings) && m.windowReadings >= 1 && m.windowReadings <= 1000000) &&
  (m.messageBytes === undefined || Number.isSafeInteger(m.messageBytes) && m.messageBytes >= 1024 && m.messageBytes <= 16777216) &&
  (m.requestsInFlight === undefined || Number.isSafeInteger(m.requestsInFlight) && m.requestsInFlight >= 1 && m.requestsInFlight <= 64);

export const isMark = (m: any): m is Mark =>
  isRecord(m) &&
  Number.isSafeInteger(m.atMs) && m.atMs >= 0 &&
  typeof m.label === "string";

export const isMarkData = (m: any): m is MarkData =>
  isRecord(m) &&
  ((isMark(m.mark) || m.mark === null));

export const isMarkResult = (m: any): m is MarkResult =>
  isRecord(m) &&
  isMark(m.mark) &&
  typeof m.stream === "string" &&
  Number.isSafeInteger(m.seq) && m.seq >= 0 &&
  Array.isArray(m.position) && m.position.length === 2 && typeof m.position[0] === "string" && Number.isSafeInteger(m.position[1]) && m.position[1] >= 0;

export const isOver = (m: any): m is Over => (m === "day" || m === "session");

export const isRefreshed = (m: any): m is Refreshed =>
  isRecord(m) &&
  m.type === "REFRESHED" &&
  Number.isSafeInteger(m.expiresAt) && m.expiresAt >= 0;

export const isRejected = (m: any): m is Rejected =>
  isRecord(m) &&
  m.type === "REJECTED" &&
  typeof m.stream === "string" &&
  Array.isArray(m.ranges) && m.ranges.length >= 1 && m.ranges.every((i: any) => Array.isArray(i) && i.length === 2 && Number.isSafeInteger(i[0]) && i[0] >= 0 && Number.isSafeInteger(i[1]) && i[1] >= 0) &&
  typeof m.code === "string" &&
  typeof m.message === "string";

export const isResolution = (m: any): m is Resolution => (m === "raw" || m === "second" || m === "minute" || m === "hour" || m === "day");

export const isResult = (m: any): m is Result =>
  isRecord(m) &&
  m.type === "RESULT" &&
  typeof m.request === "string" &&
  isRecord(m.result) && Object.values(m.result).every((i: any) => isJsonValue(i));

export const isRole = (m: any): m is Role => (m === "bridge" || m === "viewer");

export const isServerHop = (m: any): m is ServerHop =>
  isRecord(m) &&
  isServerState(m.state) &&
  Number.isSafeInteger(m.sinceMs) && m.sinceMs >= 0;

export const isServerState = (m: any): m is ServerState => (m === "ok" || m === "notStoring");

export const isSession = (m: any): m is Session =>
  isRecord(m) &&
  typeof m.id === "string" &&
  typeof m.name === "string" &&
  Number.isSafeInteger(m.startMs) && m.startMs >= 0 &&
  ((Number.isSafeInteger(m.endMs) && m.endMs >= 0 || m.endMs === null));

export const isSessionData = (m: any): m is SessionData =>
  isRecord(m) &&
  ((isSession(m.session) || m.session === null)) &&
  (m.last === undefined || (isSession(m.last) || m.last === null));

export const isSessionMeasured = (m: any): m is SessionMeasured =>
  isRecord(m) &&
  isSession(m.session) &&
  Number.isSafeInteger(m.readings) && m.readings >= 0 &&
  ((Number.isSafeInteger(m.average) || Number.isFinite(m.average) || m.average === null)) &&
  ((Number.isSafeInteger(m.min) || Number.isFinite(m.min) || m.min === null)) &&
  ((Number.isSafeInteger(m.max) || Number.isFinite(m.max) || m.max === null));

export const isSessionResult = (m: any): m is SessionResult =>
  isRecord(m) &&
  isSession(m.session) &&
  Array.isArray(m.position) && m.position.length === 2 && typeof m.position[0] === "string" && Number.isSafeInteger(m.position[1]) && m.position[1] >= 0;

export const isSessionsPage = (m: any): m is SessionsPage =>
  isRecord(m) &&
  typeof m.user === "string" &&
  Array.isArray(m.sessions) && m.sessions.every((i: any) => isSessionMeasured(i)) &&
  Array.isArray(m.position) && m.position.length === 2 && typeof m.position[0] === "string" && Number.isSafeInteger(m.position[1]) && m.position[1] >= 0 &&
  (m.next === undefined || (typeof m.next === "string" || m.next === null));

export const isStepsData = (m: any): m is StepsData =>
  isRecord(m) &&
  ((Number.isSafeInteger(m.today) && m.today >= 0 || m.today === null)) &&
  ((isLastValue(m.last) || m.last === null)) &&
  Number.isSafeInteger(m.dayEndsMs) && m.dayEndsMs >= 0 &&
  Number.isSafeInteger(m.freshForMs) && m.freshForMs >= 0 &&
  typeof m.onChange === "boolean";

export const isStretches = (m: any): m is Stretches =>
  isRecord(m) &&
  (m.device === undefined || (typeof m.device === "string" || m.device === null)) &&
  Array.isArray(m.atMs) && m.atMs.length >= 1 && m.atMs.every((i: any) => Number.isSafeInteger(i)) &&
  Array.isArray(m.count) && m.count.every((i: any) => Number.isSafeInteger(i) && i >= 0) &&
  (m.average === undefined || (Array.isArray(m.average) && m.average.every((i: any) => (Number.isSafeInteger(i) || Number.isFinite(i))) || m.average === null)) &&
  (m.min === undefined || (Array.isArray(m.min) && m.min.every((i: any) => (Number.isSafeInteger(i) || Number.isFinite(i))) || m.min === null)) &&
  (m.max === undefined || (Array.isArray(m.max) && m.max.every((i: any) => (Number.isSafeInteger(i) || Number.isFinite(i))) || m.max === null)) &&
  (m.taken === undefined || (Array.isArray(m.taken) && m.taken.every((i: any) => Number.isSafeInteger(i) && i >= 0) || m.taken === null));

export const isSubscribed = (m: any): m is Subscribed =>
  isRecord(m) &&
  m.type === "SUBSCRIBED" &&
  typeof m.request === "string" &&
  isRecord(m.snapshot) && Object.values(m.snapshot).every((i: any) => isUserSnapshot(i)) &&
  Number.isSafeInteger(m.serverTime) && m.serverTime >= 0;

export const isSubscriptionChanged = (m: any): m is SubscriptionChanged =>
  isRecord(m) &&
  m.type === "SUBSCRIPTION_CHANGED" &&
  Array.isArray(m.added) && m.added.every((i: any) => typeof i === "string") &&
  Array.isArray(m.removed) && m.removed.every((i: any) => typeof i === "string") &&
  (m.mayMark === undefined || (typeof m.mayMark === "boolean" || m.mayMark === null));

export const isSummaryData = (m: any): m is SummaryData =>
  isRecord(m) &&
  isRecord(m.summary) && Object.values(m.summary).every((i: any) => isJsonValue(i)) &&
  Number.isSafeInteger(m.atMs) && m.atMs >= 0;

export const isSync = (m: any): m is Sync =>
  isRecord(m) &&
  m.type === "SYNC" &&
  typeof m.request === "string";

export const isSyncResult = (m: any): m is SyncResult =>
  isRecord(m) &&
  Number.isSafeInteger(m.asked) && m.asked >= 0;

export const isSyncStatus = (m: any): m is SyncStatus => (m === "connecting" || m === "realtime" || m === "syncing" || m === "synced" || m === "offline" || m === "error");

export const isSyncStatusUpdate = (m: any): m is SyncStatusUpdate =>
  isRecord(m) &&
  isSyncStatus(m.status) &&
  isHops(m.hops) &&
  Number.isSafeInteger(m.pending) && m.pending >= 0 &&
  ((Number.isSafeInteger(m.completeThroughMs) && m.completeThroughMs >= 0 || m.completeThroughMs === null)) &&
  ((Number.isSafeInteger(m.lastSyncAt) && m.lastSyncAt >= 0 || m.lastSyncAt === null)) &&
  m.type === "SYNC_STATUS_UPDATE" &&
  typeof m.user === "string" &&
  Number.isSafeInteger(m.serverTime) && m.serverTime >= 0;

export const isTimedSeries = (m: any): m is TimedSeries =>
  isRecord(m) &&
  typeof m.user === "string" &&
  typeof m.device === "string" &&
  typeof m.metric === "string" &&
  Array.isArray(m.seq) && m.seq.length >= 1 && m.seq.every((i: any) => Number.isSafeInteger(i)) &&
  (Array.isArray(m.value) && m.value.length >= 1 && m.value.every((i: any) => (Number.isSafeInteger(i) || Number.isFinite(i) || i === null))) &&
  (m.rr === undefined || (Array.isArray(m.rr) && m.rr.every((i: any) => (Array.isArray(i) && i.every((i: any) => Number.isSafeInteger(i) && i >= 0 && i <= 65535) || i === null)) || m.rr === null)) &&
  (m.contact === undefined || (Array.isArray(m.contact) && m.contact.every((i: any) => (typeof i === "boolean" || i === null)) || m.contact === null)) &&
  (m.energyKj === undefined || (Array.isArray(m.energyKj) && m.energyKj.every((i: any) => (Number.isSafeInteger(i) && i >= 0 || i === null)) || m.energyKj === null)) &&
  (m.quality === undefined || (Array.isArray(m.quality) && m.quality.every((i: any) => (Array.isArray(i) && i.every((i: any) => typeof i === "string") || i === null)) || m.quality === null)) &&
  (m.counter === undefined || (isCounter(m.counter) || m.counter === null)) &&
  (m.onChange === undefined || typeof m.onChange === "boolean") &&
  (m.stream === undefined || (typeof m.stream === "string" || m.stream === null)) &&
  Array.isArray(m.atMs) && m.atMs.length >= 1 && m.atMs.every((i: any) => Number.isSafeInteger(i)) &&
  Number.isSafeInteger(m.receivedMs) && m.receivedMs >= 0 &&
  typeof m.timeSource === "string" &&
  (m.serverMarks === undefined || (Array.isArray(m.serverMarks) && m.serverMarks.every((i: any) => (Array.isArray(i) && i.every((i: any) => typeof i === "string") || i === null)) || m.serverMarks === null));

export const isTokenExpiring = (m: any): m is TokenExpiring =>
  isRecord(m) &&
  m.type === "TOKEN_EXPIRING" &&
  Number.isSafeInteger(m.expiresAt) && m.expiresAt >= 0 &&
  (m.token === undefined || (typeof m.token === "string" || m.token === null));

export const isUserSnapshot = (m: any): m is UserSnapshot =>
  isRecord(m) &&
  typeof m.name === "string" &&
  Array.isArray(m.position) && m.position.length === 2 && typeof m.position[0] === "string" && Number.isSafeInteger(m.position[1]) && m.position[1] >= 0 &&
  typeof m.reset === "boolean" &&
  isUserStatus(m.status) &&
  (m.state === undefined || (isRecord(m.state) && Object.values(m.state).every((i: any) => (isRecord(i) && ("devices" in i ? isBatteryData(i) : "gap" in i ? isGapData(i) : "mark" in i ? isMarkData(i) : "over" in i ? isHeartRateData(i) : "session" in i ? isSessionData(i) : "summary" in i ? isSummaryData(i) : "today" in i ? isStepsData(i) : isValueData(i)))) || m.state === null));

export const isUserStatus = (m: any): m is UserStatus =>
  isRecord(m) &&
  isSyncStatus(m.status) &&
  isHops(m.hops) &&
  Number.isSafeInteger(m.pending) && m.pending >= 0 &&
  ((Number.isSafeInteger(m.completeThroughMs) && m.completeThroughMs >= 0 || m.completeThroughMs === null)) &&
  ((Number.isSafeInteger(m.lastSyncAt) && m.lastSyncAt >= 0 || m.lastSyncAt === null));

export const isValueData = (m: any): m is ValueData =>
  isRecord(m) &&
  ((Number.isSafeInteger(m.current) || Number.isFinite(m.current) || m.current === null)) &&
  ((isLastValue(m.last) || m.last === null)) &&
  Number.isSafeInteger(m.freshForMs) && m.freshForMs >= 0 &&
  typeof m.onChange === "boolean";

/** Whether something parsed from a frame is a message that this version knows. */
export function isServerMessage(m: any): m is ServerMessage {
  switch (m?.type) {
    case "ACKNOWLEDGED":
      return isAcknowledged(m);
    case "AUTHENTICATED":
      return isAuthenticated(m);
    case "ERROR":
      return isError(m);
    case "GOING_AWAY":
      return isGoingAway(m);
    case "HEALTH_DATA_UPDATE":
      return isHealthDataUpdate(m);
    case "HEARTBEAT":
      return isHeartbeat(m);
    case "HELLO":
      return isHello(m);
    case "HISTORY_CHANGED":
      return isHistoryChanged(m);
    case "REFRESHED":
      return isRefreshed(m);
    case "REJECTED":
      return isRejected(m);
    case "RESULT":
      return isResult(m);
    case "SUBSCRIBED":
      return isSubscribed(m);
    case "SUBSCRIPTION_CHANGED":
      return isSubscriptionChanged(m);
    case "SYNC":
      return isSync(m);
    case "SYNC_STATUS_UPDATE":
      return isSyncStatusUpdate(m);
    case "TOKEN_EXPIRING":
      return isTokenExpiring(m);
    default:
      return false;
  }
}

/** The metrics that this version knows. */
export const METRICS = {
  heart_rate: { unit: "bpm", freshForMs: 5000 },
  steps: { unit: "steps", freshForMs: 60000 },
  battery: { unit: "%", freshForMs: 86400000 },
  cadence: { unit: "steps/min", freshForMs: 5000 },
  speed: { unit: "m/s", freshForMs: 5000 },
  distance: { unit: "m", freshForMs: 60000 },
  floors: { unit: "floors", freshForMs: 60000 },
  session: { unit: "", freshForMs: 86400000 },
  mark: { unit: "", freshForMs: 86400000 },
  summary: { unit: "", freshForMs: 86400000 },
  gap: { unit: "", freshForMs: 86400000 },
};
