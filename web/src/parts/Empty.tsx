import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ReactNode } from "react";
import { Snippet } from "./Snippet";

interface Props {
  readonly title: string;
  readonly children?: ReactNode;
  /** A command that would fill this place. */
  readonly command?: string;
  readonly action?: ReactNode;
}

/** An empty place, and how to fill it. */
export function Empty({ title, children, command, action }: Props) {
  return (
    <Box textAlign="center" color="inherit" padding={{ vertical: "l" }}>
      <SpaceBetween size="s">
        <b>{title}</b>
        {children && (
          <Box variant="p" color="text-body-secondary">
            {children}
          </Box>
        )}
        {command && <Snippet text={command} />}
        {action}
      </SpaceBetween>
    </Box>
  );
}
