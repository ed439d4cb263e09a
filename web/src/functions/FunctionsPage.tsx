import { useCollection } from "@cloudscape-design/collection-hooks";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { listFunctions } from "../api/console";
import type { FunctionLine } from "../api/shapes";
import { PAGES } from "../execution/OperationsTab";
import { Empty } from "../parts/Empty";
import { Goto } from "../parts/Goto";
import { Instant } from "../parts/Instant";
import { LoadError } from "../parts/LoadError";
import { Page } from "../parts/Page";
import { Status } from "../parts/Status";
import { places, useGo } from "../state/places";
import { useResource } from "../state/useResource";
import { bytes } from "../text/sizes";
import { errorPercent, total } from "./rates";

const EVERY_MS = 4_000;
const PAGE_SIZE = 50;

const COLUMNS: TableProps.ColumnDefinition<FunctionLine>[] = [
  {
    id: "name",
    header: "Function name",
    sortingField: "name",
    isRowHeader: true,
    cell: (one) => <Goto place={places.function(one.name)}>{one.name}</Goto>,
  },
  {
    id: "state",
    header: "State",
    sortingField: "state",
    cell: (one) => <Status status={one.state} />,
  },
  { id: "runtime", header: "Runtime", sortingField: "runtime", cell: (one) => one.runtime ?? "-" },
  { id: "durable", header: "Durable", cell: (one) => (one.is_durable ? "Yes" : "No") },
  {
    id: "last",
    header: "Last execution",
    cell: (one) =>
      one.last_execution ? (
        <Goto place={places.execution(one.last_execution.arn)}>
          <Status status={one.last_execution.status} />{" "}
          <Instant atMs={one.last_execution.started_at_ms} />
        </Goto>
      ) : (
        <Box color="text-body-secondary">None yet</Box>
      ),
  },
  {
    id: "errors",
    header: "Error rate",
    sortingComparator: (a, b) => (errorPercent(a.recent) ?? -1) - (errorPercent(b.recent) ?? -1),
    cell: (one) => {
      const percent = errorPercent(one.recent);
      if (percent === null) return <Box color="text-body-secondary">-</Box>;
      return (
        <Box color={percent > 0 ? "text-status-error" : "inherit"}>
          <span title={`of the last ${total(one.recent)} executions`}>
            {percent.toFixed(percent > 0 && percent < 10 ? 1 : 0)} %
          </span>
        </Box>
      );
    },
  },
  {
    id: "size",
    header: "Code size",
    sortingField: "code_size",
    cell: (one) => (one.code_size === null ? "-" : bytes(one.code_size)),
  },
  {
    id: "modified",
    header: "Last modified",
    sortingField: "last_modified",
    cell: (one) => <Instant atMs={one.last_modified ? Date.parse(one.last_modified) : null} />,
  },
];

/** The functions, and how they do. */
export default function FunctionsPage() {
  const functions = useResource((signal) => listFunctions(signal), [], EVERY_MS);
  const go = useGo();
  const { items, filterProps, collectionProps, paginationProps, filteredItemsCount } =
    useCollection(functions.data ?? [], {
      filtering: {
        fields: ["name", "runtime", "state", "description"],
        noMatch: <Empty title="No function matches">Try another text.</Empty>,
        empty: (
          <Empty
            title="No functions yet"
            command="perdure deploy hello.py"
            action={
              <Button variant="primary" onClick={() => go(places.createFunction)}>
                Create function
              </Button>
            }
          >
            Create one here from a template, or deploy a file with a handler from a terminal.
          </Empty>
        ),
      },
      sorting: { defaultState: { sortingColumn: COLUMNS[0] ?? {} } },
      pagination: { pageSize: PAGE_SIZE },
    });
  return (
    <Page
      title="Functions"
      crumbs={[{ text: "Functions", place: places.functions }]}
      contentType="table"
      isBare
    >
      <SpaceBetween size="m">
        <LoadError what="the functions" error={functions.error} onRetry={functions.reload} />
        <Table
          {...collectionProps}
          variant="full-page"
          stickyHeader
          items={items}
          trackBy="name"
          columnDefinitions={COLUMNS}
          loading={functions.isLoading && !functions.data}
          loadingText="Reading the functions"
          ariaLabels={{ tableLabel: "Functions" }}
          header={
            <Header
              variant="awsui-h1-sticky"
              counter={functions.data && `(${functions.data.length})`}
              actions={
                <SpaceBetween direction="horizontal" size="xs">
                  <Button
                    iconName="refresh"
                    ariaLabel="Read the functions again"
                    onClick={functions.reload}
                  />
                  <Button variant="primary" onClick={() => go(places.createFunction)}>
                    Create function
                  </Button>
                </SpaceBetween>
              }
            >
              Functions
            </Header>
          }
          filter={
            <TextFilter
              {...filterProps}
              filteringPlaceholder="Find functions"
              filteringAriaLabel="Find functions"
              countText={`${filteredItemsCount ?? 0} found`}
            />
          }
          pagination={<Pagination {...paginationProps} ariaLabels={PAGES} />}
        />
      </SpaceBetween>
    </Page>
  );
}
