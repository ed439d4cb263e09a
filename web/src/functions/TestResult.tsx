import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import type { ReactNode } from "react";
import { ErrorView } from "../parts/ErrorView";
import { Goto } from "../parts/Goto";
import { Payload, PlainText } from "../parts/Payload";
import { places } from "../state/places";
import { useNow } from "../state/useNow";
import { parsePayload } from "../text/payloads";
import { span } from "../text/spans";
import { reportOf } from "./report";
import { TestLog } from "./TestLog";
import type { TestOutcome } from "./useTestRun";

interface Props {
  readonly functionName: string;
  readonly outcome: TestOutcome;
  readonly nowRunning: boolean;
}

/** What came of a test: status, event, response, log, and what it took. */
export function TestResult({ functionName, outcome, nowRunning }: Props) {
  const { request, answer, error, executionArn } = outcome;
  const nowMs = useNow(nowRunning ? 250 : null);
  const elapsedMs = outcome.elapsedMs ?? Math.max(0, nowMs - outcome.startedAtMs);
  const link = executionArn && (
    <Goto place={places.execution(executionArn)}>
      {nowRunning ? "Watch the execution" : "Open the execution"}
    </Goto>
  );
  return (
    <section aria-label="Result of the test">
      <Container
        header={
          <Header variant="h2" actions={link}>
            <span role="status">
              Executing function: <Verdict outcome={outcome} />
            </span>
          </Header>
        }
      >
        <SpaceBetween size="l">
          {error && (
            <Alert type="error" header="The invocation was refused">
              {error.message}
            </Alert>
          )}
          <KeyValuePairs columns={4} items={factsOf(outcome, elapsedMs)} />
          {answer && !request.isAsynchronous && (
            <div data-part="response">
              <Box variant="awsui-key-label">Response:</Box>
              <Response answer={answer} />
            </div>
          )}
          {executionArn && !answer?.logTail && (
            <TestLog
              functionName={functionName}
              executionArn={executionArn}
              startedAtMs={outcome.startedAtMs}
              isRunning={nowRunning}
            />
          )}
          {answer?.logTail && (
            <div data-part="log">
              <Box variant="awsui-key-label">Log output (the last 4 KB)</Box>
              <PlainText text={answer.logTail} label="Log output" />
            </div>
          )}
        </SpaceBetween>
      </Container>
    </section>
  );
}

function Verdict({ outcome }: { outcome: TestOutcome }) {
  const { answer, error, request } = outcome;
  if (error || answer?.functionError) return <StatusIndicator type="error">Failed</StatusIndicator>;
  if (!answer) return <StatusIndicator type="in-progress">Running</StatusIndicator>;
  if (request.isAsynchronous) return <StatusIndicator type="success">Accepted</StatusIndicator>;
  return <StatusIndicator type="success">Succeeded</StatusIndicator>;
}

function Response({ answer }: { answer: NonNullable<TestOutcome["answer"]> }) {
  const parsed = parsePayload(answer.payload);
  const failed = answer.functionError && parsed.isJson ? errorIn(parsed.value) : null;
  if (failed) return <ErrorView error={failed} />;
  return <Payload label="Response" text={answer.payload} none="Empty" />;
}

/** Returns the error that a failed function's response holds; its members are in lower case there. */
function errorIn(value: unknown) {
  if (typeof value !== "object" || value === null) return null;
  const body = value as Record<string, unknown>;
  const word = (name: string): string | null =>
    typeof body[name] === "string" ? (body[name] as string) : null;
  const stack = body.stackTrace ?? body.trace ?? body.StackTrace;
  return {
    ErrorType: word("errorType") ?? word("ErrorType"),
    ErrorMessage: word("errorMessage") ?? word("ErrorMessage"),
    StackTrace: Array.isArray(stack) ? stack.map(String) : null,
  };
}

function factsOf(outcome: TestOutcome, elapsedMs: number): { label: string; value: ReactNode }[] {
  const { request, answer, execution } = outcome;
  const report = reportOf(answer?.logTail ?? "");
  const billedMs = execution?.billed_ms ?? report?.billedMs ?? null;
  return [
    { label: "Status:", value: <Verdict outcome={outcome} /> },
    { label: "Test Event Name:", value: request.eventName },
    {
      label: "Billed against elapsed",
      value: `${billedMs === null ? "-" : span(billedMs)} billed, ${span(elapsedMs)} elapsed`,
    },
    { label: "Version", value: answer?.executedVersion ?? request.qualifier },
    { label: "Request id", value: answer?.requestId ?? report?.requestId ?? "-" },
    ...(request.executionName
      ? [{ label: "Durable execution name", value: request.executionName }]
      : []),
    ...(report?.memoryMaxMb
      ? [{ label: "Max memory used", value: `${report.memoryMaxMb} MB` }]
      : []),
  ];
}
