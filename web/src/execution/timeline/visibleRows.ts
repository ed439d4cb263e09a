/** Which rows of a long list are in sight: all are of one height, so this is a division. */

import { type RefObject, useLayoutEffect, useState } from "react";

export interface Range {
  readonly from: number;
  readonly to: number;
}

const SPARE_ROWS = 12;
/** The range moves in steps, so that most scroll events change nothing. */
const STEP_ROWS = 6;

/** Returns the rows to draw: those in sight, and some on both sides. Pure. */
export function rangeOf(scrollPx: number, heightPx: number, count: number, rowPx: number): Range {
  const first = Math.floor(scrollPx / rowPx / STEP_ROWS) * STEP_ROWS;
  const rows = Math.ceil(heightPx / rowPx) + STEP_ROWS;
  return {
    from: Math.max(0, Math.min(first - SPARE_ROWS, count)),
    to: Math.min(count, first + rows + SPARE_ROWS),
  };
}

/** Follows what is in sight of `scroller`. */
export function useVisibleRows(
  scroller: RefObject<HTMLElement | null>,
  count: number,
  rowPx: number,
): Range {
  const [range, setRange] = useState<Range>({ from: 0, to: 0 });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const look = (): void => {
      const next = rangeOf(element.scrollTop, element.clientHeight, count, rowPx);
      setRange((before) => (before.from === next.from && before.to === next.to ? before : next));
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      observer.disconnect();
    };
  }, [scroller, count, rowPx]);
  return range;
}

/** Scrolls just as far as needed to have a row in sight, below the sticky head. */
export function scrollToRow(element: HTMLElement | null, index: number, rowPx: number): void {
  if (!element) return;
  const headPx = element.firstElementChild?.clientHeight ?? 0;
  const top = index * rowPx;
  const bottom = top + rowPx + headPx;
  if (top < element.scrollTop) element.scrollTop = top;
  else if (bottom > element.scrollTop + element.clientHeight) {
    element.scrollTop = bottom - element.clientHeight;
  }
}
