import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import { json } from "@codemirror/lang-json";
import { python } from "@codemirror/lang-python";
import {
  bracketMatching,
  defaultHighlightStyle,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import { useIsDark } from "../state/preferences";

interface Props {
  /** Another one starts anew: another file. */
  readonly path: string;
  readonly text: string;
  readonly label: string;
  readonly minHeight?: string;
  readonly maxHeight?: string;
  readonly isReadOnly?: boolean;
  readonly onChange: (text: string) => void;
  /** Ctrl+S. */
  readonly onSave?: () => void;
}

/** A text editor with highlighting for what functions are written in. Escape, then Tab leaves it. */
export default function CodeEditor(props: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const look = useRef(new Compartment());
  const latest = useRef(props);
  latest.current = props;
  const isDark = useIsDark();
  const { path, label, isReadOnly = false, minHeight = "360px", maxHeight = "60vh" } = props;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the text and the look are followed below.
  useEffect(() => {
    if (!host.current) return;
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: latest.current.text,
        extensions: [
          basics,
          languageOf(path),
          look.current.of(theme(isDark)),
          sizes(minHeight, maxHeight),
          EditorState.readOnly.of(isReadOnly),
          EditorView.contentAttributes.of({ "aria-label": label }),
          EditorView.cspNonce.of(nonce()),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
          }),
          keymap.of([
            {
              key: "Mod-s",
              preventDefault: true,
              run: () => {
                latest.current.onSave?.();
                return true;
              },
            },
          ]),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [path, label, isReadOnly, minHeight, maxHeight]);

  useEffect(() => {
    view.current?.dispatch({ effects: look.current.reconfigure(theme(isDark)) });
  }, [isDark]);

  useEffect(() => {
    const editor = view.current;
    const current = editor?.state.doc.toString();
    if (!editor || current === undefined || current === props.text) return;
    editor.dispatch({ changes: { from: 0, to: current.length, insert: props.text } });
  }, [props.text]);

  return <div ref={host} />;
}

const basics: Extension = [
  lineNumbers(),
  foldGutter(),
  history(),
  drawSelection(),
  indentOnInput(),
  indentUnit.of("    "),
  bracketMatching(),
  closeBrackets(),
  autocompletion(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  highlightSelectionMatches(),
  EditorView.lineWrapping,
  keymap.of([
    ...closeBracketsKeymap,
    ...defaultKeymap,
    ...searchKeymap,
    ...historyKeymap,
    ...foldKeymap,
    ...completionKeymap,
    indentWithTab,
  ]),
];

function languageOf(path: string): Extension {
  const ending = path.slice(path.lastIndexOf(".") + 1);
  if (["js", "mjs", "cjs", "jsx", "ts", "mts", "tsx"].includes(ending)) {
    return [javascript({ typescript: ending.includes("ts"), jsx: true }), indentUnit.of("  ")];
  }
  if (ending === "py") return python();
  if (ending === "json") return [json(), indentUnit.of("  ")];
  return [];
}

function sizes(minHeight: string, maxHeight: string): Extension {
  return EditorView.theme({
    "&": { maxHeight, fontSize: "13px" },
    ".cm-scroller": { overflow: "auto", fontFamily: "Menlo, Consolas, 'Courier New', monospace" },
    ".cm-content, .cm-gutter": { minHeight },
  });
}

function theme(isDark: boolean): Extension {
  const [ground, text, quiet, line, choice] = isDark
    ? ["#161d26", "#ebebf0", "#a4a4ad", "#1d2733", "#33475e"]
    : ["#ffffff", "#0f141a", "#656871", "#f3f6fa", "#cfe4fb"];
  return [
    EditorView.theme(
      {
        "&": { backgroundColor: ground, color: text },
        ".cm-content": { caretColor: text },
        ".cm-cursor": { borderLeftColor: text },
        ".cm-gutters": { backgroundColor: ground, color: quiet, border: "none" },
        ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: line },
        ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground":
          { backgroundColor: choice },
      },
      { dark: isDark },
    ),
    syntaxHighlighting(isDark ? darkHighlight : lightHighlight),
    syntaxHighlighting(defaultHighlightStyle, { fallback: true }),
  ];
}

const highlight = (
  keyword: string,
  string: string,
  comment: string,
  name: string,
  number: string,
) =>
  HighlightStyle.define([
    { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: keyword },
    { tag: [tags.string, tags.special(tags.string), tags.regexp], color: string },
    { tag: [tags.comment, tags.meta], color: comment, fontStyle: "italic" },
    { tag: [tags.function(tags.variableName), tags.definition(tags.variableName)], color: name },
    { tag: [tags.propertyName, tags.className, tags.typeName], color: name },
    { tag: [tags.number, tags.bool, tags.null, tags.atom], color: number },
  ]);

const lightHighlight = highlight("#8626a3", "#00702c", "#5f6b7a", "#0055a6", "#a1440b");
const darkHighlight = highlight("#d3a1f0", "#7ddc9a", "#9ba7b6", "#75cfff", "#ffb387");

/** Returns the nonce with which the page's policy lets the editor add its styles. */
function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
}
