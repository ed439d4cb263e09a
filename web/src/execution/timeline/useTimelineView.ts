/** What of the timeline is shown, and how wheel, drag and keys change it. */

import { type RefObject, useCallback, useEffect, useRef, useState } from "react";
import { everything, moved, type View, zoomed } from "./view";
import type { Axis } from "./warp";

const DRAG_PX_MIN = 4;

export interface ViewControls {
  readonly view: View;
  readonly isZoomed: boolean;
  readonly zoom: (factor: number, share?: number) => void;
  readonly pan: (share: number) => void;
  readonly reset: () => void;
}

/** `lane` is the element whose width the view fills. Without a zoom the view follows the axis. */
export function useTimelineView(axis: Axis, lane: RefObject<HTMLElement | null>): ViewControls {
  const [chosen, setChosen] = useState<View | null>(null);
  const view = chosen ?? everything(axis);
  const latest = useRef({ axis, view });
  latest.current = { axis, view };

  const zoom = useCallback((factor: number, share = 0.5) => {
    const { axis: on, view: from } = latest.current;
    const next = zoomed(on, from, factor, from.from + share * (from.to - from.from));
    setChosen(next.to - next.from >= everything(on).to * 0.999 ? null : next);
  }, []);
  const pan = useCallback((share: number) => {
    const { axis: on, view: from } = latest.current;
    setChosen((before) => before && moved(on, from, share * (from.to - from.from)));
  }, []);
  const reset = useCallback(() => setChosen(null), []);

  useEffect(() => {
    const element = lane.current;
    if (!element) return;
    const onWheel = (event: WheelEvent): void => {
      const box = element.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      if (share < 0) return;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        zoom(Math.exp(-event.deltaY / 300), share);
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        pan((event.deltaX || event.deltaY) / box.width);
      }
    };
    const surface = element.closest<HTMLElement>(".timeline") ?? element;
    const onDown = (event: PointerEvent): void => {
      const box = element.getBoundingClientRect();
      if (event.button !== 0 || event.clientX < box.left || event.pointerType === "touch") return;
      let lastX = event.clientX;
      let isDragging = false;
      const onMove = (move: PointerEvent): void => {
        if (!isDragging && Math.abs(move.clientX - event.clientX) < DRAG_PX_MIN) return;
        isDragging = true;
        pan((lastX - move.clientX) / box.width);
        lastX = move.clientX;
      };
      const onUp = (): void => {
        window.removeEventListener("pointermove", onMove);
        window.removeEventListener("pointerup", onUp);
        if (!isDragging) return;
        // A drag that ends over a row is no click on it.
        window.addEventListener("click", (click) => click.stopPropagation(), {
          capture: true,
          once: true,
        });
      };
      window.addEventListener("pointermove", onMove);
      window.addEventListener("pointerup", onUp);
    };
    surface.addEventListener("wheel", onWheel, { passive: false });
    surface.addEventListener("pointerdown", onDown);
    return () => {
      surface.removeEventListener("wheel", onWheel);
      surface.removeEventListener("pointerdown", onDown);
    };
  }, [lane, zoom, pan]);

  return { view, isZoomed: chosen !== null, zoom, pan, reset };
}
