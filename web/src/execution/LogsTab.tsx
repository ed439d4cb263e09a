import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useMemo } from "react";
import { filterLog } from "../api/logs";
import type { Execution } from "../api/shapes";
import { Empty } from "../parts/Empty";
import { Instant } from "../parts/Instant";
import { LoadError } from "../parts/LoadError";
import { LogLines } from "../parts/LogLines";
import { useResource } from "../state/useResource";
import { span } from "../text/spans";
import { isOpen } from "./lifecycle";
import { groupLines } from "./logGroups";
import type { History } from "./timeline/fold";

const MARGIN_MS = 2_000;
const EVERY_MS = 2_000;

interface Props {
  readonly execution: Execution;
  readonly history: History;
  readonly revision: number;
}

/** What the function wrote, invocation by invocation. */
export function LogsTab({ execution, history, revision }: Props) {
  const running = isOpen(execution.status);
  const log = useResource(
    (signal) =>
      filterLog(
        execution.function_name,
        {
          fromMs: execution.started_at_ms - MARGIN_MS,
          toMs: (execution.ended_at_ms ?? Date.now() + 60_000) + MARGIN_MS,
        },
        "",
        signal,
      ),
    [execution.arn, execution.ended_at_ms],
    running ? EVERY_MS : undefined,
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: `history` changes in place; `revision` says when.
  const groups = useMemo(
    () => groupLines(log.data?.lines ?? [], history.invocations, execution.arn),
    [log.data, history, revision, execution.arn],
  );
  if (!log.data && log.isLoading) return <Spinner />;
  return (
    <SpaceBetween size="m">
      <LoadError what="the log" error={log.error} onRetry={log.reload} />
      <Box float="right">
        <Button iconName="refresh" ariaLabel="Read the log again" onClick={log.reload} />
      </Box>
      {groups.length === 0 && (
        <Empty title="No log lines" command={`perdure logs ${execution.function_name}`}>
          What the function prints and logs appears here, invocation by invocation.
        </Empty>
      )}
      {groups.map((group) => (
        <Container
          key={group.requestId}
          header={
            <Header
              variant="h3"
              description={
                <>
                  Request {group.requestId}
                  {group.run && (
                    <>
                      , <Instant atMs={group.run.startMs} isClock />,{" "}
                      {span(group.run.endMs - group.run.startMs)}
                    </>
                  )}
                </>
              }
            >
              {group.run ? `Invocation ${group.run.number}` : "Running invocation"}
            </Header>
          }
        >
          <LogLines lines={group.lines} label={`Log of request ${group.requestId}`} />
        </Container>
      ))}
      {log.data?.isCut && (
        <Box color="text-body-secondary">
          There is more: perdure logs {execution.function_name} shows all of it.
        </Box>
      )}
    </SpaceBetween>
  );
}
