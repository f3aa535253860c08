// The same data as the sheet above it, in rows: for those who hear it, and who want the numbers.
import { useState } from "react";
import { rowsOf } from "@/model/describe-past";
import type { PastSheet } from "@/model/past";

interface PastTableProps {
  readonly sheet: PastSheet;
  readonly name: string;
}

export function PastTable({ sheet, name }: PastTableProps) {
  const [open, setOpen] = useState(false);
  return (
    <details className="rows" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      {open ? <Rows sheet={sheet} name={name} /> : null}
    </details>
  );
}

function Rows({ sheet, name }: PastTableProps) {
  const rows = rowsOf(sheet);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard
    <section className="scrolls" tabIndex={0} aria-label={`Heart rate of ${name} in rows`}>
      <table>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">Mean</th>
            <th scope="col">Lowest</th>
            <th scope="col">Highest</th>
            <th scope="col">Readings</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.fromMs} ${row.figures === null}`}>
              <th scope="row">{row.when}</th>
              {row.figures === null ? (
                <td colSpan={4}>{row.why}</td>
              ) : (
                <>
                  <td>{row.figures[0]}</td>
                  <td>{row.figures[1]}</td>
                  <td>{row.figures[2]}</td>
                  <td>
                    {row.figures[3]} {row.why}
                  </td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
