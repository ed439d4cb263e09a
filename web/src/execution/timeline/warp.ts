/**
 * Where an instant is on the timeline's axis. Pure.
 *
 * A place is in milliseconds of the axis. Without shrinking, a place is the time since the start.
 * With it, a stretch in which nothing ran takes a fixed small part of the axis, however long it
 * lasted: an execution of 200 ms of work and three days of waiting can be read.
 */

export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Piece {
  readonly fromMs: number;
  readonly toMs: number;
  readonly at: number;
  readonly length: number;
  readonly isIdle: boolean;
}

export interface Axis {
  readonly length: number;
  readonly pieces: readonly Piece[];
}

const IDLE_SHARE = 0.08;
const IDLE_MS_MIN = 1;

/** Returns the plain axis from `fromMs` to `toMs`. */
export function linear(fromMs: number, toMs: number): Axis {
  const length = Math.max(1, toMs - fromMs);
  return { length, pieces: [{ fromMs, toMs: fromMs + length, at: 0, length, isIdle: false }] };
}

/** Returns the axis on which all that is outside of `busy` is shrunk. */
export function shrunk(fromMs: number, toMs: number, busy: readonly Stretch[]): Axis {
  const merged = merge(busy, fromMs, toMs);
  const busyMs = merged.reduce((sum, one) => sum + one.toMs - one.fromMs, 0);
  const idleLength = Math.max(IDLE_MS_MIN, busyMs * IDLE_SHARE);
  const pieces: Piece[] = [];
  let at = 0;
  const add = (from: number, to: number, isIdle: boolean): void => {
    if (to <= from) return;
    const length = isIdle ? Math.min(to - from, idleLength) : to - from;
    pieces.push({ fromMs: from, toMs: to, at, length, isIdle });
    at += length;
  };
  let cursor = fromMs;
  for (const one of merged) {
    add(cursor, one.fromMs, true);
    add(one.fromMs, one.toMs, false);
    cursor = one.toMs;
  }
  add(cursor, toMs, true);
  return pieces.length === 0 ? linear(fromMs, toMs) : { length: at, pieces };
}

/** Returns the place of an instant; before the start and after the end it goes on evenly. */
export function placeOf(axis: Axis, atMs: number): number {
  const piece = findPiece(axis.pieces, (one) => atMs < one.toMs);
  const share = (atMs - piece.fromMs) / (piece.toMs - piece.fromMs);
  if (share < 0) return piece.at + (atMs - piece.fromMs);
  if (share > 1) return piece.at + piece.length + (atMs - piece.toMs);
  return piece.at + share * piece.length;
}

/** Returns the instant at a place. */
export function instantAt(axis: Axis, place: number): number {
  const piece = findPiece(axis.pieces, (one) => place < one.at + one.length);
  return piece.fromMs + ((place - piece.at) / piece.length) * (piece.toMs - piece.fromMs);
}

function findPiece(pieces: readonly Piece[], isIt: (piece: Piece) => boolean): Piece {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isIt(pieces[middle] as Piece)) high = middle;
    else low = middle + 1;
  }
  return pieces[low] as Piece;
}

function merge(busy: readonly Stretch[], fromMs: number, toMs: number): Stretch[] {
  const sorted = [...busy].sort((a, b) => a.fromMs - b.fromMs);
  const merged: { fromMs: number; toMs: number }[] = [];
  for (const one of sorted) {
    const from = Math.max(fromMs, one.fromMs);
    const to = Math.min(toMs, Math.max(one.toMs, one.fromMs + 1));
    if (to <= from) continue;
    const last = merged.at(-1);
    if (last && from <= last.toMs) last.toMs = Math.max(last.toMs, to);
    else merged.push({ fromMs: from, toMs: to });
  }
  return merged;
}
