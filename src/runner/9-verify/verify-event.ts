import type { StreamName } from '../events.ts';
import type { MastersResult } from './masters/masters-result.ts';
import type { TableResult } from './table-result.ts';

/** How far a verify is. `leftMs` is null until the speed is known. */
export type VerifyProgress = {
  readonly tables: number;
  readonly ofTables: number;
  /** Rows of the source compared so far. */
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly leftMs: number | null;
};

/** What verify reports while it works. */
export type VerifyEvent =
  /** The differences, before they are written. */
  | { readonly kind: 'repairing'; readonly result: TableResult }
  | { readonly kind: 'compared'; readonly result: TableResult; readonly progress: VerifyProgress }
  | { readonly kind: 'masters-repairing'; readonly result: MastersResult }
  | { readonly kind: 'masters-compared'; readonly result: MastersResult; readonly tables: number; readonly ofTables: number }
  | { readonly kind: 'working'; readonly tables: readonly { readonly stream: StreamName; readonly table: string }[]; readonly progress: VerifyProgress };

export type VerifyLog = (event: VerifyEvent) => void;
