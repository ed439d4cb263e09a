import { localClock, localInstant, utcInstant } from "../../text/instants";
import { span } from "../../text/spans";
import type { History } from "./fold";
import { type Scale, xOf } from "./Lane";
import { ticksOf } from "./view";

const HEIGHT_PX = 48;
const LANE_Y = 28;
const DAY_MS = 86_400_000;

interface Props {
  readonly history: History;
  readonly scale: Scale;
  readonly isFromStart: boolean;
}

/** The axis, and the lane of invocations: where there is no bar, the execution was suspended. */
export function Head({ history, scale, isFromStart }: Props) {
  const { axis, view, widthPx } = scale;
  const startMs = axis.pieces[0]?.fromMs ?? 0;
  const isLong = scale.nowMs - startMs > DAY_MS;
  const label = (atMs: number): string => {
    if (isFromStart) return `+${span(Math.max(0, atMs - startMs))}`;
    return isLong ? localInstant(atMs).slice(5) : localClock(atMs);
  };
  return (
    <svg className="timeline-lane" width={widthPx} height={HEIGHT_PX} aria-hidden="true">
      {ticksOf(axis, view, widthPx).map((tick) => {
        const x = ((tick.place - view.from) / (view.to - view.from)) * widthPx;
        return (
          <g key={tick.place}>
            <line className="timeline-tick" x1={x} x2={x} y1={0} y2={HEIGHT_PX} />
            <text className="timeline-lane-text" x={x + 4} y={14}>
              {label(tick.atMs)}
              <title>{utcInstant(tick.atMs)}</title>
            </text>
          </g>
        );
      })}
      {history.pauses.map((pause) => (
        <rect
          key={pause.startMs}
          className="bar-pause"
          x={xOf(scale, pause.startMs)}
          y={20}
          width={Math.max(2, xOf(scale, pause.endMs ?? scale.nowMs) - xOf(scale, pause.startMs))}
          height={HEIGHT_PX - 20}
        >
          <title>paused</title>
        </rect>
      ))}
      {history.invocations.map((run) => {
        const from = xOf(scale, run.startMs);
        const to = xOf(scale, run.endMs);
        if (to < 0 || from > widthPx) return null;
        return (
          <rect
            key={run.number}
            className={`bar-invocation${run.error ? " is-failed" : ""}`}
            x={Math.max(-2, from)}
            y={LANE_Y}
            width={Math.max(2, Math.min(to, widthPx + 2) - Math.max(-2, from))}
            height={12}
            rx={2}
          >
            <title>{`invocation ${run.number}: ${span(run.endMs - run.startMs)}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}
