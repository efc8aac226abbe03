import type { TestDatabase } from '../support/database.ts';
import { ARRIVALS, MASTER_SCHEMA, MASTER_TABLES, startMasterWorkload } from '../support/master-workload.ts';
import { pause, waitUntil } from '../support/wait.ts';
import { isServerGone } from '../support/workload.ts';
import { decidedApart, decidedTwice, type Ending, lostWrites, metAncestors, type Recorded, returnedDeletes, returnedLosers } from './accounts.ts';
import { carriedLeft, differencesLeft, leftBehind } from './checks.ts';
import { startLagMeter } from './lag.ts';
import type { Outcome, Performance, Play } from './play.ts';
import { buildStage, type Stage } from './stage.ts';
import { BEAT } from './texts.sql.ts';
import { ARRIVED_TWICE, CONFLICTS, ENDED, GONE, HALVES, JOURNAL, MASTER_ROUNDS, TRACED, TRACED_SCHEMA, TRACED_TABLES, TRAILS } from './traced.sql.ts';
import { startTracedWriters, type Told } from './traced-writers.ts';

/** Two of them write to each other at the same time, which three do not; of three, some may decide while another is away. */
const MASTERS = { 2: ['east', 'west'], 3: ['east', 'west', 'north'] } as const;
export type MasterCount = keyof typeof MASTERS;
type Master = 'east' | 'west' | 'north';
type Name = Master | 'replica';

const TABLES = [...MASTER_TABLES, ...TRACED_TABLES, 'public.beat'];
const SCHEMA = `${MASTER_SCHEMA}${ARRIVALS}${TRACED_SCHEMA}${BEAT}`;

/** Tables with a rule of their own. */
const RULED = ['public.earliest', 'public.ranked', 'public.merged', 'public.unique_mail'];

/** Every kind of rule; the replica follows a member to which all others' rows come in rounds. */
const configOf = (members: readonly Master[]): string => `import { defineReplication, env, merge } from 'sarrio';

export default defineReplication({
  databases: { ${[...members, 'replica'].map((name) => `${name}: env('${name.toUpperCase()}_URL')`).join(', ')} },
  syncs: {
    masters: {
      mode: 'multi-master',
      members: ${JSON.stringify(members)},
      onConflict: 'last-update-wins',
      maxClockSkew: '10 s',
      tables: [
        ...${JSON.stringify(TABLES.filter((table) => !RULED.includes(table)))},
        { table: 'public.earliest', onConflict: 'first-update-wins' },
        { table: 'public.ranked', onConflict: ${JSON.stringify([...members].sort().reverse())} },
        { table: 'public.unique_mail', onUnique: 'keep-latest' },
        {
          table: 'public.merged',
          onConflict: (conflict) => {
            const writes = conflict.versions.flatMap(({ row }) => String(row?.['trail'] ?? '').split(' '));
            return merge({ trail: [...new Set(writes)].sort().join(' ') });
          },
        },
      ],
    },
    copy: { mode: 'one-way', source: 'west', targets: ['replica'], tables: ${JSON.stringify(TABLES)} },
  },
});
`;

/** Masters, each written by three clients, and a one-way replica of one of them. */
export async function masters(count: MasterCount): Promise<Play> {
  const members: readonly Master[] = MASTERS[count];
  const schemas = Object.fromEntries([...members, 'replica'].map((name) => [name, SCHEMA])) as Record<Name, string>;
  const stage = await buildStage(schemas, configOf(members));
  return {
    stage,
    moral:
      'all databases equal, every write present or overruled by a recorded decision, each conflict decided once, no loser returned, no half transaction seen, nothing left behind',
    begin: (seed) => begin(stage, members, seed),
    quiet: () => quiet(stage, members),
    progress: () => stage.sides.west.database.query(MASTER_ROUNDS).then(([row]) => JSON.stringify(row), String),
  };
}

function begin(stage: Stage<Name>, masters: readonly Master[], seed: number): Performance {
  const members = Object.fromEntries(masters.map((name) => [name, stage.sides[name].database]));
  const halves = startHalvesSampler(Object.values(stage.sides).map(({ database }) => database));
  const lag = startLagMeter(stage.sides.east.database, stage.sides.replica.database);
  const [workload, writers] = [startMasterWorkload(members, { paceMs: 40 }), startTracedWriters(members, seed)];
  return {
    end: async (): Promise<Outcome> => {
      const [journal, told] = await Promise.all([workload.stop(), writers.stop()]);
      const [lags, seen] = [await lag.stop(), await halves.stop()];
      await Promise.all(stage.runners.map((runner) => runner.stop()));
      const left = [...seen.faults, ...(await leftBehind(stage)), ...(await carriedLeft(stage))];
      left.push(...(await differencesLeft(Object.values(stage.sides), TABLES)));
      const ending = await endingOf(stage, masters);
      left.push(...lostWrites(told, ending), ...returnedLosers(ending), ...returnedDeletes(ending), ...decidedTwice(ending), ...metAncestors(ending).left);
      left.push(...(await missingLines(stage.sides.east.database, { journal, told })), ...(await doubledLines(stage)));
      return { left, lines: [...figures(told, ending), `looks of the sampler: ${seen.looks}; ${lags}`] };
    },
  };
}

