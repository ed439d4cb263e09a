import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { Execution } from "../api/shapes";
import { ErrorView } from "../parts/ErrorView";
import { Payload } from "../parts/Payload";
import { isOpen } from "./lifecycle";

/** What the execution was given, and what came of it. */
export function DataTab({ execution }: { execution: Execution }) {
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">Input</Header>}>
        <Payload label="Input" text={execution.input} none="Started without input" />
      </Container>
      {execution.error ? (
        <Container header={<Header variant="h2">Error</Header>}>
          <ErrorView error={execution.error} />
        </Container>
      ) : (
        <Container header={<Header variant="h2">Result</Header>}>
          {isOpen(execution.status) ? (
            <Box color="text-body-secondary">There is none before the execution has ended.</Box>
          ) : (
            <Payload label="Result" text={execution.result} />
          )}
        </Container>
      )}
      <Container header={<Header variant="h2">Where it comes from</Header>}>
        <Box>
          Execution id {execution.id}. Code {execution.code_sha256 ?? "not recorded"}. Trace{" "}
          {execution.trace_id ?? "none"}.
        </Box>
      </Container>
    </SpaceBetween>
  );
}
