import Box from "@cloudscape-design/components/box";
import { useState } from "react";
import { getHistory } from "../api/executions";
import type { LogLine } from "../api/lambda";
import { filterLog } from "../api/logs";
import { groupLines } from "../execution/logGroups";
import { History } from "../execution/timeline/fold";
import { LogLines } from "../parts/LogLines";
import { serverNow } from "../state/useNow";
import { useResource } from "../state/useResource";

const MARGIN_MS = 2_000;
const EVERY_MS = 1_500;
const LINES_MAX = 40;
const LAST_LINE = /^REPORT RequestId|"platform.report"/;

interface Props {
  readonly functionName: string;
  readonly executionArn: string;
  readonly startedAtMs: number;
  readonly isRunning: boolean;
}

/**
 * The end of a durable execution's log. Invoke sends no log with its answer, since several
 * invocations made it: it is read from the function's log, as it grows.
 */
export function TestLog({ functionName, executionArn, startedAtMs, isRunning }: Props) {
  const [isWhole, setWhole] = useState(false);
  const log = useResource(
    async (signal) => {
      const lines = await readLog(functionName, executionArn, startedAtMs, signal);
      if (!isRunning && LAST_LINE.test(lines.at(-1)?.message ?? "")) setWhole(true);
      return lines;
    },
    [executionArn],
    isWhole ? undefined : EVERY_MS,
  );
  if (!log.data || log.data.length === 0) return null;
  return (
    <div data-part="log">
      <Box variant="awsui-key-label">Log output (the last {LINES_MAX} lines)</Box>
      <LogLines lines={log.data.slice(-LINES_MAX)} label="Log output" />
    </div>
  );
}

async function readLog(
  functionName: string,
  executionArn: string,
  startedAtMs: number,
  signal: AbortSignal,
): Promise<LogLine[]> {
  const history = new History();
  history.add(await getHistory(executionArn, signal));
  const between = { fromMs: startedAtMs - MARGIN_MS, toMs: serverNow() + MARGIN_MS };
  const { lines } = await filterLog(functionName, between, "", signal);
  return groupLines(lines, history.invocations, executionArn).flatMap((group) => group.lines);
}
