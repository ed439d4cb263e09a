import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Tabs from "@cloudscape-design/components/tabs";
import { Suspense, useCallback, useMemo } from "react";
import { lazyPage } from "../frame/lazyPage";
import { LoadError } from "../parts/LoadError";
import { Page } from "../parts/Page";
import { useSplitPanel } from "../state/frame";
import { places, useQueryState } from "../state/places";
import { useNow } from "../state/useNow";
import { count } from "../text/sizes";
import { DataTab } from "./DataTab";
import { EventsTab } from "./EventsTab";
import { ExecutionActions } from "./ExecutionActions";
import { Explain } from "./Explain";
import { LogsTab } from "./LogsTab";
import { isOpen } from "./lifecycle";
import { OperationPanel } from "./OperationPanel";
import { OperationsTab } from "./OperationsTab";
import { Overview } from "./Overview";
import { type LiveExecution, useExecution } from "./useExecution";

const Timeline = lazyPage(() => import("./timeline/Timeline"));
const TICK_MS = 500;

/** One execution: what it is, why it waits, what it did, live. */
export default function ExecutionPage({ arn }: { arn: string }) {
  const live = useExecution(arn);
  const { execution } = live;
  const [tab, setTab] = useQueryState("tab", "timeline");
  const [operationId, setOperationId] = useQueryState("operation", "");
  const isLive = execution === undefined || isOpen(execution.status);
  const nowMs = useNow(isLive ? TICK_MS : null);
  const close = useCallback(() => setOperationId(""), [setOperationId]);
  const operation = live.history.operations.get(operationId);
  // The operation changes in place: its panel is made anew whenever the history has grown.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `revision` says when it has changed.
  const panel = useMemo(
    () => operation && <OperationPanel operation={operation} onChanged={live.reload} />,
    [operation, live.revision, live.reload],
  );
  useSplitPanel(panel, close);
  const title = execution?.name ?? arn.split("/").at(-2) ?? arn;

  return (
    <Page
      title={title}
      crumbs={[
        { text: "Executions", place: places.executions },
        { text: title, place: places.execution(arn) },
      ]}
      info={<LineState live={live} isLive={isLive} />}
      actions={execution && <ExecutionActions execution={execution} onChanged={live.reload} />}
    >
      {execution === undefined ? (
        <>
          <LoadError what="the execution" error={live.error} onRetry={live.reload} />
          {!live.error && <Spinner size="large" />}
        </>
      ) : (
        <SpaceBetween size="l">
          {isOpen(execution.status) && (
            <Explain execution={execution} nowMs={nowMs} onChanged={live.reload} />
          )}
          <Overview execution={execution} nowMs={nowMs} />
          <Tabs
            ariaLabel="Parts of the execution"
            activeTabId={tab}
            onChange={({ detail }) => setTab(detail.activeTabId)}
            tabs={[
              {
                id: "timeline",
                label: "Timeline",
                content: (
                  <Suspense fallback={<Spinner />}>
                    <Timeline
                      history={live.history}
                      revision={live.revision}
                      nowMs={nowMs}
                      selectedId={operationId}
                      onSelect={setOperationId}
                    />
                  </Suspense>
                ),
              },
              {
                id: "operations",
                label: `Operations (${count(live.history.operations.size)})`,
                content: (
                  <OperationsTab
                    history={live.history}
                    revision={live.revision}
                    nowMs={nowMs}
                    selectedId={operationId}
                    onSelect={setOperationId}
                  />
                ),
              },
              {
                id: "events",
                label: `Events (${count(live.history.events.length)})`,
                content: <EventsTab history={live.history} revision={live.revision} />,
              },
              {
                id: "data",
                label: execution.error ? "Input and error" : "Input and result",
                content: <DataTab execution={execution} />,
              },
              {
                id: "logs",
                label: "Logs",
                content: (
                  <LogsTab execution={execution} history={live.history} revision={live.revision} />
                ),
              },
            ]}
          />
        </SpaceBetween>
      )}
    </Page>
  );
}

function LineState({ live, isLive }: { live: LiveExecution; isLive: boolean }) {
  if (!isLive || live.line === "ended") return null;
  return (
    <Box display="inline-block" fontSize="body-s">
      {live.line === "live" ? (
        <StatusIndicator type="success">Live</StatusIndicator>
      ) : (
        <StatusIndicator type="pending">Connecting</StatusIndicator>
      )}
    </Box>
  );
}
