import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback, useEffect, useRef, useState } from "react";
import { useSearchParams } from "wouter";
import { getCounts, listFunctions } from "../api/console";
import type { Counts } from "../api/shapes";
import { Page } from "../parts/Page";
import { places } from "../state/places";
import { useResource } from "../state/useResource";
import { useStream } from "../state/useStream";
import { Counters } from "./Counters";
import { ExecutionsTable } from "./ExecutionsTable";
import { type Filters, fromSearch, NO_FILTERS, toSearch } from "./filters";

const REFRESH_MS = 2_000;

/** All executions, of all functions. */
export default function ExecutionsPage() {
  const [search, setSearch] = useSearchParams();
  const filters = fromSearch(search);
  const functions = useResource((signal) => listFunctions(signal), []);
  const { counts, round } = useLiveCounts();
  const change = useCallback(
    (next: Filters) =>
      setSearch((before) => {
        const after = new URLSearchParams(before);
        for (const [name, value] of Object.entries(toSearch(next))) {
          if (value) after.set(name, value);
          else after.delete(name);
        }
        return after;
      }),
    [setSearch],
  );
  return (
    <Page
      title="Executions"
      crumbs={[{ text: "Executions", place: places.executions }]}
      description="Every durable execution of every function, live. The address holds the filters: keep it or send it."
      contentType="table"
      actions={
        <Button onClick={() => change(NO_FILTERS)} disabled={isEmpty(filters)}>
          Show all
        </Button>
      }
    >
      <SpaceBetween size="l">
        <Counters
          counts={counts}
          onChoose={(status) => change({ ...NO_FILTERS, statuses: [status] })}
        />
        <ExecutionsTable
          filters={filters}
          onFilters={change}
          functionNames={(functions.data ?? []).map((one) => one.name)}
          round={round}
        />
      </SpaceBetween>
    </Page>
  );
}

/** Returns the counts as they change, and a number that grows when the list should be read again. */
function useLiveCounts(): { counts: Counts | undefined; round: number } {
  const first = useResource((signal) => getCounts(signal), []);
  const [counts, setCounts] = useState<Counts>();
  const [round, setRound] = useState(0);
  const timer = useRef(0);
  useStream(
    "/console/api/stream/overview",
    {},
    {
      counts: (data) => {
        setCounts(data as Counts);
        if (timer.current !== 0) return;
        timer.current = window.setTimeout(() => {
          timer.current = 0;
          setRound((value) => value + 1);
        }, REFRESH_MS);
      },
    },
  );
  useEffect(
    () => () => {
      window.clearTimeout(timer.current);
      timer.current = 0;
    },
    [],
  );
  return { counts: counts ?? first.data, round };
}

function isEmpty(filters: Filters): boolean {
  return Object.values(toSearch(filters)).every((value) => value === "");
}
