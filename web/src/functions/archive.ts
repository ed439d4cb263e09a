/** A function's code: a zip, opened into files that can be edited, and closed again. Pure. */

import { strFromU8, strToU8, unzipSync, type Zippable, zipSync } from "fflate";
import { encodeBase64 } from "../text/base64";

export interface SourceFile {
  readonly path: string;
  /** null: it is no text, and stays as it is. */
  readonly text: string | null;
  readonly data: Uint8Array;
  /** As in the zip: its rights, above all whether it may be run. */
  readonly attributes?: number;
}

const TEXT_BYTES_MAX = 1_048_576;
const FIXED_TIME = "2020-01-01T00:00:00Z";
const UNIX = 3;

/** Returns the files in a zip, sorted by path. */
export function openArchive(zip: Uint8Array): SourceFile[] {
  const attributes = attributesOf(zip);
  return Object.entries(unzipSync(zip))
    .filter(([path]) => !path.endsWith("/"))
    .map(([path, data]) => ({ path, data, text: textOf(data), attributes: attributes.get(path) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Returns the zip of `files` in base64, the same for the same files. */
export function closeArchive(files: readonly SourceFile[]): string {
  const entries: Zippable = {};
  for (const file of files) {
    const data = file.text === null ? file.data : strToU8(file.text);
    entries[file.path] = [
      data,
      { os: UNIX, attrs: file.attributes ?? 0o100644 << 16, mtime: FIXED_TIME },
    ];
  }
  return encodeBase64(zipSync(entries, { level: 6 }));
}

/** Returns a file of `text`. */
export function textFile(path: string, text: string): SourceFile {
  return { path, text, data: strToU8(text) };
}

/** Returns why a file may not be called `path` beside `files`, or null if it may. */
export function pathProblem(path: string, files: readonly SourceFile[]): string | null {
  if (path === "") return "a file needs a name";
  if (path.startsWith("/") || path.endsWith("/") || path.split("/").includes("..")) {
    return "a path stays inside of the function: no leading or closing slash, no ..";
  }
  if (files.some((file) => file.path === path)) return `${path} is there already`;
  return null;
}

/** Returns the file that holds the handler, as far as its name tells. */
export function handlerFile(handler: string, files: readonly SourceFile[]): string | null {
  const module = handler.slice(0, handler.lastIndexOf("."));
  const asPath = [module, module.replaceAll(".", "/")];
  const found = files.find((file) =>
    asPath.some((path) => file.path.replace(/\.[^./]+$/, "") === path),
  );
  return (found ?? files.find((file) => file.text !== null))?.path ?? null;
}

function textOf(data: Uint8Array): string | null {
  if (data.length > TEXT_BYTES_MAX) return null;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(data);
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}

/** Returns the rights of each file: they are in the zip's directory, which fflate leaves out. */
function attributesOf(zip: Uint8Array): Map<string, number> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const found = new Map<string, number>();
  let end = zip.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < 0) return found;
  let at = view.getUint32(end + 16, true);
  while (at + 46 <= zip.length && view.getUint32(at, true) === 0x02014b50) {
    const nameLength = view.getUint16(at + 28, true);
    const name = strFromU8(zip.subarray(at + 46, at + 46 + nameLength));
    const attributes = view.getUint32(at + 38, true);
    if (attributes >>> 16) found.set(name, attributes);
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return found;
}
