import Container from "@cloudscape-design/components/container";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import type { Execution } from "../api/shapes";
import { Goto } from "../parts/Goto";
import { Instant } from "../parts/Instant";
import { Snippet } from "../parts/Snippet";
import { Status } from "../parts/Status";
import { places } from "../state/places";
import { bytes, counted } from "../text/sizes";
import { span } from "../text/spans";

/** The execution's figures. */
export function Overview({ execution, nowMs }: { execution: Execution; nowMs: number }) {
  const lasted = (execution.ended_at_ms ?? nowMs) - execution.started_at_ms;
  const share = lasted > 0 ? Math.round((execution.billed_ms / lasted) * 100) : 0;
  return (
    <Container>
      <KeyValuePairs
        columns={4}
        minColumnWidth={150}
        items={[
          {
            label: "Status",
            value: <Status status={execution.is_paused ? "PAUSED" : execution.status} />,
          },
          {
            label: "Function and version",
            value: (
              <>
                <Goto place={places.function(execution.function_name)}>
                  {execution.function_name}
                </Goto>
                :{execution.version}
              </>
            ),
          },
          { label: "Started", value: <Instant atMs={execution.started_at_ms} /> },
          {
            label: execution.ended_at_ms === null ? "Running for" : "Duration",
            value: (
              <>
                {span(lasted)}
                {execution.ended_at_ms === null && execution.deadline_at_ms !== null && (
                  <>
                    , until <Instant atMs={execution.deadline_at_ms} /> at most
                  </>
                )}
              </>
            ),
          },
          {
            label: "Billed against waiting",
            value: `${span(execution.billed_ms)} billed, ${span(execution.waiting_ms)} waiting (${share} % billed)`,
          },
          {
            label: "Operations and invocations",
            value: `${counted(execution.operation_count, "operation")}, ${counted(execution.invocation_count, "invocation")}`,
          },
          { label: "Stored", value: bytes(execution.stored_bytes) },
          {
            label: "ARN",
            value: <Snippet text={execution.arn} shown={execution.id} label="Copy the ARN" />,
          },
        ]}
      />
    </Container>
  );
}
