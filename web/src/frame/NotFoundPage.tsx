import Box from "@cloudscape-design/components/box";
import { Goto } from "../parts/Goto";
import { Page } from "../parts/Page";
import { places } from "../state/places";

export function NotFoundPage() {
  return (
    <Page title="There is no such page" crumbs={[]}>
      <Box>
        The address names nothing here. Go to the <Goto place={places.functions}>functions</Goto> or
        the <Goto place={places.executions}>executions</Goto>.
      </Box>
    </Page>
  );
}
