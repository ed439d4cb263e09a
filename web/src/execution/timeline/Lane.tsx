import type { Operation } from "./fold";
import { type Bar, barsOf } from "./rows";
import type { View } from "./view";
import { type Axis, placeOf } from "./warp";

export const ROW_PX = 28;
const THIN: ReadonlySet<string> = new Set(["retry", "context"]);
const WIDTH_PX_MIN = 2;

/** From instants to pixels. */
export interface Scale {
  readonly axis: Axis;
  readonly view: View;
  readonly widthPx: number;
  readonly nowMs: number;
}

export function xOf(scale: Scale, atMs: number): number {
  const place = placeOf(scale.axis, atMs);
  return ((place - scale.view.from) / (scale.view.to - scale.view.from)) * scale.widthPx;
}

/** The bars of one operation. */
export function Lane({ operation, scale }: { operation: Operation; scale: Scale }) {
  return (
    <svg className="timeline-lane" width={scale.widthPx} height={ROW_PX} aria-hidden="true">
      {barsOf(operation).map((bar, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a bar's place among its operation's bars is what it is.
        <BarShape key={at} bar={bar} scale={scale} />
      ))}
    </svg>
  );
}

function BarShape({ bar, scale }: { bar: Bar; scale: Scale }) {
  const from = xOf(scale, bar.fromMs);
  const to = xOf(scale, bar.toMs ?? Math.max(scale.nowMs, bar.fromMs));
  if (to < -1 || from > scale.widthPx + 1) return null;
  const left = Math.max(-2, from);
  const right = Math.min(scale.widthPx + 2, Math.max(to, from + WIDTH_PX_MIN));
  const width = Math.max(WIDTH_PX_MIN, right - left);
  if (bar.kind === "context") {
    const y = ROW_PX / 2;
    return (
      <path className="bar-context" d={`M${left} ${y + 5}V${y}H${left + width}V${y + 5}`}>
        <title>{bar.label}</title>
      </path>
    );
  }
  const height = THIN.has(bar.kind) ? 8 : 16;
  return (
    <rect
      className={`bar-${bar.kind}`}
      x={left}
      y={(ROW_PX - height) / 2}
      width={width}
      height={height}
      rx={2}
    >
      <title>{bar.label}</title>
    </rect>
  );
}
