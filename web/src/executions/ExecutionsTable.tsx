import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import { useEffect, useState } from "react";
import type { ExecutionLine } from "../api/shapes";
import { type Action, VERBS } from "../execution/lifecycle";
import { PAGES } from "../execution/OperationsTab";
import { Empty } from "../parts/Empty";
import { Goto } from "../parts/Goto";
import { Instant } from "../parts/Instant";
import { LoadError } from "../parts/LoadError";
import { Status } from "../parts/Status";
import { places, useQueryState } from "../state/places";
import { useNow } from "../state/useNow";
import { span } from "../text/spans";
import { BulkModal } from "./BulkModal";
import { ExecutionFilter } from "./ExecutionFilter";
import { type Filters, NO_FILTERS, toSearch } from "./filters";
import { usePages } from "./usePages";

const PAGE_SIZE = 50;
const ACTIONS: readonly Action[] = ["stop", "pause", "resume", "delete"];

interface Props {
  readonly filters: Filters;
  readonly onFilters: (filters: Filters) => void;
  readonly functionNames: readonly string[];
  /** Grows when something has happened: the page is read again. */
  readonly round: number;
  /** The list stands on a function's own page. */
  readonly isOfOneFunction?: boolean;
}

/** The list of executions: filters, order, pages, and what can be done to many. */
export function ExecutionsTable(props: Props) {
  const { filters, onFilters, functionNames, round, isOfOneFunction = false } = props;
  const [order, setOrder] = useQueryState("order", "newest");
  const newestFirst = order !== "oldest";
  const pages = usePages(filters, PAGE_SIZE, newestFirst);
  const [selected, setSelected] = useState<readonly ExecutionLine[]>([]);
  const [asked, setAsked] = useState<Action | null>(null);
  const nowMs = useNow(1_000);
  const { refresh } = pages;
  useEffect(() => {
    if (round > 0) refresh();
  }, [round, refresh]);
  const isFiltered = Object.values(toSearch(filters)).some((value) => value !== "");
  const columns = columnsOf(nowMs).filter((one) => !isOfOneFunction || one.id !== "function");

  return (
    <>
      <LoadError what="the executions" error={pages.error} onRetry={refresh} />
      <Table
        variant={isOfOneFunction ? "borderless" : "container"}
        stickyHeader
        columnDefinitions={columns}
        items={[...pages.lines]}
        trackBy="arn"
        loading={pages.isLoading && pages.lines.length === 0}
        loadingText="Reading the executions"
        selectionType="multi"
        selectedItems={[...selected]}
        onSelectionChange={({ detail }) => setSelected(detail.selectedItems)}
        sortingColumn={{ sortingField: "started_at_ms" }}
        sortingDescending={newestFirst}
        onSortingChange={({ detail }) => setOrder(detail.isDescending ? "newest" : "oldest")}
        ariaLabels={{
          tableLabel: "Executions",
          selectionGroupLabel: "Executions to change",
          allItemsSelectionLabel: () => "Select all on this page",
          itemSelectionLabel: (_, one) => `Select ${one.name}`,
        }}
        header={
          <Header
            variant="h2"
            counter={selected.length > 0 ? `(${selected.length}/${pages.lines.length})` : undefined}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button
                  iconName="refresh"
                  ariaLabel="Read the executions again"
                  onClick={refresh}
                />
                <ButtonDropdown
                  items={ACTIONS.map((action) => ({ id: action, text: VERBS[action] }))}
                  onItemClick={({ detail }) => setAsked(detail.id as Action)}
                >
                  Actions
                </ButtonDropdown>
              </SpaceBetween>
            }
          >
            {isFiltered ? "Executions that match" : "All executions"}
          </Header>
        }
        filter={
          <ExecutionFilter
            filters={filters}
            functionNames={functionNames}
            countText={isFiltered ? matches(pages.lines.length, pages.isAllKnown) : ""}
            onChange={onFilters}
          />
        }
        pagination={
          <Pagination
            currentPageIndex={pages.index + 1}
            pagesCount={pages.count}
            openEnd={!pages.isAllKnown}
            onChange={({ detail }) => pages.go(detail.currentPageIndex - 1)}
            ariaLabels={PAGES}
          />
        }
        empty={
          isFiltered ? (
            <Empty
              title="No execution matches"
              action={<Button onClick={() => onFilters(NO_FILTERS)}>Clear filters</Button>}
            >
              Free text looks into inputs and results; a name is found by its beginning.
            </Empty>
          ) : (
            <Empty
              title="No executions yet"
              command={`perdure invoke ${functionNames[0] ?? "hello"} '{"name": "Ada"}'`}
            >
              An execution starts when a durable function is invoked: here by its Test tab, or from
              a terminal.
            </Empty>
          )
        }
      />
      {asked && (
        <BulkModal
          action={asked}
          selected={selected}
          filters={filters}
          onDone={() => {
            setSelected([]);
            refresh();
          }}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}

function matches(count: number, isAllKnown: boolean): string {
  return `${count}${isAllKnown ? "" : "+"} on this page`;
}

function columnsOf(nowMs: number): TableProps.ColumnDefinition<ExecutionLine>[] {
  return [
    {
      id: "name",
      header: "Name",
      isRowHeader: true,
      cell: (one) => <Goto place={places.execution(one.arn)}>{one.name}</Goto>,
    },
    {
      id: "status",
      header: "Status",
      cell: (one) => <Status status={one.is_paused ? "PAUSED" : one.status} />,
    },
    {
      id: "function",
      header: "Function",
      cell: (one) => <Goto place={places.function(one.function_name)}>{one.function_name}</Goto>,
    },
    { id: "version", header: "Version", cell: (one) => one.version },
    {
      id: "started",
      header: "Started",
      sortingField: "started_at_ms",
      cell: (one) => <Instant atMs={one.started_at_ms} />,
    },
    {
      id: "lasted",
      header: "Duration",
      cell: (one) =>
        span((one.ended_at_ms ?? Math.max(nowMs, one.started_at_ms)) - one.started_at_ms),
    },
    {
      id: "waits",
      header: "Waits for",
      cell: (one) => one.waits_for ?? <Box color="text-body-secondary">-</Box>,
    },
  ];
}
