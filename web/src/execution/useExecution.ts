/** One execution, live: its figures, and its history as it grows. */

import { useCallback, useEffect, useRef, useState } from "react";
import { getExecution } from "../api/console";
import type { HistoryEvent } from "../api/events";
import type { Execution } from "../api/shapes";
import type { StreamState } from "../api/stream";
import { useResource } from "../state/useResource";
import { useStream } from "../state/useStream";
import { History } from "./timeline/fold";

export interface LiveExecution {
  readonly execution: Execution | undefined;
  readonly history: History;
  /** Changes whenever `history` has. */
  readonly revision: number;
  readonly line: StreamState;
  readonly error: Error | null;
  readonly reload: () => void;
}

const GATHER_MS = 30;

export function useExecution(arn: string): LiveExecution {
  const first = useResource((signal) => getExecution(arn, signal), [arn]);
  const [latest, setLatest] = useState<Execution>();
  const [revision, setRevision] = useState(0);
  const history = useRef(new History());
  const timer = useRef(0);

  const take = useCallback((data: unknown) => {
    if (!history.current.add(data as HistoryEvent[]) || timer.current !== 0) return;
    // Several batches in a row are drawn once.
    timer.current = window.setTimeout(() => {
      timer.current = 0;
      setRevision((value) => value + 1);
    }, GATHER_MS);
  }, []);
  useEffect(
    () => () => {
      window.clearTimeout(timer.current);
      timer.current = 0;
    },
    [],
  );

  const line = useStream(
    "/console/api/stream",
    { arn },
    { history: take, execution: (data) => setLatest(data as Execution) },
  );
  const read = first.data;
  const isNewer = latest && (!read || latest.last_event_id >= read.last_event_id);
  const { reload: readAgain } = first;
  // A result that is too large for the stream is read by itself, once, when it is there.
  const lacksResult = isNewer && latest.left_out?.includes("result") && read?.result === null;
  useEffect(() => {
    if (lacksResult) readAgain();
  }, [lacksResult, readAgain]);
  const reload = useCallback(() => {
    setLatest(undefined);
    readAgain();
  }, [readAgain]);
  return {
    execution: isNewer ? complete(latest, read) : read,
    history: history.current,
    revision,
    line,
    error: first.error,
    reload,
  };
}

/** Returns what the stream told last, with the payloads it left out. */
function complete(latest: Execution, read: Execution | undefined): Execution {
  if (!latest.left_out?.length || !read) return latest;
  return {
    ...latest,
    input: latest.input ?? read.input,
    result: latest.result ?? read.result,
  };
}
