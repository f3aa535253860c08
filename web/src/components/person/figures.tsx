// What was measured in the stretch that is shown: worked out, not measured now, so without a strap.
import type { Missed } from "@/model/gap-list";
import type { PastSheet } from "@/model/past";
import { Told } from "@/model/why";
import { count, duration, readings } from "@/model/words";

interface FiguresProps {
  readonly sheet: PastSheet;
  /** As the server accounts for it; null: as far as it is seen on the sheet. */
  readonly missed: Missed | null;
}

export function Figures({ sheet, missed }: FiguresProps) {
  const coming = sheet.pending.length > 0;
  const { gaps, missingMs } = missed ?? seen(sheet);
  const figures: readonly (readonly [name: string, value: string, note: string])[] = [
    ["Average", rounded(sheet.average), `of ${readings(sheet.count)}${coming ? " so far" : ""}`],
    ["Lowest", rounded(sheet.least), "bpm"],
    ["Highest", rounded(sheet.most), "bpm"],
    [
      "Missing",
      gaps === 0 ? (coming ? "—" : "none") : duration(missingMs),
      gaps === 0
        ? coming
          ? "being fetched"
          : "no gap"
        : `in ${count(gaps)} ${gaps === 1 ? "gap" : "gaps"}`,
    ],
  ];
  return (
    <dl className="figs">
      {figures.map(([name, value, note]) => (
        <div key={name}>
          <dt>{name}</dt>{" "}
          <dd>
            {value}
            <small>{value === "—" ? (coming ? "being fetched" : "nothing measured") : note}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Adjoining ones are one, whose cause changes; what is still coming is not missing. */
function seen({ gaps }: PastSheet): Missed {
  const lost = gaps.filter(({ why }) => why !== Told.PENDING);
  const begins = lost.filter((gap, index) => lost[index - 1]?.toMs !== gap.fromMs);
  return {
    gaps: begins.length,
    missingMs: lost.reduce((sum, gap) => sum + gap.toMs - gap.fromMs, 0),
  };
}

function rounded(bpm: number | null): string {
  return bpm === null ? "—" : String(Math.round(bpm));
}
