import "./json.css";
import * as tokens from "@cloudscape-design/design-tokens";
import { type CSSProperties, useState } from "react";
import { type Json, membersOf } from "../text/payloads";
import { count, counted } from "../text/sizes";

const OPEN_DEPTH = 2;
const MEMBERS_STEP = 100;
const STRING_MAX = 2_000;

const COLOURS = {
  "--json-key": tokens.colorTextLinkDefault,
  "--json-string": tokens.colorTextStatusSuccess,
  "--json-other": tokens.colorTextStatusWarning,
  "--json-quiet": tokens.colorTextBodySecondary,
} as CSSProperties;

/** A JSON value as a tree that opens and closes; all of it text. */
export function JsonView({ value, label }: { value: Json; label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it.
    <section className="json" style={COLOURS} aria-label={label} tabIndex={0}>
      <ul>
        <JsonNode name={null} value={value} depth={0} />
      </ul>
    </section>
  );
}

function JsonNode({ name, value, depth }: { name: string | null; value: Json; depth: number }) {
  const members = membersOf(value);
  const [isOpen, setOpen] = useState(depth < OPEN_DEPTH);
  const [shownMax, setShownMax] = useState(MEMBERS_STEP);
  const key = name === null ? null : <span className="key">{name}: </span>;
  if (members === null) {
    return (
      <li>
        {key}
        <JsonScalar value={value} />
      </li>
    );
  }
  const isList = Array.isArray(value);
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  if (members.length === 0) {
    return (
      <li>
        {key}
        {open + close}
      </li>
    );
  }
  return (
    <li>
      <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? "▾" : "▸"} <span className="visually-hidden">{name ?? "value"}</span>
      </button>
      {key}
      {open}
      {isOpen ? (
        <>
          <ul>
            {members.slice(0, shownMax).map(([memberName, member]) => (
              <JsonNode key={memberName} name={memberName} value={member} depth={depth + 1} />
            ))}
            {members.length > shownMax && (
              <li>
                <button
                  type="button"
                  className="more"
                  onClick={() => setShownMax(shownMax + MEMBERS_STEP * 10)}
                >
                  Show more ({count(members.length - shownMax)} left)
                </button>
              </li>
            )}
          </ul>
          {close}
        </>
      ) : (
        <span className="quiet">
          {" "}
          {counted(members.length, isList ? "item" : "member")} {close}
        </span>
      )}
    </li>
  );
}

function JsonScalar({ value }: { value: Json }) {
  const [isWhole, setWhole] = useState(false);
  if (typeof value !== "string") return <span className="other">{String(value)}</span>;
  const isCut = !isWhole && value.length > STRING_MAX;
  const text = isCut ? value.slice(0, STRING_MAX) : value;
  return (
    <>
      <span className="string">{JSON.stringify(text)}</span>
      {isCut && (
        <button type="button" className="more" onClick={() => setWhole(true)}>
          Show all {count(value.length)} characters
        </button>
      )}
    </>
  );
}
