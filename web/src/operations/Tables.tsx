import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import type { NodeLine, WorkerLine } from "../api/shapes";
import { Empty } from "../parts/Empty";
import { Goto } from "../parts/Goto";
import { Instant } from "../parts/Instant";
import { places } from "../state/places";
import { bytes, count } from "../text/sizes";
import { relative, span } from "../text/spans";

/** The nodes that share the database. */
export function NodesTable({ nodes, nowMs }: { nodes: readonly NodeLine[]; nowMs: number }) {
  return (
    <Table
      items={[...nodes]}
      trackBy="id"
      ariaLabels={{ tableLabel: "Nodes" }}
      header={
        <Header variant="h2" counter={`(${nodes.length})`}>
          Nodes
        </Header>
      }
      empty={<Empty title="No node has reported yet" />}
      columnDefinitions={[
        {
          id: "id",
          header: "Node",
          isRowHeader: true,
          cell: (one) => `${one.id}${one.is_self ? " (this one)" : ""}`,
        },
        { id: "address", header: "Address", cell: (one) => one.address ?? "-" },
        { id: "version", header: "Version", cell: (one) => one.version },
        {
          id: "running",
          header: "Running",
          cell: (one) => `${count(one.running)} of ${count(one.capacity)}`,
        },
        { id: "started", header: "Started", cell: (one) => <Instant atMs={one.started_at_ms} /> },
        { id: "seen", header: "Last seen", cell: (one) => relative(one.last_seen_at_ms, nowMs) },
      ]}
    />
  );
}

/** The processes that run functions. */
export function WorkersTable({ workers }: { workers: readonly WorkerLine[] }) {
  return (
    <Table
      items={[...workers]}
      trackBy="id"
      ariaLabels={{ tableLabel: "Workers" }}
      header={
        <Header
          variant="h2"
          counter={`(${workers.length})`}
          description="One process of one function version each; started when needed, ended when idle."
        >
          Workers
        </Header>
      }
      empty={
        <Empty title="No worker runs">
          One starts with the next invocation, and stays a while for those that follow.
        </Empty>
      }
      columnDefinitions={[
        {
          id: "function",
          header: "Function",
          isRowHeader: true,
          cell: (one) => (
            <>
              <Goto place={places.function(one.function)}>{one.function}</Goto>:{one.version}
            </>
          ),
        },
        { id: "state", header: "State", cell: (one) => one.state },
        { id: "runtime", header: "Runtime", cell: (one) => one.runtime },
        { id: "pid", header: "Process", cell: (one) => one.pid ?? "-" },
        { id: "runs", header: "Runs", cell: (one) => count(one.runs) },
        { id: "kept", header: "Kept handlers", cell: (one) => count(one.kept_handlers) },
        {
          id: "memory",
          header: "Memory",
          cell: (one) => (one.memory_bytes === null ? "-" : bytes(one.memory_bytes)),
        },
        { id: "started", header: "Started", cell: (one) => <Instant atMs={one.started_at_ms} /> },
        {
          id: "idle",
          header: "Idle for",
          cell: (one) => (one.idle_ms === null ? "-" : span(one.idle_ms)),
        },
      ]}
    />
  );
}
