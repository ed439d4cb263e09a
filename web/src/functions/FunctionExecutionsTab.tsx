import { useState } from "react";
import { ExecutionsTable } from "../executions/ExecutionsTable";
import { NO_FILTERS } from "../executions/filters";
import { useStream } from "../state/useStream";

/** The executions of one function. */
export function FunctionExecutionsTab({ name }: { name: string }) {
  const [filters, setFilters] = useState({ ...NO_FILTERS, functionName: name });
  const [round, setRound] = useState(0);
  useStream("/console/api/stream/overview", {}, { counts: () => setRound((value) => value + 1) });
  return (
    <ExecutionsTable
      filters={filters}
      onFilters={(next) => setFilters({ ...next, functionName: name })}
      functionNames={[name]}
      round={round}
      isOfOneFunction
    />
  );
}
