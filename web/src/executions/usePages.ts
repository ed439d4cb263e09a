/** The pages of a list that the server gives by markers. */

import { useCallback, useEffect, useRef, useState } from "react";
import { listExecutions } from "../api/console";
import type { ExecutionLine, ExecutionPage } from "../api/shapes";
import { type Filters, toQuery } from "./filters";

const REQUESTS_MAX = 20;

export interface Pages {
  readonly lines: readonly ExecutionLine[];
  readonly index: number;
  readonly count: number;
  /** False: there may be more pages than are counted. */
  readonly isAllKnown: boolean;
  readonly isLoading: boolean;
  readonly error: Error | null;
  readonly go: (index: number) => void;
  /** Reads the page again; what is shown stays until then. */
  readonly refresh: () => void;
}

/** Reads executions that match, `pageSize` at a time. */
export function usePages(filters: Filters, pageSize: number, newestFirst: boolean): Pages {
  const key = JSON.stringify([filters, pageSize, newestFirst]);
  const markers = useRef<(string | null)[]>([null]);
  const [lines, setLines] = useState<readonly ExecutionLine[]>([]);
  const [position, setPosition] = useState({ key, index: 0 });
  const [count, setCount] = useState(1);
  const [isAllKnown, setAllKnown] = useState(false);
  const [isLoading, setLoading] = useState(true);
  const [error, setError] = useState<Error | null>(null);
  const [round, setRound] = useState(0);
  const index = position.key === key ? position.index : 0;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` is the content of the filters; `round` asks again.
  useEffect(() => {
    if (index === 0) markers.current = [null];
    const controller = new AbortController();
    setLoading(true);
    readPage(filters, { pageSize, newestFirst }, markers.current[index] ?? null, controller.signal)
      .then((page) => {
        setLines(page.lines);
        setError(null);
        markers.current[index + 1] = page.nextMarker;
        setAllKnown(page.nextMarker === null);
        setCount((before) =>
          page.nextMarker === null ? index + 1 : Math.max(index === 0 ? 1 : before, index + 1),
        );
      })
      .catch((caught: unknown) => {
        if (controller.signal.aborted) return;
        setError(caught instanceof Error ? caught : new Error(String(caught)));
      })
      .finally(() => {
        if (!controller.signal.aborted) setLoading(false);
      });
    return () => controller.abort();
  }, [key, index, round]);

  const go = useCallback((next: number) => setPosition({ key, index: next }), [key]);
  const refresh = useCallback(() => setRound((value) => value + 1), []);
  return { lines, index, count, isAllKnown, isLoading, error, go, refresh };
}

/**
 * Returns a full page, unless there is no more. The server looks at so many executions a request
 * and no more, so that one answer may hold few or none and still have a next one.
 */
async function readPage(
  filters: Filters,
  order: { readonly pageSize: number; readonly newestFirst: boolean },
  from: string | null,
  signal: AbortSignal,
): Promise<{ lines: readonly ExecutionLine[]; nextMarker: string | null }> {
  const lines: ExecutionLine[] = [];
  let marker = from;
  for (let request = 0; request < REQUESTS_MAX; request += 1) {
    const limit = order.pageSize - lines.length;
    const page: ExecutionPage = await listExecutions(
      toQuery(filters),
      { limit, marker, newestFirst: order.newestFirst },
      signal,
    );
    lines.push(...page.executions);
    marker = page.next_marker;
    if (marker === null || lines.length >= order.pageSize) break;
  }
  return { lines, nextMarker: marker };
}
