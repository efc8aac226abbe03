import { failure } from '../../plan/errors.ts';
import type { Session } from '../postgres/session.ts';
import type { StreamTable } from './work.ts';
import type { InitialCopy } from './copying.ts';

export async function holdsRows(target: Session, { apply }: StreamTable): Promise<boolean> {
  return (await target.query(apply.hasRows)).rows[0]?.['has_rows'] === 't';
}

type Room = {
  readonly table: StreamTable;
  /** An earlier copy brought the rows. */
  readonly holdsOurs: boolean;
  /** Rows that stay do not stand in the way of ranges. */
  readonly inRanges: boolean;
};

/** Rows that are there already are somebody's until the config says otherwise. */
export async function makeRoom(copy: InitialCopy, target: Session, { table, holdsOurs, inRanges }: Room): Promise<void> {
  const { stream, adopts, replacesRows } = copy;
  if (!(await holdsRows(target, table))) return;
  const mayReplace = holdsOurs || replacesRows(table);
  if (mayReplace && table.table.keeps === 'gone') {
    if (inRanges) return;
    throw failure('refused', {
      code: 'SAR643',
      where: `database ${stream.target}, table ${table.relation}`,
      message:
        'the table keeps rows that are gone at the source, so its rows cannot be replaced, and it can only be copied as a whole (it has a deferrable index, or a partition of the source is a foreign table)',
      hint: `Move the rows that are to stay elsewhere and empty the table, or leave out skip in sync ${stream.sync}.`,
    });
  }
  if (mayReplace) {
    await target.query(table.apply.clearTable);
    return;
  }
  throw failure('refused', {
    code: 'SAR601',
    where: `database ${stream.target}, table ${table.relation}`,
    message: 'the table holds rows before its initial copy',
    hint: adopts
      ? 'They have come since the copy began. It is tried again by itself, and compares them.'
      : `Empty it, or let the copy replace its rows (existingRows: 'replace', or 'adopt' to write only what differs) in sync ${stream.sync}, or sarrio copy --sync ${stream.sync} --target ${stream.target} --replace.`,
  });
}
