import type { Generated } from '../../plan/generated-files.ts';
import { hazardName } from '../../plan/hazards.ts';
import { termsOf } from '../../plan/terms.ts';
import { displayName, quoteIdent } from '../../sql/quote.ts';
import { inspectDatabases } from '../5-inspect/inspect.ts';
import { blockFinder } from '../6-diff/blocks.ts';
import { diff } from '../6-diff/diff.ts';
import type { Step } from '../6-diff/step.ts';
import type { Effect } from './effects.ts';
import type { Migrating } from './migrating.ts';
import type { Rehearsal } from './rehearse.ts';

/**
 * What the plan that will be costs somebody, as apply would say it; but for what the file itself says (a column that it drops or renames) and for what a
 * migration sees to (changes that it waits for, locks that it gives back).
 */
export async function hazardousSteps({ sessions, generated }: Migrating, next: Generated, { effects }: Pick<Rehearsal, 'effects'>): Promise<readonly Step[]> {
  const { plan, files } = next;
  const inspections = await inspectDatabases({ plan, sessions });
  const { steps } = diff({ plan, lives: new Map([...inspections].map(([database, { live }]) => [database, live])), blockOf: blockFinder(files) });
  const own = new Map([...effects].map(([database, found]) => [database, ownDoing([generated, next], database, found)]));
  return steps.map((step) => ({
    ...step,
    hazards: step.hazards.filter((hazard) => hazard.code !== 'lock-table' && own.get(step.database)?.has(hazardName(hazard)) !== true),
  }));
}

/** Names of hazards in a database that say no more than the file does. */
function ownDoing([old, next]: readonly [Generated, Generated], database: string, effects: readonly Effect[]): ReadonlySet<string> {
  const captures = old.plan.databases[database]?.captures ?? [];
  const [before, now] = [termsOf(old.plan, database), termsOf(next.plan, database)];
  const names = effects.flatMap((effect) => {
    const deltas = captures.filter(({ table }) => displayName(table) === effect.table).map(({ delta }) => `drop-changes:${delta}`);
    const renamed = new Map(effect.renamedColumns);
    const columns = [...before].flatMap(([subject, { columns: flowing }]) => {
      if (!subject.endsWith(`/${effect.table}`)) return [];
      const left = Object.entries(flowing).filter(([, from]) => effect.goneColumns.includes(from) || renamed.has(from));
      const arrived = new Set(left.map(([, from]) => renamed.get(from)));
      const come = Object.entries(now.get(subject)?.columns ?? {}).filter(([, from]) => arrived.has(from));
      return [
        ...left.map(([column]) => `drop-column:${subject}.${quoteIdent(column)}`),
        ...come.map(([column]) => `expose-column:${subject}.${quoteIdent(column)}`),
      ];
    });
    return [...deltas, ...columns];
  });
  return new Set(names);
}
