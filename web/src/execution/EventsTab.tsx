import { useCollection } from "@cloudscape-design/collection-hooks";
import Box from "@cloudscape-design/components/box";
import Pagination from "@cloudscape-design/components/pagination";
import Table from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useMemo } from "react";
import type { HistoryEvent } from "../api/events";
import { Empty } from "../parts/Empty";
import { Instant } from "../parts/Instant";
import { brief, briefPayload } from "../text/payloads";
import { span } from "../text/spans";
import { PAGES } from "./OperationsTab";
import { errorOf, type History, resultOf, toMs } from "./timeline/fold";

const PAGE_SIZE = 50;

/** The history, event by event. */
export function EventsTab({ history, revision }: { history: History; revision: number }) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: `history` changes in place; `revision` says when.
  const all = useMemo(() => [...history.events], [history, revision]);
  const { items, filterProps, collectionProps, paginationProps } = useCollection(all, {
    filtering: {
      filteringFunction: (event, text) =>
        `${event.EventType} ${event.Name ?? ""} ${event.Id ?? ""}`
          .toLowerCase()
          .includes(text.toLowerCase()),
      empty: (
        <Empty title="No event yet">The first one is written when the execution starts.</Empty>
      ),
      noMatch: <Empty title="No event matches">Try another text.</Empty>,
    },
    pagination: { pageSize: PAGE_SIZE },
    sorting: {},
  });
  return (
    <Table
      {...collectionProps}
      variant="borderless"
      items={items}
      trackBy={(event) => String(event.EventId)}
      ariaLabels={{ tableLabel: "Event history" }}
      stickyHeader
      wrapLines
      columnDefinitions={[
        { id: "id", header: "Id", cell: (event) => event.EventId, sortingField: "EventId" },
        {
          id: "type",
          header: "Event",
          cell: (event) => event.EventType,
          sortingField: "EventType",
          isRowHeader: true,
        },
        {
          id: "name",
          header: "Operation",
          cell: (event) => event.Name ?? "-",
          sortingField: "Name",
        },
        {
          id: "time",
          header: "Time",
          cell: (event) => <Instant atMs={toMs(event.EventTimestamp)} isClock />,
          sortingField: "EventTimestamp",
        },
        { id: "details", header: "Details", cell: (event) => <Details event={event} /> },
      ]}
      filter={
        <TextFilter
          {...filterProps}
          filteringPlaceholder="Find by event, name or operation id"
          filteringAriaLabel="Find events"
        />
      }
      pagination={<Pagination {...paginationProps} ariaLabels={PAGES} />}
    />
  );
}

function Details({ event }: { event: HistoryEvent }) {
  const error = errorOf(event);
  if (error?.ErrorType || error?.ErrorMessage) {
    return (
      <Box color="text-status-error">
        {brief([error.ErrorType, error.ErrorMessage].filter(Boolean).join(": "), 200)}
      </Box>
    );
  }
  return <Box color="text-body-secondary">{detailsOf(event)}</Box>;
}

function detailsOf(event: HistoryEvent): string {
  const result = resultOf(event)?.Payload;
  const retry = (event.StepSucceededDetails ?? event.StepFailedDetails)?.RetryDetails;
  const parts: string[] = [];
  if (event.WaitStartedDetails?.Duration) {
    parts.push(`waits ${span(event.WaitStartedDetails.Duration * 1_000)}`);
  }
  if (event.InvocationCompletedDetails) {
    const { StartTimestamp, EndTimestamp, RequestId } = event.InvocationCompletedDetails;
    parts.push(`${span(toMs(EndTimestamp - StartTimestamp))}, request ${RequestId}`);
  }
  if (event.ChainedInvokeStartedDetails?.FunctionName) {
    parts.push(`invokes ${event.ChainedInvokeStartedDetails.FunctionName}`);
  }
  const input = event.ExecutionStartedDetails?.Input?.Payload;
  if (input) parts.push(`input ${brief(input, 120)}`);
  if (retry?.CurrentAttempt && retry.CurrentAttempt > 1) {
    parts.push(`attempt ${retry.CurrentAttempt}`);
  }
  if (retry?.NextAttemptDelaySeconds) parts.push(`again in ${retry.NextAttemptDelaySeconds} s`);
  if (result) parts.push(briefPayload(result, 160));
  return parts.join("; ");
}
