import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import { Component, type ReactNode } from "react";

interface Props {
  /** Another one starts anew: the address. */
  readonly place: string;
  readonly children: ReactNode;
}

interface State {
  readonly error: Error | null;
  readonly place: string;
}

/** Keeps a fault of one page from taking the others with it. */
export class Boundary extends Component<Props, State> {
  override state: State = { error: null, place: this.props.place };

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  static getDerivedStateFromProps(props: Props, state: State): Partial<State> | null {
    return props.place === state.place ? null : { error: null, place: props.place };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <Box padding="l">
        <Alert
          type="error"
          header="This page has stopped"
          action={<Button onClick={() => window.location.reload()}>Load it again</Button>}
        >
          {error.message}. What runs on the server is not touched by this. After an update of the
          server, loading the page again is all that is needed.
        </Alert>
      </Box>
    );
  }
}
