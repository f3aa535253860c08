// Strapline's mark: a line, and the dot that is now.

export function BrandMark() {
  return (
    <span className="mark">
      <svg viewBox="0 0 30 10" aria-hidden="true">
        <line x1="0" y1="5" x2="25" y2="5" />
        <circle cx="25" cy="5" r="5" />
      </svg>
      <span>Strapline</span>
    </span>
  );
}
