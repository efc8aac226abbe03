import { startSampler } from '../support/sampler.ts';
import { waitUntil } from '../support/wait.ts';
import { ACCOUNTS, COUNTER, startWorkload, TABLES, WORKLOAD } from '../support/workload.ts';
import { carriedLeft, differencesLeft, leftBehind } from './checks.ts';
import { startLagMeter } from './lag.ts';
import type { Outcome, Performance, Play } from './play.ts';
import { buildStage, type Stage } from './stage.ts';
import { APPLIED, BEAT, CONFIG, ROUNDS } from './texts.sql.ts';

type OneWay = Stage<'source' | 'target'>;

/** One stream between two servers. */
export async function oneWay(): Promise<Play> {
  const stage = await buildStage({ source: `${WORKLOAD}${ACCOUNTS}${BEAT}`, target: `${WORKLOAD}${COUNTER}${BEAT}` }, CONFIG);
  return {
    stage,
    moral: 'all rows equal, every line applied once, no half transaction seen, nothing left behind',
    begin: () => begin(stage),
    quiet: () => quiet(stage),
    progress: () => stage.sides.target.database.query(ROUNDS).then(([row]) => JSON.stringify(row), String),
  };
}

function begin(stage: OneWay): Performance {
  const { source, target } = stage.sides;
  const sampler = startSampler(target.database);
  const lag = startLagMeter(source.database, target.database);
  const workload = startWorkload(source.database, { paceMs: 25, bulkRows: 40 });
  return {
    end: async (): Promise<Outcome> => {
      await workload.stop();
      const lags = await lag.stop();
      const halves = await sampler.stop();
      await Promise.all(stage.runners.map((runner) => runner.stop()));
      const left = [...halves.map((half) => `half a transaction was seen: ${half}`), ...(await leftBehind(stage)), ...(await carriedLeft(stage))];
      left.push(...(await differencesLeft([source, target], [...TABLES, 'public.beat'])));
      const counted = (await target.database.query(APPLIED))[0];
      if (counted?.['lines'] !== counted?.['applied'] || counted?.['lines'] !== counted?.['keys']) left.push(`applied once: ${JSON.stringify(counted)}`);
      return { left, lines: [`rounds: ${JSON.stringify((await target.database.query(ROUNDS))[0])}`, `looks of the sampler: ${sampler.looks()}; ${lags}`] };
    },
  };
}

/** Under writers, without faults, the target must come close again by itself. */
async function quiet({ sides: { source, target } }: OneWay): Promise<void> {
  const marker = `quiet ${Math.random()}`;
  await source.database.query('insert into ledger (note) values ($1)', [marker]);
  const isThere = async (): Promise<boolean> => (await target.database.query('select from ledger where note = $1', [marker])).length > 0;
  await waitUntil('the target follows again', isThere, { timeoutMs: 180_000, everyMs: 100 });
}
