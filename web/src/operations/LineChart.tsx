import "./chart.css";
import Box from "@cloudscape-design/components/box";
import * as tokens from "@cloudscape-design/design-tokens";
import { type CSSProperties, useRef, useState } from "react";
import { useWidth } from "../state/useWidth";
import { localClock, utcInstant } from "../text/instants";
import { ceilingOf, type Line, pathOf } from "./series";

const HEIGHT_PX = 140;
const COLOURS = {
  "--chart-0": tokens.colorChartsPaletteCategorical1,
  "--chart-1": tokens.colorChartsPaletteCategorical2,
  "--chart-2": tokens.colorChartsPaletteCategorical3,
  "--chart-line": tokens.colorBorderDividerDefault,
  "--chart-text": tokens.colorTextBodySecondary,
} as CSSProperties;

interface Props {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
  readonly times: readonly number[];
}

/** Lines over time. The figures at the point looked at, or the latest, stand below as text. */
export function LineChart({ title, unit, lines, times }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const widthPx = useWidth(box);
  const [looked, setLooked] = useState<number | null>(null);
  const ceiling = ceilingOf(lines);
  const last = times.length - 1;
  const at = Math.min(looked ?? last, last);
  const figure = (value: number | null | undefined): string =>
    value === null || value === undefined ? "-" : String(Math.round(value * 100) / 100);
  const summary = lines.map((line) => `${line.label} ${figure(line.values[last])} ${unit}`);
  return (
    <div style={COLOURS}>
      <Box variant="h3" padding="n">
        {title}
      </Box>
      <div ref={box} className="chart">
        <svg
          width={widthPx}
          height={HEIGHT_PX}
          role="img"
          aria-label={`${title}. Now: ${summary.join(", ")}`}
          onMouseMove={(event) => {
            const left = event.currentTarget.getBoundingClientRect().left;
            setLooked(Math.round(((event.clientX - left) / Math.max(1, widthPx)) * last));
          }}
          onMouseLeave={() => setLooked(null)}
        >
          {[0, 0.5, 1].map((share) => (
            <g key={share}>
              <line
                className="chart-grid"
                x1={0}
                x2={widthPx}
                y1={HEIGHT_PX * share + (share === 0 ? 0.5 : -0.5)}
                y2={HEIGHT_PX * share + (share === 0 ? 0.5 : -0.5)}
              />
              {share < 1 && (
                <text className="chart-text" x={2} y={HEIGHT_PX * share + 12}>
                  {figure(ceiling * (1 - share))} {unit}
                </text>
              )}
            </g>
          ))}
          {lines.map((line, index) => (
            <path
              key={line.label}
              className={`chart-line chart-line-${index}`}
              d={pathOf(line, widthPx, HEIGHT_PX, ceiling)}
            />
          ))}
          {looked !== null && last > 0 && (
            <line
              className="chart-look"
              x1={(at / last) * widthPx}
              x2={(at / last) * widthPx}
              y1={0}
              y2={HEIGHT_PX}
            />
          )}
        </svg>
      </div>
      <div className="chart-legend">
        {lines.map((line, index) => (
          <span key={line.label}>
            <i className={`chart-mark chart-mark-${index}`} aria-hidden="true" />
            {line.label}: {figure(line.values[at])} {unit}
          </span>
        ))}
        {times[at] !== undefined && (
          <time dateTime={utcInstant(times[at])} title={utcInstant(times[at])}>
            {localClock(times[at]).slice(0, 8)}
          </time>
        )}
      </div>
    </div>
  );
}
