import { recordedRow } from '../../../conflict/mask.ts';
import { displayName } from '../../../sql/quote.ts';
import { copyColumns } from '../../postgres/copy.ts';
import { copyConflicts, recordConflicts } from './masters.sql.ts';
import type { ConflictRecord } from './member.ts';
import { tableOf } from './member-reads.ts';
import type { Statement } from '../../postgres/statement.ts';
import type { MemberState, Pending } from './member-state.ts';

type Records = Pending['records'];

/** A few conflicts, together with other statements. */
export function recordStatements(state: MemberState, records: Records): readonly Statement[] {
  if (records.length === 0) return [];
  const rows = records.map(({ table, record: { id, kind, strategy, decision, key, versions } }) => {
    const { relation, ...texts } = textsOf(state, table, { key, versions });
    return { id, relation, kind, strategy, decision, key: JSON.parse(texts.key) as unknown, versions: JSON.parse(texts.versions) as unknown };
  });
  return [{ name: 'sarrio_record_conflicts', text: recordConflicts, values: [state.syncName, JSON.stringify(rows)] }];
}

/** Many of them. */
export async function copyRecords(state: MemberState, records: Records): Promise<void> {
  await state.load(
    copyConflicts,
    records.map(({ table, record }) => `${copyColumns([state.syncName])}\t${lineOf(state, table, record)}\n`),
  );
}

/** The first member that writes a record down makes its line for all. */
function lineOf(state: MemberState, table: number, record: ConflictRecord): string {
  const known = record.written.line;
  if (known !== null) return known;
  const { relation, key, versions } = textsOf(state, table, record);
  const line = copyColumns([record.id, relation, key, record.kind, record.strategy, record.decision, versions]);
  record.written.line = line;
  return line;
}

/** As JSON. Values stay the text that the servers wrote. */
function textsOf(state: MemberState, table: number, { key, versions }: Pick<ConflictRecord, 'key' | 'versions'>) {
  const { target, columns, key: names, mask = [] } = tableOf(state, table);
  const columnNames = columns.map(({ name }) => name);
  return {
    relation: displayName(target),
    key: JSON.stringify(Object.fromEntries(names.map((name, index) => [name, key[index]]))),
    versions: JSON.stringify(
      versions.map(({ database, at, op, row }) => ({
        database,
        at: String(at),
        op,
        row: row.isPresent ? recordedRow(columnNames, row, mask) : null,
        ...(mask.length > 0 ? { masked: mask } : {}),
      })),
    ),
  };
}
