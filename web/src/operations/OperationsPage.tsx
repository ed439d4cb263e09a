import Alert from "@cloudscape-design/components/alert";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { getOperations } from "../api/console";
import type { Operations } from "../api/shapes";
import { Instant } from "../parts/Instant";
import { LoadError } from "../parts/LoadError";
import { Page } from "../parts/Page";
import { places } from "../state/places";
import { useNow } from "../state/useNow";
import { useResource } from "../state/useResource";
import { bytes, count } from "../text/sizes";
import { LineChart } from "./LineChart";
import { level, rate } from "./series";
import { NodesTable, WorkersTable } from "./Tables";

const EVERY_MS = 5_000;

/** How the server itself does. */
export default function OperationsPage() {
  const operations = useResource((signal) => getOperations(signal), [], EVERY_MS);
  const nowMs = useNow(1_000);
  const found = operations.data;
  return (
    <Page
      title="Operations"
      crumbs={[{ text: "Operations", place: places.operations }]}
      description="Nodes, workers, queues and figures of the last 30 minutes."
    >
      <SpaceBetween size="l">
        <LoadError what="the figures" error={operations.error} onRetry={operations.reload} />
        {!found && !operations.error && <Spinner size="large" />}
        {found && (
          <SpaceBetween size="l">
            {found.health.problems.length > 0 && (
              <Alert type="warning" header="The server has a problem">
                <ul>
                  {found.health.problems.map((problem) => (
                    <li key={problem}>{problem}</li>
                  ))}
                </ul>
              </Alert>
            )}
            <Figures operations={found} nowMs={nowMs} />
            <Charts operations={found} />
            <NodesTable nodes={found.nodes} nowMs={nowMs} />
            <WorkersTable workers={found.workers} />
          </SpaceBetween>
        )}
      </SpaceBetween>
    </Page>
  );
}

function Figures({ operations, nowMs }: { operations: Operations; nowMs: number }) {
  const { health, queues, store } = operations;
  const isFine = health.problems.length === 0;
  return (
    <Container header={<Header variant="h2">Now</Header>}>
      <KeyValuePairs
        columns={4}
        items={[
          {
            label: "Health",
            value: (
              <StatusIndicator type={isFine ? "success" : "warning"}>
                {health.status}
              </StatusIndicator>
            ),
          },
          { label: "Executions ready to run", value: count(queues.ready) },
          { label: "Invocations running", value: count(queues.running) },
          { label: "Callers that wait", value: count(queues.sync_callers) },
          { label: "Timers due", value: count(queues.due_timers) },
          {
            label: "Next timer",
            value:
              queues.next_due_at_ms === null ? (
                "None"
              ) : (
                <Instant atMs={queues.next_due_at_ms} nowMs={nowMs} />
              ),
          },
          { label: "Messages to deliver", value: count(queues.letters) },
          {
            label: "Database",
            value: [
              store.kind,
              store.size_bytes === null ? null : bytes(store.size_bytes),
              store.free_bytes === null ? null : `${bytes(store.free_bytes)} free on the disk`,
              store.unreadable_rows > 0 ? `${count(store.unreadable_rows)} rows unreadable` : null,
            ]
              .filter(Boolean)
              .join(", "),
          },
        ]}
      />
    </Container>
  );
}

function Charts({ operations }: { operations: Operations }) {
  const { points, interval_ms: everyMs } = operations.series;
  const times = points.map((point) => point.at_ms);
  return (
    <Container header={<Header variant="h2">The last 30 minutes</Header>}>
      {points.length < 2 ? (
        "The first figures come within ten seconds."
      ) : (
        <ColumnLayout columns={2}>
          <LineChart
            title="Throughput"
            unit="/s"
            times={times}
            lines={[
              rate(points, "checkpoints", everyMs, "Checkpoints"),
              rate(points, "invocations", everyMs, "Invocations"),
              rate(points, "errors", everyMs, "Errors"),
            ]}
          />
          <LineChart
            title="Latency of a checkpoint"
            unit="ms"
            times={times}
            lines={[
              level(points, "checkpoint_p50_ms", "Median"),
              level(points, "checkpoint_p99_ms", "99 of 100"),
            ]}
          />
          <LineChart
            title="Executions"
            unit="/s"
            times={times}
            lines={[
              rate(points, "starts", everyMs, "Started"),
              rate(points, "completions", everyMs, "Ended"),
            ]}
          />
          <LineChart
            title="Open executions"
            unit=""
            times={times}
            lines={[level(points, "running", "Running"), level(points, "suspended", "Suspended")]}
          />
        </ColumnLayout>
      )}
    </Container>
  );
}
