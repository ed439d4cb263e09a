/** What the server said first: where we are, and the token that changes need. */

import { createContext, useContext } from "react";
import { getSession } from "../api/console";
import { adoptToken } from "../api/request";
import type { Session } from "../api/shapes";
import { setServerNow } from "./useNow";

export const SessionContext = createContext<Session | null>(null);

/** Returns the session; it is there before any page is. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("a page stands outside the session");
  return session;
}

/** Asks for the session, and takes its token. */
export async function startSession(): Promise<Session> {
  const session = await getSession();
  setServerNow(session.now_ms);
  adoptToken(session.token, async () => (await getSession()).token);
  return session;
}
