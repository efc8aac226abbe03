import type { Plan } from '../../plan/plan.ts';
import type { Session } from '../postgres/session.ts';
import { readCutover } from './record.ts';
import type { Recorded } from './steps.ts';

/** A cut-over as its source has it: under way, or finished and not gone back from. */
export type CutoverStatus = {
  readonly sync: string;
  readonly source: string;
  readonly target: string;
  readonly step: Recorded['step'];
  readonly by: string;
  readonly since: string;
};

/** Of every one-way sync that has one. A source that cannot be asked is left out: its streams say why. */
export async function readCutovers(plan: Plan, open: (database: string) => Promise<Session>): Promise<readonly CutoverStatus[]> {
  const found: CutoverStatus[] = [];
  for (const [sync, planned] of Object.entries(plan.syncs)) {
    const session = planned.mode === 'one-way' ? await open(planned.source).catch(() => null) : null;
    if (session === null || planned.mode !== 'one-way') continue;
    try {
      const record = await readCutover(session, sync).catch(() => null);
      if (record !== null) found.push({ sync, source: planned.source, target: record.target, step: record.step, by: record.by, since: record.since });
    } finally {
      await session.close();
    }
  }
  return found;
}
