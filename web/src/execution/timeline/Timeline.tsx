import "./timeline.css";
import Button from "@cloudscape-design/components/button";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Toggle from "@cloudscape-design/components/toggle";
import { type KeyboardEvent, useCallback, useId, useMemo, useRef, useState } from "react";
import { useQueryState } from "../../state/places";
import { useWidth } from "../../state/useWidth";
import { counted } from "../../text/sizes";
import type { History } from "./fold";
import { Head } from "./Head";
import { ROW_PX, type Scale } from "./Lane";
import { Legend } from "./Legend";
import { PALETTE } from "./palette";
import { rowsOf } from "./rows";
import { TimelineRow } from "./TimelineRow";
import { useTimelineView } from "./useTimelineView";
import { scrollToRow, useVisibleRows } from "./visibleRows";
import { linear, type Stretch, shrunk } from "./warp";

interface Props {
  readonly history: History;
  /** Changes whenever `history` has. */
  readonly revision: number;
  readonly nowMs: number;
  readonly selectedId: string;
  readonly onSelect: (operationId: string) => void;
}

const ZOOM = 1.6;
const PAN = 0.2;

/** An execution over time: a tree of operations, a bar for each attempt, waits shaded. */
export default function Timeline({ history, revision, nowMs, selectedId, onSelect }: Props) {
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const lane = useRef<HTMLDivElement>(null);
  const widthPx = useWidth(lane);
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const [find, setFind] = useQueryState("find", "");
  const [time, setTime] = useQueryState("time", "");
  const isShrunk = time === "busy";
  const [active, setActive] = useState(0);

  const endMs = history.endMs ?? Math.max(nowMs, history.latestMs);
  const startMs = history.startMs ?? endMs;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `history` changes in place; `revision` says when.
  const rows = useMemo(
    () => rowsOf(history, collapsed, find),
    [history, revision, collapsed, find],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above.
  const axis = useMemo(
    () => (isShrunk ? shrunk(startMs, endMs, busyOf(history, endMs)) : linear(startMs, endMs)),
    [history, revision, isShrunk, startMs, endMs],
  );
  const controls = useTimelineView(axis, lane);
  const { from, to } = controls.view;
  const scale: Scale = useMemo(
    () => ({ axis, view: { from, to }, widthPx, nowMs: endMs }),
    [axis, from, to, widthPx, endMs],
  );
  const shown = useVisibleRows(scroller, rows.length, ROW_PX);

  const fold = useCallback((operationId: string) => {
    setCollapsed((before) => {
      const next = new Set(before);
      if (!next.delete(operationId)) next.add(operationId);
      return next;
    });
  }, []);
  const choose = useCallback(
    (index: number) => {
      setActive(index);
      const row = rows[index];
      if (row) onSelect(row.operation.id);
    },
    [rows, onSelect],
  );

  function move(index: number): void {
    const next = Math.max(0, Math.min(rows.length - 1, index));
    setActive(next);
    scrollToRow(scroller.current, next, ROW_PX);
  }

  function onKeyDown(event: KeyboardEvent): void {
    const row = rows[active];
    const isOpen = row !== undefined && row.operation.children.length > 0 && !row.isCollapsed;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_PX) - 3);
    const keys: Readonly<Record<string, () => void>> = {
      ArrowDown: () => move(active + 1),
      ArrowUp: () => move(active - 1),
      PageDown: () => move(active + page),
      PageUp: () => move(active - page),
      Home: () => move(0),
      End: () => move(rows.length - 1),
      Enter: () => choose(active),
      "+": () => controls.zoom(ZOOM),
      "=": () => controls.zoom(ZOOM),
      "-": () => controls.zoom(1 / ZOOM),
      "0": controls.reset,
      ArrowRight: () => {
        if (event.shiftKey) controls.pan(PAN);
        else if (row?.isCollapsed) fold(row.operation.id);
        else move(active + 1);
      },
      ArrowLeft: () => {
        if (event.shiftKey) controls.pan(-PAN);
        else if (isOpen) fold(row.operation.id);
        else move(parentIndex(rows, active));
      },
    };
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  return (
    <div style={PALETTE}>
      <SpaceBetween size="xs">
        <SpaceBetween direction="horizontal" size="xs" alignItems="center">
          <Input
            type="search"
            value={find}
            placeholder="Find an operation"
            ariaLabel="Find an operation"
            onChange={({ detail }) => setFind(detail.value)}
          />
          <Button iconName="zoom-in" ariaLabel="Zoom in" onClick={() => controls.zoom(ZOOM)} />
          <Button
            iconName="zoom-out"
            ariaLabel="Zoom out"
            disabled={!controls.isZoomed}
            disabledReason="All of it is shown"
            onClick={() => controls.zoom(1 / ZOOM)}
          />
          <Button
            iconName="zoom-to-fit"
            ariaLabel="Show all of it"
            disabled={!controls.isZoomed}
            disabledReason="All of it is shown"
            onClick={controls.reset}
          />
          <Toggle
            checked={isShrunk}
            onChange={({ detail }) => setTime(detail.checked ? "busy" : "")}
          >
            Shorten waits
          </Toggle>
          <span className="visually-hidden" role="status">
            {counted(rows.length, "row")}
          </span>
        </SpaceBetween>
        <div
          ref={scroller}
          className="timeline"
          role="treegrid"
          aria-label="Timeline. Arrow keys move, Enter shows an operation, plus and minus zoom, Shift and arrows move in time."
          aria-rowcount={rows.length}
          aria-activedescendant={rows.length > 0 ? `${id}-${active}` : undefined}
          tabIndex={0}
          onKeyDown={onKeyDown}
        >
          <div className="timeline-head" role="presentation">
            <div className="timeline-head-label" aria-hidden="true">
              <span>Operation</span>
              <span>Invocations</span>
            </div>
            <div ref={lane}>
              <Head history={history} scale={scale} isFromStart={!isShrunk} />
            </div>
          </div>
          <div
            className="timeline-body"
            role="rowgroup"
            style={{ blockSize: Math.max(1, rows.length) * ROW_PX }}
          >
            {rows.length === 0 && (
              <div role="row" tabIndex={-1} className="timeline-none">
                <div role="gridcell">{find ? "No operation matches." : "No operation yet."}</div>
              </div>
            )}
            {rows.slice(shown.from, shown.to).map((row, at) => {
              const index = shown.from + at;
              return (
                <TimelineRow
                  key={row.operation.id}
                  id={`${id}-${index}`}
                  row={row}
                  index={index}
                  offsetPx={index * ROW_PX}
                  scale={scale}
                  status={row.operation.status}
                  revision={revision}
                  isActive={index === active}
                  isSelected={row.operation.id === selectedId}
                  onChoose={choose}
                  onFold={fold}
                />
              );
            })}
          </div>
        </div>
        <Legend />
      </SpaceBetween>
    </div>
  );
}

function parentIndex(rows: ReturnType<typeof rowsOf>, index: number): number {
  const parentId = rows[index]?.operation.parentId;
  const at = rows.findIndex((row) => row.operation.id === parentId);
  return at < 0 ? index : at;
}

function busyOf(history: History, endMs: number): Stretch[] {
  const busy: Stretch[] = history.invocations.map((run) => ({
    fromMs: run.startMs,
    toMs: run.endMs,
  }));
  for (const operation of history.operations.values()) {
    for (const attempt of operation.attempts) {
      busy.push({ fromMs: attempt.startMs, toMs: attempt.endMs ?? endMs });
    }
  }
  return busy;
}
