import type { Generated } from '../../plan/generated-files.ts';
import { originsOf } from '../../plan/plan-masters.ts';
import { beforeAll, formatPosition } from '../../plan/position.ts';
import { displayName } from '../../sql/quote.ts';
import { keepTables } from '../8-round/masters/masters.sql.ts';
import { holdNew } from '../8-round/masters/held.sql.ts';
import { readHistory } from '../8-round/source.sql.ts';
import { textArray } from '../postgres/text-array.ts';
import type { Effect } from './effects.ts';
import { masterSyncs } from './members.ts';
import { hasRows, markMember } from './members.sql.ts';
import { type Migrating, sessionOf } from './migrating.ts';

/**
 * In the transaction that makes a table between masters: it is captured from its first row at every member, so that nobody has to be copied. It stands at
 * the beginning of its capture everywhere: a runner that does not know it yet moves watermarks past its changes.
 */
export async function beginNewTables(migrating: Migrating, next: Generated, database: string, effects: readonly Effect[]): Promise<void> {
  const session = sessionOf(migrating, database);
  const made = new Set(effects.filter(({ isNew }) => isNew).map(({ table }) => table));
  for (const { name, sync } of masterSyncs(next.plan)) {
    const relations = sync.tables.map(({ target }) => displayName(target)).filter((relation) => made.has(relation));
    if (relations.length === 0 || !sync.members.includes(database)) continue;
    const stands: { readonly source: string; readonly relation: string; readonly position: string }[] = [];
    // In a ring what others bring of a database that is no member counts, too.
    for (const source of originsOf(sync).filter((origin) => origin !== database)) {
      const row = (await sessionOf(migrating, source).query(readHistory)).rows[0];
      const position = formatPosition(beforeAll({ system: row?.['system'] ?? '', database: row?.['database'] ?? '', timeline: Number(row?.['timeline']) }));
      stands.push(...relations.map((relation) => ({ source, relation, position })));
      if (!sync.members.includes(source)) continue;
      if (source !== sync.members[0] && sync.existingRows !== 'keep') continue;
      const kept = relations.map((relation) => ({ relation, capture: '0' }));
      await session.query(keepTables, [name, source, position, JSON.stringify(kept)]);
    }
    await session.query(holdNew, [name, JSON.stringify(stands)]);
    for (const { target } of sync.tables.filter((table) => made.has(displayName(table.target)))) {
      if ((await session.query(hasRows(target))).rows[0]?.['found'] !== 't') continue;
      await session.query(markMember, [textArray([name]), `${migrating.file} wrote rows of ${displayName(target)} in each database by itself`]);
    }
  }
}