/** A line written at each member is to be seen everywhere. */
async function quiet({ sides }: Stage<Name>, masters: readonly Master[]): Promise<void> {
  const marks = masters.map((name) => `${name} ${Math.random()}`);
  for (const [index, name] of masters.entries()) await sides[name].database.query('insert into marks values ($1)', [marks[index]]);
  const isThere = async (): Promise<boolean> => {
    const found = await Promise.all(Object.values(sides).map(({ database }) => database.query('select from marks where what = any($1)', [marks])));
    return found.every((rows) => rows.length === marks.length);
  };
  await waitUntil('all of them follow again', isThere, { timeoutMs: 240_000, everyMs: 200 });
}

type HalvesSampler = { stop(): Promise<{ readonly looks: number; readonly faults: readonly string[] }> };

/** A reader of every database who looks all the time. */
function startHalvesSampler(databases: readonly TestDatabase[]): HalvesSampler {
  const state = { on: true, looks: 0 };
  const faults = new Set<string>();
  const loop = async (database: TestDatabase): Promise<void> => {
    while (state.on) {
      const [row] = await database.query(HALVES).catch((error: unknown) => {
        if (!isServerGone(error)) throw error;
        return [];
      });
      if (row) state.looks += 1;
      if (row && row['half'] !== 0) faults.add(`half a transaction was seen: ${JSON.stringify(row)}`);
      await pause(100);
    }
  };
  const looking = databases.map(loop);
  return {
    stop: async () => {
      state.on = false;
      await Promise.all(looking);
      return { looks: state.looks, faults: [...faults] };
    },
  };
}

async function endingOf({ sides }: Stage<Name>, masters: readonly Master[]): Promise<Ending> {
  const { database } = sides.east;
  const rows: Ending['rows'] = new Map(
    await Promise.all(
      TRACED.map(async (table) => {
        const found = await database.query<{ id: number; trail: string }>(TRAILS(table));
        return [table, new Map(found.map(({ id, trail }) => [id, trail]))] as const;
      }),
    ),
  );
  const gone = await database.query<{ table: string; id: number; trail: string }>(GONE);
  const conflicts = await Promise.all(
    masters.map(async (member) => (await sides[member].database.query<Omit<Recorded, 'member'>>(CONFLICTS)).map((each) => ({ ...each, member }))),
  );
  return { rows, gone, conflicts: conflicts.flat() };
}

type ToldLines = { readonly journal: ReadonlyMap<string, readonly number[]>; readonly told: Told };

async function missingLines(database: TestDatabase, { journal, told }: ToldLines): Promise<readonly string[]> {
  const lines = await database.query<{ member: string; n: number }>(JOURNAL);
  const ended = await database.query<{ writer: string; n: number }>(ENDED);
  const there = new Set([...lines.map(({ member, n }) => `journal ${member} ${n}`), ...ended.map(({ writer, n }) => `ended ${writer} ${n}`)]);
  const wanted = [
    ...[...journal].flatMap(([member, numbers]) => numbers.map((n) => `journal ${member} ${n}`)),
    ...told.turns.map(({ writer, n }) => `ended ${writer} ${n}`),
  ];
  return wanted.filter((line) => !there.has(line)).map((line) => `lost: ${line}`);
}

async function doubledLines({ sides }: Stage<Name>): Promise<readonly string[]> {
  const found = await Promise.all(Object.entries(sides).map(async ([name, { database }]) => ({ name, rows: await database.query(ARRIVED_TWICE) })));
  return found.flatMap(({ name, rows }) => rows.map((row) => `applied twice at ${name}: ${JSON.stringify(row)}`));
}

function figures({ tokens, turns }: Told, ending: Ending): readonly string[] {
  const { conflicts, gone } = ending;
  const kinds = new Map(conflicts.map(({ id, relation, kind, decision }) => [id, `${relation} ${kind.split('/').sort().join('/')} ${decision.split(' ')[0]}`]));
  const counts = new Map<string, number>();
  for (const kind of kinds.values()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [
    `transactions told to be on disk: ${turns.length}, with ${[...tokens.values()].flat().length} traced writes; rows taken away: ${gone.length}`,
    `conflicts: ${kinds.size}; in ${metAncestors(ending).met} of them a row met what it had been made of, ${decidedApart(ending)} were decided apart`,
    ...[...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => `  ${String(count).padStart(5)}  ${kind}`),
  ];
}
