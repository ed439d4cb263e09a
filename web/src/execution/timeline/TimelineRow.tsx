import { memo } from "react";
import { statusText } from "../../parts/Status";
import { span } from "../../text/spans";
import type { OperationStatus } from "./fold";
import { Lane, type Scale } from "./Lane";
import type { Row } from "./rows";
import { typeText } from "./words";

interface Props {
  readonly id: string;
  readonly row: Row;
  readonly index: number;
  readonly offsetPx: number;
  readonly scale: Scale;
  readonly status: OperationStatus;
  readonly isActive: boolean;
  readonly isSelected: boolean;
  /** Changes when the operation has: its object is the same. */
  readonly revision: number;
  readonly onChoose: (index: number) => void;
  readonly onFold: (operationId: string) => void;
}

const SIGNS: Readonly<Record<OperationStatus, readonly [string, string]>> = {
  STARTED: ["●", "var(--bar-running)"],
  PENDING: ["◔", "var(--bar-again)"],
  SUCCEEDED: ["✓", "var(--bar-succeeded)"],
  FAILED: ["✕", "var(--bar-failed)"],
  CANCELLED: ["–", "var(--bar-lost)"],
  TIMED_OUT: ["✕", "var(--bar-failed)"],
  STOPPED: ["–", "var(--bar-lost)"],
};

/** One operation: its name in the tree, its bars on the axis. */
export const TimelineRow = memo(function TimelineRow(props: Props) {
  const { row, index, scale } = props;
  const { operation, depth, isCollapsed } = row;
  const [sign, colour] = SIGNS[operation.status];
  const hasChildren = operation.children.length > 0;
  const name = operation.name || typeText(operation);
  const attempts = operation.attempts.length;
  const lasted = (operation.endMs ?? scale.nowMs) - operation.startMs;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the treegrid around it takes the keys for all of its rows.
    <div
      id={props.id}
      role="row"
      tabIndex={-1}
      aria-level={depth + 1}
      aria-rowindex={index + 1}
      aria-selected={props.isSelected}
      aria-expanded={hasChildren ? !isCollapsed : undefined}
      className={[
        "timeline-row",
        props.isActive ? "is-active" : "",
        props.isSelected ? "is-selected" : "",
      ].join(" ")}
      style={{ transform: `translateY(${props.offsetPx}px)` }}
      onClick={() => props.onChoose(index)}
    >
      <div
        role="gridcell"
        className="timeline-name"
        style={{ paddingInlineStart: 4 + Math.min(depth, 12) * 16 }}
      >
        {hasChildren ? (
          <button
            type="button"
            tabIndex={-1}
            className="timeline-fold"
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation();
              props.onFold(operation.id);
            }}
          >
            {isCollapsed ? "▸" : "▾"}
          </button>
        ) : (
          <span className="timeline-fold" aria-hidden="true" />
        )}
        <span aria-hidden="true" style={{ color: colour }}>
          {sign}
        </span>
        <span className="timeline-name-text" title={name}>
          {name}
        </span>
        <span className="visually-hidden">{`, ${typeText(operation)}, ${statusText(operation.status)}, `}</span>
        <span className="timeline-name-type">
          {attempts > 1 ? `${attempts} attempts · ` : ""}
          {span(lasted)}
        </span>
      </div>
      <div role="gridcell">
        <Lane operation={operation} scale={scale} />
      </div>
    </div>
  );
});
