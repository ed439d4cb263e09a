import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Spinner from "@cloudscape-design/components/spinner";
import { type ReactNode, Suspense } from "react";
import { Redirect, Route, Router, Switch, useLocation } from "wouter";
import { useGuardedLocation } from "../state/guard";
import { BASE, places } from "../state/places";
import { SessionContext, startSession } from "../state/session";
import { useResource } from "../state/useResource";
import { Boundary } from "./Boundary";
import { DepartureModal } from "./DepartureModal";
import { Frame } from "./Frame";
import { lazyPage } from "./lazyPage";
import { NotFoundPage } from "./NotFoundPage";

const FunctionsPage = lazyPage(() => import("../functions/FunctionsPage"));
const CreateFunctionPage = lazyPage(() => import("../functions/CreateFunctionPage"));
const FunctionPage = lazyPage(() => import("../functions/FunctionPage"));
const ExecutionsPage = lazyPage(() => import("../executions/ExecutionsPage"));
const ExecutionPage = lazyPage(() => import("../execution/ExecutionPage"));
const CallbacksPage = lazyPage(() => import("../callbacks/CallbacksPage"));
const OperationsPage = lazyPage(() => import("../operations/OperationsPage"));

const waiting = (
  <Box textAlign="center" padding="xxl">
    <Spinner size="large" />
    <span className="visually-hidden">Loading</span>
  </Box>
);

/** The whole page: first the session, then the place that the address names. */
export function App() {
  const session = useResource(() => startSession(), []);
  if (session.error && !session.data) {
    return (
      <Box padding="xxl">
        <Alert
          type="error"
          header="The console cannot reach its server"
          action={<Button onClick={session.reload}>Try again</Button>}
        >
          {session.error.message}
        </Alert>
      </Box>
    );
  }
  if (!session.data) return waiting;
  return (
    <SessionContext value={session.data}>
      <Router base={BASE} hook={useGuardedLocation}>
        <Frame>
          <Guarded>
            <Switch>
              <Route path="/">
                <Redirect to={places.functions} replace />
              </Route>
              <Route path="/functions" component={FunctionsPage} />
              <Route path="/functions/create" component={CreateFunctionPage} />
              <Route path="/functions/:name/:tab?">
                {({ name, tab }) => (
                  <FunctionPage key={name} name={decodeURIComponent(name)} tab={tab ?? "code"} />
                )}
              </Route>
              <Route path="/executions" component={ExecutionsPage} />
              <Route path="/executions/*">
                {(parts) => {
                  const arn = decodeURIComponent(parts["*"] ?? "");
                  return <ExecutionPage key={arn} arn={arn} />;
                }}
              </Route>
              <Route path="/callbacks" component={CallbacksPage} />
              <Route path="/operations" component={OperationsPage} />
              <Route component={NotFoundPage} />
            </Switch>
          </Guarded>
        </Frame>
        <DepartureModal />
      </Router>
    </SessionContext>
  );
}

function Guarded({ children }: { children: ReactNode }) {
  const [location] = useLocation();
  return (
    <Boundary place={location}>
      <Suspense fallback={waiting}>{children}</Suspense>
    </Boundary>
  );
}
