import { namedFlows } from '../../plan/flows.ts';
import { beforeAll, type History, parsePosition, type Position, sameHistory } from '../../plan/position.ts';
import { displayName } from '../../sql/quote.ts';
import { readHistory, setPosition } from '../8-round/source.sql.ts';
import { TryAgain } from './busy.ts';
import { readPlace } from './migrate.sql.ts';
import { type Migrating, sessionOf } from './migrating.ts';

const LOOK_AGAIN_MS = 50;

/**
 * With writers kept out of the tables: waits until every target has applied what was captured of them. @throws TryAgain when that takes too long,
 * so that writers go on meanwhile.
 */
export async function drained(migrating: Migrating, source: string, tables: ReadonlySet<string>): Promise<void> {
  const { clock } = migrating.context;
  const deadline = clock.now() + migrating.drainMs;
  for (;;) {
    const waiting = await pendingOf(migrating, source, tables);
    if (waiting === null) return;
    if (clock.now() >= deadline) throw new TryAgain(waiting);
    await clock.sleep(LOOK_AGAIN_MS, migrating.context.signal);
  }
}

/** What some target has not applied yet, in words. */
async function pendingOf(migrating: Migrating, source: string, tables: ReadonlySet<string>): Promise<string | null> {
  const session = sessionOf(migrating, source);
  const row = (await session.query(readHistory)).rows[0];
  const history: History = { system: row?.['system'] ?? '', database: row?.['database'] ?? '', timeline: Number(row?.['timeline']) };
  for (const { sync, flow } of namedFlows(migrating.generated.plan.syncs)) {
    if (flow.source !== source) continue;
    for (const table of flow.tables.filter((each) => tables.has(displayName(each.source)))) {
      for (const target of flow.targets) {
        const stored = (await sessionOf(migrating, target).query(readPlace, [sync, source, displayName(table.target)])).rows[0]?.['position'];
        if (!stored) continue;
        const answers = await session.batch([setPosition(known(stored, history)), { text: table.countPending }]);
        const entries = answers[1]?.lists[0]?.[1];
        if (entries) return `${entries} changes of ${displayName(table.source)} have not reached ${target}`;
      }
    }
  }
  return null;
}

function known(stored: string, history: History): Position {
  const position = parsePosition(stored);
  return sameHistory(position.history, history) ? position : beforeAll(history);
}
