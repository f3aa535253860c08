// A sign that these hearts are not real.

export function SimulatedBanner() {
  return (
    <section className="simulated" aria-label="Simulation">
      <b>Simulation</b>
      <span>These hearts are not real. Recordings are played by virtual straps.</span>
    </section>
  );
}
