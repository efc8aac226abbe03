import type { CopyMethod } from '../plan/plan-full-copy.ts';

/** One directed pair of databases within a sync. */
export type StreamName = { readonly sync: string; readonly source: string; readonly target: string };

/** What a stream is doing, as `status` and events show it. */
export type StreamState = 'connecting' | 'standby' | 'copying' | 'running' | 'waiting' | 'paused' | 'failed' | 'stopped';

/** Why a full copy is made: there was none, its time has come, somebody asked for it, or the run is to copy once. */
export type CopyReason = 'first' | 'due' | 'kicked' | 'once';

/** Everything that the runner reports. Printers (text, JSON lines) turn it into output; nothing else in the runner writes. */
export type RunnerEvent =
  | { readonly kind: 'started'; readonly project: string; readonly streams: readonly StreamName[] }
  | { readonly kind: 'health'; readonly url: string }
  | { readonly kind: 'stream'; readonly stream: StreamName; readonly state: StreamState; readonly reason: string | null }
  | { readonly kind: 'copy-started'; readonly stream: StreamName; readonly table: string }
  | { readonly kind: 'copy-set-aside'; readonly stream: StreamName; readonly table: string; readonly indexes: number }
  | { readonly kind: 'copy-index'; readonly stream: StreamName; readonly table: string | null; readonly index: string; readonly ms: number }
  | {
      readonly kind: 'copy-compared';
      readonly stream: StreamName;
      readonly table: string;
      readonly inserts: number;
      readonly updates: number;
      readonly deletes: number;
    }
  | { readonly kind: 'copy-finished'; readonly stream: StreamName; readonly table: string; readonly rows: number; readonly ms: number }
  | {
      readonly kind: 'round';
      readonly stream: StreamName;
      readonly rows: number;
      readonly tables: number;
      readonly path: 'few-rows' | 'staged';
      readonly ms: number;
    }
  | {
      readonly kind: 'masters-round';
      readonly sync: string;
      readonly members: readonly string[];
      readonly rows: number;
      readonly tables: number;
      readonly conflicts: number;
      readonly ms: number;
    }
  | { readonly kind: 'contention'; readonly sync: string; readonly tries: number; readonly isLocking: boolean; readonly error: string }
  | {
      readonly kind: 'members-retry';
      readonly sync: string;
      readonly members: readonly string[];
      readonly code: string;
      readonly error: string;
      readonly inMs: number;
    }
  | { readonly kind: 'table-stopped'; readonly sync: string; readonly table: string; readonly code: string; readonly reason: string; readonly hint: string }
  | { readonly kind: 'table-resumed'; readonly sync: string; readonly table: string }
  | {
      readonly kind: 'table-paused';
      readonly stream: StreamName;
      readonly table: string;
      readonly code: string;
      readonly reason: string;
      readonly hint: string;
    }
  | { readonly kind: 'table-unpaused'; readonly stream: StreamName; readonly table: string }
  | { readonly kind: 'full-copy-started'; readonly stream: StreamName; readonly method: CopyMethod; readonly reason: CopyReason }
  | { readonly kind: 'full-copy-table'; readonly stream: StreamName; readonly table: string; readonly rows: number; readonly ms: number }
  | { readonly kind: 'full-copy-waits'; readonly stream: StreamName; readonly error: string; readonly inMs: number }
  | { readonly kind: 'full-copy-finished'; readonly stream: StreamName; readonly tables: number; readonly rows: number; readonly ms: number }
  | {
      readonly kind: 'copy-range';
      readonly stream: StreamName;
      readonly table: string;
      readonly done: number;
      readonly total: number;
      readonly rows: number;
      readonly rowsPerSecond: number;
      readonly msLeft: number;
    }
  | { readonly kind: 'guard-held'; readonly code: string; readonly stream: StreamName; readonly id: string; readonly findings: string }
  | { readonly kind: 'guard-approved'; readonly stream: StreamName; readonly id: string; readonly by: string }
  | { readonly kind: 'guard-withdrawn'; readonly stream: StreamName; readonly id: string }
  | { readonly kind: 'caught-up'; readonly stream: StreamName }
  | { readonly kind: 'retry'; readonly stream: StreamName; readonly code: string; readonly error: string; readonly inMs: number }
  | { readonly kind: 'history-changed'; readonly stream: StreamName; readonly from: string; readonly to: string }
  | { readonly kind: 'purged'; readonly database: string; readonly table: string; readonly bytes: number }
  | { readonly kind: 'backlog'; readonly stream: StreamName; readonly bytes: number; readonly rows: number; readonly percent: number }
  | { readonly kind: 'detached'; readonly stream: StreamName; readonly reason: string }
  | { readonly kind: 'table-unsafe'; readonly code: string; readonly database: string; readonly table: string; readonly reason: string }
  | { readonly kind: 'table-safe'; readonly database: string; readonly table: string }
  | { readonly kind: 'carried'; readonly stream: StreamName; readonly sequences: number }
  | { readonly kind: 'carry-failed'; readonly code: string; readonly stream: StreamName; readonly sequence: string; readonly error: string }
  | {
      readonly kind: 'sequence-alarm';
      readonly code: string;
      readonly database: string;
      readonly sequence: string;
      readonly percent: number;
      readonly last: string;
      readonly end: string;
    }
  | { readonly kind: 'sequence-safe'; readonly database: string; readonly sequence: string; readonly percent: number }
  | { readonly kind: 'watch-failed'; readonly database: string; readonly error: string }
  | { readonly kind: 'purge-failed'; readonly database: string; readonly error: string }
  | { readonly kind: 'plan'; readonly state: 'taken' | 'waits'; readonly reason: string | null }
  | { readonly kind: 'stopped'; readonly reason: string };

export type Log = (event: RunnerEvent) => void;

/** `shop: east -> report` */
export function streamText({ sync, source, target }: StreamName): string {
  return `${sync}: ${source} -> ${target}`;
}
