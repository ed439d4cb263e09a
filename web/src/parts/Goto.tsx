import Link, { type LinkProps } from "@cloudscape-design/components/link";
import type { ReactNode } from "react";
import { href, useGo } from "../state/places";

interface Props {
  readonly place: string;
  readonly children: ReactNode;
  readonly variant?: LinkProps.Variant;
  readonly color?: LinkProps.Color;
  readonly fontSize?: LinkProps.FontSize;
  readonly ariaLabel?: string;
}

/** A link to another place in the console; with a modifier key it opens as any link does. */
export function Goto({ place, children, ...rest }: Props) {
  const go = useGo();
  return (
    <Link
      {...rest}
      href={href(place)}
      onFollow={(event) => {
        event.preventDefault();
        go(place);
      }}
    >
      {children}
    </Link>
  );
}
