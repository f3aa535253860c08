// What was measured in the stretch that is shown: worked out, not measured now, so without a strap.
import type { PastSheet } from "@/model/past";
import { count, duration, readings } from "@/model/words";

export function Figures({ sheet }: { readonly sheet: PastSheet }) {
  const coming = sheet.pending.length > 0;
  const missingMs = sheet.gaps.reduce((sum, gap) => sum + gap.toMs - gap.fromMs, 0);
  const figures: readonly (readonly [name: string, value: string, note: string])[] = [
    ["Average", rounded(sheet.average), `of ${readings(sheet.count)}${coming ? " so far" : ""}`],
    ["Lowest", rounded(sheet.least), "bpm"],
    ["Highest", rounded(sheet.most), "bpm"],
    [
      "Missing",
      sheet.gaps.length === 0 ? (coming ? "—" : "none") : duration(missingMs),
      sheet.gaps.length === 0
        ? coming
          ? "being fetched"
          : "no gap"
        : `in ${count(sheet.gaps.length)} ${sheet.gaps.length === 1 ? "gap" : "gaps"}`,
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

function rounded(bpm: number | null): string {
  return bpm === null ? "—" : String(Math.round(bpm));
}
