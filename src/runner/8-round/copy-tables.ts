import { beforeAll, type Position } from '../../plan/position.ts';
import { refuseStopped } from './changed-tables/hold-tables.ts';
import type { TableWatch } from './changed-tables/table-watch.ts';
import { existingRowsOf } from './existing-rows.ts';
import { copyMissing } from './initial-copy.ts';
import { copySettings } from './copy-settings.ts';
import type { Source } from './source.ts';
import type { StreamStart } from './stream-target.ts';
import type { StreamTable } from './work.ts';
import type { StreamOptions } from './stream-options.ts';

/** Copies tables as one snapshot of the source shows them, which is that of a reading from `from` or, for a new stream, from the beginning. */
export async function copyTables(
  following: StreamOptions & { readonly source: Source },
  parts: { tables: readonly StreamTable[]; start: StreamStart; watch: TableWatch; from: Position | null },
): Promise<void> {
  const { source, sync, stream, connectTarget, clock, log, failpoint } = following;
  const { tables, start } = parts;
  const reading = await source.open(parts.from ?? beforeAll(source.history));
  try {
    await refuseStopped({ stream, watch: parts.watch, tables }, reading);
    const settings = copySettings(sync, following);
    await copyMissing({
      stream,
      reading,
      connectTarget,
      missing: tables,
      captures: start.captures,
      registration: start.registration.id,
      acknowledged: start.registration.position,
      ...existingRowsOf(sync, start),
      ...settings,
      joining: null,
      clock,
      log,
      failpoint,
    });
  } finally {
    await reading.release();
  }
}
