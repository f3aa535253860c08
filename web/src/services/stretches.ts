// Stretches of time, from a moment to before another: united, cut out, clipped. In order, apart.

export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** All that is in any of them; those that touch, or are no further apart, become one. */
export function unite(stretches: readonly Stretch[], apartMs = 0): Stretch[] {
  const united: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of [...stretches].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = united.at(-1);
    if (last !== undefined && fromMs <= last.toMs + apartMs) {
      last.toMs = Math.max(last.toMs, toMs);
    } else if (toMs > fromMs) {
      united.push({ fromMs, toMs });
    }
  }
  return united;
}

/** What of each is not in `hole`. */
export function without<One extends Stretch>(stretches: readonly One[], hole: Stretch): One[] {
  return stretches.flatMap((one) => [
    ...(one.fromMs < hole.fromMs ? [{ ...one, toMs: Math.min(one.toMs, hole.fromMs) }] : []),
    ...(one.toMs > hole.toMs ? [{ ...one, fromMs: Math.max(one.fromMs, hole.toMs) }] : []),
  ]);
}

/** What of each is within `window`. */
export function within<One extends Stretch>(stretches: readonly One[], window: Stretch): One[] {
  return stretches
    .map((one) => ({
      ...one,
      fromMs: Math.max(one.fromMs, window.fromMs),
      toMs: Math.min(one.toMs, window.toMs),
    }))
    .filter(({ fromMs, toMs }) => toMs > fromMs);
}

/** What of `window` is in none of them. */
export function missingOf(window: Stretch, stretches: readonly Stretch[]): Stretch[] {
  return stretches.reduce<Stretch[]>((left, one) => without(left, one), [window]);
}
