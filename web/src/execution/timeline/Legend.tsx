const ENTRIES = [
  ["succeeded", "Succeeded"],
  ["failed", "Failed attempt"],
  ["running", "Running"],
  ["again", "Asked to be tried again"],
  ["retry", "Waits for a retry"],
  ["wait", "Wait"],
  ["callback", "Callback"],
  ["chained", "Chained invoke"],
] as const;

/** What the bars mean. */
export function Legend() {
  return (
    <div className="timeline-legend">
      {ENTRIES.map(([kind, text]) => (
        <span key={kind}>
          <svg width="20" height="12" aria-hidden="true">
            <rect className={`bar-${kind}`} x="1" y="1" width="18" height="10" rx="2" />
          </svg>
          {text}
        </span>
      ))}
    </div>
  );
}
