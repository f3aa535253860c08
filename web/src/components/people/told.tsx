// What a host application has said of a person, as given and with its time: no strap, no line.
import type { Told } from "@/model/told";
import { clock } from "@/model/words";

export function ToldFigures({ told }: { readonly told: Told }) {
  return (
    <dl className="told">
      {told.fields.map(({ name, text }) => (
        <div key={name}>
          <dt>{name}</dt> <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

export function asGiven(atMs: number): string {
  return `As given by the application, ${clock(atMs)}`;
}
