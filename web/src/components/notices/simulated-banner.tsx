// A sign that these hearts are not real.

export function SimulatedBanner() {
  return (
    <p className="simulated">
      <b>Simulation</b>
      <span>These hearts are not real. Recordings are played by virtual straps.</span>
    </p>
  );
}
