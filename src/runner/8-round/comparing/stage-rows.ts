import { copyBetween } from '../../postgres/copy.ts';
import type { Session } from '../../postgres/session.ts';
import type { StreamTable } from '../work.ts';
import { setKeys } from './comparing.sql.ts';

/** Keys that travel to the source at once. */
export const KEYS_AT_ONCE = 5_000;

/** `bulk` shows the source's rows; the differences stand in the target's session. */
export type StageEnds = { readonly bulk: Session; readonly table: StreamTable; readonly target: Session };

/** Rows of the keys that differ, absent ones too, into the stage table that rounds use. Returns how many there are. */
export async function stageRows({ bulk, table, target }: StageEnds): Promise<number> {
  await target.query(table.apply.createStage);
  let staged = 0;
  for (let last = '0'; ; ) {
    const next = (await target.query(table.verify.nextKeys, [last, String(KEYS_AT_ONCE)])).rows[0];
    if (!next?.['last'] || !next['keys']) return staged;
    last = next['last'];
    await bulk.query(setKeys, [next['keys']]);
    staged += await copyBetween({ session: bulk, text: table.verify.copyKeys }, { session: target, text: table.apply.loadStage });
  }
}
