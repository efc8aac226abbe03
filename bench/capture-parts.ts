import { buildOnce } from '../test/support/build.ts';
import type { TestDatabase } from '../test/support/database.ts';
import { timed } from './harness/following.ts';
import { PARTS, updateEach } from './harness/capture-parts.sql.ts';
import { startPair } from './harness/servers.ts';
import { FREEZE_STAGE, INSERT_NARROW, stageNarrow, TABLES } from './harness/tables.sql.ts';
import { sarrio } from './peers/sarrio.ts';

/**
 * Where the time of a captured statement goes: a million rows in one INSERT, and 100,000 UPDATEs of one row each. What each line
 * has is in its name; the last one is Sarrio's own capture without a runner: node --import jiti/register bench/capture-parts.ts [repetitions]
 */
const REPETITIONS = Number(process.argv[2] ?? 3);
const ROWS = 1_000_000;
const UPDATES = 100_000;

type Figures = { readonly insert: number[]; readonly update: number[] };

await buildOnce();
const pair = await startPair(17);
try {
  const figures = new Map<string, Figures>();
  for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
    for (const [index, part] of [...Object.keys(PARTS), 'sarrio'].entries()) {
      const { insert, update } = await measure(part, `part${index}_${repetition}`);
      const known = figures.get(part) ?? { insert: [], update: [] };
      figures.set(part, { insert: [...known.insert, insert], update: [...known.update, update] });
    }
  }
  print(figures);
} finally {
  await pair.dispose();
}

/** Seconds of the INSERT; seconds of all UPDATEs together. */
async function measure(part: string, name: string): Promise<{ insert: number; update: number }> {
  const source = await pair.source.createDatabase(name);
  await source.script(TABLES);
  await source.script(stageNarrow(ROWS));
  await source.query(FREEZE_STAGE);
  const target = part === 'sarrio' ? await captured(source, name) : null;
  if (target === null) await source.script(PARTS[part] ?? '');
  const insert = await timed(() => source.query(INSERT_NARROW));
  await source.query('vacuum (analyze) narrow');
  const update = await timed(() => source.query(updateEach(UPDATES)));
  for (const database of [source, target]) await database?.close();
  return { insert, update };
}

async function captured(source: TestDatabase, name: string): Promise<TestDatabase> {
  const target = await pair.target.createDatabase(name);
  await target.script(TABLES);
  await sarrio.prepareCopy({ source, target });
  return target;
}

function print(figures: ReadonlyMap<string, Figures>): void {
  const best = (values: readonly number[] | undefined): number => Math.min(...(values ?? [Number.NaN]));
  const base = { insert: best(figures.get('none')?.insert), update: best(figures.get('none')?.update) };
  console.log(`best of ${REPETITIONS}${' '.repeat(24)}1M rows in one INSERT    one-row UPDATE`);
  for (const [part, { insert, update }] of figures) {
    const one = `${best(insert).toFixed(2)} s  ${(best(insert) / base.insert).toFixed(2)}x`;
    const many = `${((best(update) / UPDATES) * 1e6).toFixed(1)} us  ${(best(update) / base.update).toFixed(2)}x`;
    console.log(`${part.padEnd(36)}${one.padEnd(26)}${many}`);
  }
}
