import { differingRows } from '../../test/support/compare.ts';
import type { Databases } from './peer.ts';

/** A figure counts only when the rows arrived. */
export async function mustBeEqual({ source, target }: Databases, table: string): Promise<void> {
  const rows = await differingRows(source, target, table);
  if (rows.length > 0) throw new Error(`${table} differs after the measurement:\n${rows.join('\n')}`);
}
