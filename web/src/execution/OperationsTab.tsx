import { useCollection } from "@cloudscape-design/collection-hooks";
import Pagination from "@cloudscape-design/components/pagination";
import Table from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useMemo } from "react";
import { Empty } from "../parts/Empty";
import { Instant } from "../parts/Instant";
import { Status } from "../parts/Status";
import { counted } from "../text/sizes";
import { span } from "../text/spans";
import type { History, Operation } from "./timeline/fold";
import { typeText } from "./timeline/words";

interface Props {
  readonly history: History;
  readonly revision: number;
  readonly nowMs: number;
  readonly selectedId: string;
  readonly onSelect: (operationId: string) => void;
}

const PAGE_SIZE = 50;

/** The operations as a table: sortable, searchable. */
export function OperationsTab({ history, revision, nowMs, selectedId, onSelect }: Props) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: `history` changes in place; `revision` says when.
  const all = useMemo(() => [...history.operations.values()], [history, revision]);
  const lasted = (one: Operation): number => (one.endMs ?? nowMs) - one.startMs;
  const { items, filterProps, collectionProps, paginationProps, filteredItemsCount } =
    useCollection(all, {
      filtering: {
        filteringFunction: (one, text) =>
          `${one.name} ${typeText(one)} ${one.status}`.toLowerCase().includes(text.toLowerCase()),
        empty: <Empty title="No operation yet">It appears with its first checkpoint.</Empty>,
        noMatch: <Empty title="No operation matches">Try another text.</Empty>,
      },
      pagination: { pageSize: PAGE_SIZE },
      sorting: {},
      selection: { trackBy: "id" },
    });
  return (
    <Table
      {...collectionProps}
      variant="borderless"
      items={items}
      trackBy="id"
      selectionType="single"
      selectedItems={all.filter((one) => one.id === selectedId)}
      onSelectionChange={({ detail }) => {
        const chosen = detail.selectedItems[0];
        if (chosen) onSelect(chosen.id);
      }}
      ariaLabels={{
        tableLabel: "Operations",
        selectionGroupLabel: "Operation to show",
        itemSelectionLabel: (_, one) => `Show ${one.name || typeText(one)}`,
      }}
      stickyHeader
      columnDefinitions={[
        {
          id: "name",
          header: "Name",
          cell: (one) => one.name || "-",
          sortingField: "name",
          isRowHeader: true,
        },
        {
          id: "type",
          header: "Type",
          cell: (one) => typeText(one),
          sortingField: "type",
        },
        {
          id: "status",
          header: "Status",
          cell: (one) => <Status status={one.status} />,
          sortingField: "status",
        },
        { id: "attempts", header: "Attempts", cell: (one) => one.attempts.length || "-" },
        {
          id: "start",
          header: "Started",
          cell: (one) => <Instant atMs={one.startMs} isClock />,
          sortingField: "startMs",
        },
        {
          id: "lasted",
          header: "Duration",
          cell: (one) => span(lasted(one)),
          sortingComparator: (a, b) => lasted(a) - lasted(b),
        },
      ]}
      filter={
        <TextFilter
          {...filterProps}
          filteringPlaceholder="Find by name, type or status"
          filteringAriaLabel="Find operations"
          countText={counted(filteredItemsCount ?? 0, "match").replace("matchs", "matches")}
        />
      }
      pagination={<Pagination {...paginationProps} ariaLabels={PAGES} />}
    />
  );
}

export const PAGES = {
  nextPageLabel: "Next page",
  previousPageLabel: "Previous page",
  pageLabel: (page: number) => `Page ${page}`,
  paginationLabel: "Pages",
};
