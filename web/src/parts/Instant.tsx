import { localClock, localInstant, utcInstant } from "../text/instants";
import { relative } from "../text/spans";

interface Props {
  readonly atMs: number | null | undefined;
  /** With it, the distance to the present follows. */
  readonly nowMs?: number;
  readonly isClock?: boolean;
}

/** An instant in the local zone; UTC when pointed at. */
export function Instant({ atMs, nowMs, isClock = false }: Props) {
  if (atMs === null || atMs === undefined) return <>-</>;
  return (
    <time dateTime={utcInstant(atMs)} title={utcInstant(atMs)}>
      {isClock ? localClock(atMs) : localInstant(atMs)}
      {nowMs !== undefined && ` (${relative(atMs, nowMs)})`}
    </time>
  );
}
