// The way of the readings: strap, bridge, server, you, each hop with its state and age.
import type { Hop, Way } from "@/model/hops";

export function Hops({ way }: { readonly way: Way }) {
  const [toBridge, toServer, toYou] = way.hops;
  return (
    <ol className="hops">
      <Node name="Strap" quiet={way.strapQuiet} />
      <Between hop={toBridge} />
      <Node name="Bridge" quiet={way.bridgeQuiet} />
      <Between hop={toServer} />
      <Node name="Server" quiet={way.serverQuiet} />
      <Between hop={toYou} />
      <li className={`node ${way.you === "live" ? "you" : way.you === "quiet" ? "you quiet" : ""}`}>
        You
      </li>
    </ol>
  );
}

function Node({ name, quiet }: { readonly name: string; readonly quiet: boolean }) {
  return <li className={quiet ? "node quiet" : "node"}>{name}</li>;
}

function Between({ hop }: { readonly hop: Hop }) {
  return (
    <li className={`hop ${hop.look}`}>
      <b>{hop.age}</b>
      {hop.note === "" ? null : <small>{hop.note}</small>}
    </li>
  );
}
