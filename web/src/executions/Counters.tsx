import "./counters.css";
import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Link from "@cloudscape-design/components/link";
import type { Counts } from "../api/shapes";
import { statusText } from "../parts/Status";
import { href, places } from "../state/places";
import { count } from "../text/sizes";
import { STATUSES } from "./filters";

interface Props {
  readonly counts: Counts | undefined;
  readonly onChoose: (status: string) => void;
}

/** How many executions there are in each status, live; each leads to its list. */
export function Counters({ counts, onChoose }: Props) {
  return (
    <Container>
      <dl className="counters">
        {STATUSES.map((status) => {
          const number = counts?.by_status[status] ?? 0;
          return (
            <div key={status}>
              <dt>
                <Box variant="awsui-key-label">{statusText(status)}</Box>
              </dt>
              <dd>
                <Link
                  variant="awsui-value-large"
                  href={href(`${places.executions}?status=${status}`)}
                  ariaLabel={`${number} ${statusText(status)}: show them`}
                  onFollow={(event) => {
                    event.preventDefault();
                    onChoose(status);
                  }}
                >
                  <span data-count={status}>
                    {counts ? count(number) : "-"}
                    {counts?.is_capped ? "+" : ""}
                  </span>
                </Link>
              </dd>
            </div>
          );
        })}
      </dl>
    </Container>
  );
}
