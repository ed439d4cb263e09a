import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import SplitPanel from "@cloudscape-design/components/split-panel";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import { AnswerModal } from "../callbacks/AnswerModal";
import { ErrorView } from "../parts/ErrorView";
import { Goto } from "../parts/Goto";
import { Instant } from "../parts/Instant";
import { Payload } from "../parts/Payload";
import { Snippet } from "../parts/Snippet";
import { Status } from "../parts/Status";
import { places } from "../state/places";
import { span } from "../text/spans";
import type { Attempt, Operation } from "./timeline/fold";
import { typeText } from "./timeline/words";

interface Props {
  readonly operation: Operation;
  readonly onChanged: () => void;
}

/** All about one operation. */
export function OperationPanel({ operation, onChanged }: Props) {
  const [isAnswering, setAnswering] = useState(false);
  const isPendingCallback = operation.callbackId !== null && operation.endMs === null;
  const name = operation.name || typeText(operation);
  return (
    <SplitPanel
      header={name}
      closeBehavior="hide"
      i18nStrings={{
        closeButtonAriaLabel: "Close the details",
        openButtonAriaLabel: "Open the details",
        resizeHandleAriaLabel: "Resize the details",
        preferencesTitle: "Preferences",
        preferencesPositionLabel: "Position",
        preferencesPositionDescription: "Where the details are.",
        preferencesPositionSide: "Side",
        preferencesPositionBottom: "Bottom",
        preferencesConfirm: "Confirm",
        preferencesCancel: "Cancel",
      }}
    >
      <SpaceBetween size="m">
        {isPendingCallback && (
          <Button onClick={() => setAnswering(true)}>Answer the callback</Button>
        )}
        <KeyValuePairs columns={4} minColumnWidth={150} items={factsOf(operation)} />
        <ColumnLayout columns={2} variant="text-grid" minColumnWidth={300}>
          {operation.input && (
            <div>
              <Box variant="awsui-key-label">Input</Box>
              <Payload
                label="Input of the operation"
                text={operation.input.Payload}
                isTruncated={operation.input.Truncated ?? false}
              />
            </div>
          )}
          {operation.error ? (
            <div>
              <Box variant="awsui-key-label">Error</Box>
              <ErrorView error={operation.error} />
            </div>
          ) : (
            <div>
              <Box variant="awsui-key-label">Result</Box>
              <Payload
                label="Result of the operation"
                text={operation.result?.Payload}
                isTruncated={operation.result?.Truncated ?? false}
                none={operation.endMs === null ? "None yet" : "None"}
              />
            </div>
          )}
        </ColumnLayout>
        {operation.attempts.length > 0 && <Attempts attempts={operation.attempts} />}
      </SpaceBetween>
      {isAnswering && operation.callbackId && (
        <AnswerModal
          callbackId={operation.callbackId}
          name={name}
          onDone={onChanged}
          onClose={() => setAnswering(false)}
        />
      )}
    </SplitPanel>
  );
}

function factsOf(operation: Operation) {
  const facts = [
    { label: "Type", value: typeText(operation) },
    { label: "Status", value: <Status status={operation.status} /> },
    { label: "Started", value: <Instant atMs={operation.startMs} /> },
    {
      label: "Duration",
      value: operation.endMs === null ? "Still open" : span(operation.endMs - operation.startMs),
    },
  ];
  if (operation.scheduledEndMs !== null) {
    facts.push({ label: "Waits until", value: <Instant atMs={operation.scheduledEndMs} /> });
  }
  if (operation.retryAtMs !== null) {
    facts.push({ label: "Next attempt", value: <Instant atMs={operation.retryAtMs} /> });
  }
  if (operation.callbackId) {
    facts.push({
      label: "Callback id",
      value: <Snippet text={operation.callbackId} label="Copy the callback id" />,
    });
  }
  if (operation.timeoutSeconds) {
    facts.push({ label: "Time-out", value: span(operation.timeoutSeconds * 1_000) });
  }
  if (operation.heartbeatSeconds) {
    facts.push({ label: "Heartbeat time-out", value: span(operation.heartbeatSeconds * 1_000) });
  }
  if (operation.functionName) facts.push({ label: "Invokes", value: operation.functionName });
  if (operation.childArn) {
    facts.push({
      label: "Child execution",
      value: <Goto place={places.execution(operation.childArn)}>Open</Goto>,
    });
  }
  facts.push({ label: "Operation id", value: <Snippet text={operation.id} label="Copy the id" /> });
  return facts;
}

function Attempts({ attempts }: { attempts: readonly Attempt[] }) {
  return (
    <Table
      variant="embedded"
      ariaLabels={{ tableLabel: "Attempts" }}
      items={[...attempts]}
      trackBy={(attempt) => String(attempt.number)}
      columnDefinitions={[
        { id: "number", header: "Attempt", cell: (one) => one.number, isRowHeader: true },
        { id: "outcome", header: "Outcome", cell: (one) => one.outcome },
        { id: "start", header: "Started", cell: (one) => <Instant atMs={one.startMs} isClock /> },
        {
          id: "lasted",
          header: "Duration",
          cell: (one) => (one.endMs === null ? "Still open" : span(one.endMs - one.startMs)),
        },
        {
          id: "error",
          header: "Error",
          cell: (one) => [one.error?.ErrorType, one.error?.ErrorMessage].filter(Boolean).join(": "),
        },
      ]}
    />
  );
}
