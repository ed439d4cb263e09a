/** The addresses of the console's pages, and how to get there. */

import { useCallback } from "react";
import { useLocation, useSearchParams } from "wouter";

export const BASE = "/console";

export const places = {
  functions: "/functions",
  createFunction: "/functions/create",
  function: (name: string, tab = "code"): string =>
    `/functions/${encodeURIComponent(name)}${tab === "code" ? "" : `/${tab}`}`,
  executions: "/executions",
  execution: (arn: string): string => `/executions/${arn}`,
  callbacks: "/callbacks",
  operations: "/operations",
} as const;

/** Returns the address to put in a link, with the base. */
export const href = (place: string): string => `${BASE}${place}`;

/** Returns one member of the address's query, and how to change it; the default is left out. */
export function useQueryState(name: string, byDefault: string): [string, (value: string) => void] {
  const [search, setSearch] = useSearchParams();
  const set = useCallback(
    (value: string) => {
      setSearch(
        (previous) => {
          const next = new URLSearchParams(previous);
          if (value === byDefault) next.delete(name);
          else next.set(name, value);
          return next;
        },
        { replace: true },
      );
    },
    [name, byDefault, setSearch],
  );
  return [search.get(name) ?? byDefault, set];
}

/** Returns what goes to a place. */
export function useGo(): (place: string) => void {
  const [, navigate] = useLocation();
  return navigate;
}
