import { flowsOf } from '../../src/plan/flows.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { newPurgeMemory, type PurgeMemory, purge } from '../../src/runner/8-round/purge.ts';
import { openSource } from '../../src/runner/8-round/source.ts';
import { systemClock } from '../../src/runner/clock.ts';
import type { RunnerEvent } from '../../src/runner/events.ts';
import { noFailpoint } from '../../src/runner/failpoint.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import type { TestDatabase } from './database.ts';

export type Purging = { readonly events: readonly RunnerEvent[]; readonly memory: PurgeMemory; once(): Promise<void>; close(): Promise<void> };

/** The purge of one plan over one database (`source` by default), with segments switched as soon as they hold anything. */
export async function purging(source: TestDatabase, plan: Plan, name = 'source'): Promise<Purging> {
  const open = () => connect({ database: name, url: source.url, variable: 'SOURCE_URL', role: 'source' });
  const sync = Object.values(plan.syncs)
    .flatMap(flowsOf)
    .find((each) => each.source === name);
  const database = plan.databases[name];
  if (!sync || !database) throw new Error('the plan has no sync from there');
  const [session, opened] = [await open(), await openSource({ name, sync, connect: open, clock: systemClock, failpoint: noFailpoint })];
  const memory = newPurgeMemory();
  const switching = { aboveBytes: 0, idleMs: 0 };
  const events: RunnerEvent[] = [];
  const log = (event: RunnerEvent): void => void events.push(event);
  return {
    events,
    memory,
    once: async () => {
      await purge({ database: name, plan: database, session, history: opened.history, log, failpoint: noFailpoint, clock: systemClock, switching, memory });
    },
    close: async () => {
      await session.close();
      await opened.close();
    },
  };
}
