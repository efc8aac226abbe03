import { describe, expect, onTestFinished, test } from 'vitest';
import type { MultiMasterSync } from '../../src/index.ts';
import { noFailpoint } from '../../src/runner/failpoint.ts';
import { RANGE_POINTS, SEED_POINTS } from '../crash/points.ts';
import { sarrio } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, cutOff, follow, onAll } from '../support/follow.ts';
import { type Installation, installation } from '../support/installation.ts';
import { mastersOf } from '../support/mastering.ts';
import { expectAlike } from '../support/masters.ts';
import { leftAlone, rangesOf } from '../support/ranges.ts';
import { runVerb } from '../support/run-verb.ts';
import { verb as copyVerb } from '../../src/commands/copy.ts';
import { pause, waitUntil } from '../support/wait.ts';

const SCHEMA = `
  create table big (id integer primary key, code integer unique, n integer not null default 0, v text) with (autovacuum_enabled = false);
  create table audit (member text, line bigint, primary key (member, line));
`;
const TABLES = ['public.big', 'public.audit'];
const FILL = "insert into big select g, g, 0, repeat('x', 100) from generate_series(1, 40000) g";
/** Rows leave their blocks for others that are copied already, and the other way round; keys and unique values change hands. */
const MOVE = [
  'delete from big where id % 5 = 0',
  'vacuum big',
  "update big set v = 'moved' where id > 30000",
  'vacuum big',
  "update big set v = v || repeat('y', 90), n = n + 5 where id < 9000",
  'update big set code = -code where id in (7, 39001); update big set code = 39001 where id = 7; update big set code = 7 where id = 39001',
  'update big set id = id + 100000 where id between 101 and 200',
  "insert into big select g, g + 50000, 0, 'new' from generate_series(41005, 61000, 5) g",
  "update big set code = 200001 where id = 1; insert into big values (-1, 1, 0, 'has the code of another')",
];
/** What another master changes meanwhile, in rows of its own. */
const ELSEWHERE =
  "update big set v = 'north', n = n + 1 where id between 20001 and 30000 and id % 10 = 1; delete from big where id between 20001 and 30000 and id % 50 = 3; insert into big values (500000, 500000, 0, 'of north')";

type Seeding = { readonly east: TestDatabase; readonly west: TestDatabase; readonly north: TestDatabase; readonly project: Installation };

/** Two masters that hold the rows, and west, which comes to them now. */
async function seeding(more: Partial<MultiMasterSync> = {}): Promise<Seeding> {
  const [east, west, north] = [await freshDatabase('east'), await freshDatabase('west'), await freshDatabase('north')];
  await onAll([east, west, north], SCHEMA);
  await east.query(FILL);
  const settings = { copy: { chunk: '1 MB', jobs: 2 }, ...more } as const;
  const syncs = (members: readonly string[]) => ({ m: mastersOf(['public.*'], members, settings) });
  const project = await installation({ databases: { east, west, north }, syncs: syncs(['east', 'north']) });
  expect((await project.apply()).diagnostics).toEqual([]);
  await catchUp(project);
  await project.compile(syncs(['east', 'north', 'west']));
  expect((await project.apply()).diagnostics).toEqual([]);
  return { east, west, north, project };
}

/** Until west is to be connected to, rounds go on without it. */
async function withoutWest({ project }: Seeding): Promise<void> {
  const away = new Error('west is away');
  const end = catchUp(project, noFailpoint, async (database) => {
    if (database === 'west') throw away;
  });
  await expect(end).rejects.toBe(away);
}

async function cut(of: Seeding, point: string, nth: number): Promise<void> {
  await cutOff(of.project, point, nth);
  await leftAlone({ source: of.east, target: of.west });
  await leftAlone({ source: of.north, target: of.west });
}

const finished = async ({ west }: Seeding): Promise<number> => {
  const [row] = await west.query<{ n: number }>('select count(*)::int as n from sarrio.copy_range where copied_at is not null');
  return row?.n ?? 0;
};

const alike = ({ east, west, north }: Seeding): Promise<void> => expectAlike([east, west, north], TABLES);

describe('a master that joins is copied in ranges', () => {
  test.each([...RANGE_POINTS, ...SEED_POINTS])(
    'a run that ends at %s is gone on with; the other masters write meanwhile, and between them there are rounds',
    { timeout: 120_000 },
    async (point) => {
      const of = await seeding();
      const isOnce = ['copy.before-ranges', 'copy.before-whole', ...SEED_POINTS].includes(point);
      await cut(of, point, isOnce ? 1 : 3);
      const done = await finished(of);
      if (point !== 'copy.before-ranges') expect(done).toBeGreaterThan(0);
      for (const statement of MOVE) await of.east.script(statement);
      await of.north.script(ELSEWHERE);
      await withoutWest(of);
      await of.east.script('update big set n = n + 1 where id % 11 = 1');
      await of.north.script('update big set n = n + 1 where id % 11 = 2');
      const events = await catchUp(of.project);
      const [first] = rangesOf(events);
      expect(rangesOf(events)).toHaveLength((first?.total ?? done) - done);
      await alike(of);
      expect(await of.west.query('select from sarrio.copy_range')).toEqual([]);
      expect(await of.west.query('select from sarrio.conflict')).toEqual([]);
    },
  );

  test('a runner killed by SIGKILL: the next one copies the other ranges alone', { timeout: 120_000 }, async () => {
    const of = await seeding();
    const env = { ...of.project.env, SARRIO_FAILPOINT: 'copy.before-range-commit:4=kill' };
    expect((await sarrio(['run', '--generated', of.project.dir, '--jobs', '3'], { env })).exitCode).not.toBe(0);
    await leftAlone({ source: of.east, target: of.west });
    const kept = await of.west.query<{ id: number; xmin: string }>('select id, xmin::text from big');
    expect(kept.length).toBeGreaterThan(0);
    await catchUp(of.project);
    const now = new Map((await of.west.query<{ id: number; xmin: string }>('select id, xmin::text from big')).map(({ id, xmin }) => [id, xmin]));
    expect(kept.filter(({ id, xmin }) => now.get(id) !== xmin)).toEqual([]);
    await alike(of);
  });

  /** Such a row holds the first member's five already, in whichever range it came: counted as pending, they would come once more. */
  test('what the joining member writes as soon as its table is there meets exactly what its rows lack', { timeout: 120_000 }, async () => {
    const of = await seeding({ tables: [{ table: 'public.big', onConflict: { counters: ['n'], otherwise: 'last-update-wins' } }, 'public.audit'] });
    await cut(of, 'copy.after-range', 3);
    await of.east.script("update big set n = n + 5, v = v || '!'");
    const state = { wrote: false };
    await catchUp(of.project, async (point) => {
      if (point !== 'masters.before-look' || state.wrote) return;
      if ((await of.west.query('select from sarrio.initial_copy where relation = $1', ['public.big'])).length === 0) return;
      if (state.wrote) return;
      state.wrote = true;
      await of.west.script('update big set n = n + 1 where id <= 1000');
      await of.east.script('update big set n = n + 10 where id <= 500');
    });
    expect(state.wrote).toBe(true);
    await alike(of);
    const sums = 'select n, count(*)::int as rows from big group by n order by n';
    expect(await of.west.query(sums)).toEqual([
      { n: 5, rows: 39000 },
      { n: 6, rows: 500 },
      { n: 16, rows: 500 },
    ]);
  });

  test('all masters write while it is copied, the joining one what it has by then', { timeout: 120_000 }, async () => {
    const of = await seeding({ copy: { chunk: '1 MB', rate: '3 MB' } });
    const state = { on: true, told: 0 };
    onTestFinished(() => {
      state.on = false;
    });
    const write = async (database: TestDatabase, statement: (turn: number) => string): Promise<void> => {
      for (let turn = 1; state.on; turn += 1) {
        await database.script(statement(turn));
        await pause(10);
      }
    };
    const following = follow(of.project);
    const writers = [
      write(of.east, (turn) => `update big set n = n + 1, v = 'east ${turn}' where id % 400 = ${turn % 200}; insert into audit values ('east', ${turn})`),
      write(
        of.north,
        (turn) => `update big set n = n + 1, v = 'north ${turn}' where id % 400 = ${200 + (turn % 200)}; insert into audit values ('north', ${turn})`,
      ),
    ];
    const isThere = (table: string) =>
      following.events.some((event) => event.kind === 'copy-finished' && event.table === table && event.stream.target === 'west');
    await waitUntil('the audit is there', async () => isThere('public.audit'), { timeoutMs: 60_000 });
    expect(isThere('public.big')).toBe(false);
    writers.push(
      write(of.west, (turn) => {
        state.told = turn;
        return `insert into audit values ('west', ${turn})`;
      }),
    );
    await waitUntil('all is there', async () => isThere('public.big'), { timeoutMs: 60_000 });
    state.on = false;
    await Promise.all(writers);
    await following.stop();
    await catchUp(of.project);
    await alike(of);
    const lines = await of.east.query("select from audit where member = 'west'");
    expect(lines).toHaveLength(state.told);
    expect(await of.west.query("select from sarrio.conflict where relation = 'public.audit'")).toEqual([]);
  });

  test('the others do not wait: their rounds go on while it is copied, over a failure of the copy, too, and what came meanwhile comes to it', {
    timeout: 120_000,
  }, async () => {
    const of = await seeding();
    const gate = { passed: 0, isOpen: false };
    const following = follow(of.project, async (point) => {
      if (point !== 'copy.before-range-commit') return;
      gate.passed += 1;
      if (gate.passed === 2) throw new Error('a range fails');
      await waitUntil('the gate opens', async () => gate.isOpen, { timeoutMs: 60_000 });
    });
    await waitUntil('ranges are on their way', async () => gate.passed > 0, { timeoutMs: 60_000 });
    for (const line of [1, 2, 3]) {
      await of.north.script(`insert into audit values ('north', ${line}); update big set n = n + 1, v = 'round ${line}' where id = ${line}`);
      const [sql, lines] = ['select from audit where member = $1 and line = $2', ['north', line]] as const;
      await waitUntil('a line of north is at east', async () => (await of.east.query(sql, lines)).length === 1, { timeoutMs: 60_000 });
    }
    expect(await finished(of)).toBe(0);
    gate.isOpen = true;
    const isJoined = async () => (await of.west.query("select from sarrio.initial_copy where relation = 'public.big' and is_joined")).length === 1;
    await waitUntil('west has joined', isJoined, { timeoutMs: 60_000 });
    await following.stop();
    await catchUp(of.project);
    await alike(of);
    expect(await of.west.query("select from big where v = 'round 3' and n = 1")).toHaveLength(1);
  });

  test.each([
    ['into a key that has not come yet', "insert into big values (39999, 39999, 1, 'of west')"],
    ['into a key of nobody, with a unique value that has not come yet', "insert into big values (700000, 39999, 1, 'of west')"],
    ['to a row that has come', 'update big set n = n + 1 where id = 1'],
    ['and takes a row away that has come', 'delete from big where id = 1'],
  ])(
    'what an application writes %s stops the copy (SAR644); nothing of it is written over until somebody says so',
    { timeout: 120_000 },
    async (_, statement) => {
      const of = await seeding();
      await cut(of, 'copy.after-range', 3);
      await of.west.script("insert into audit values ('west', 1)");
      await of.west.script(statement);
      const before = await of.west.query('select * from big order by id');
      await expect(catchUp(of.project)).rejects.toMatchObject({ diagnostics: [{ code: 'SAR644' }] });
      expect(await of.west.query('select * from big order by id')).toEqual(before);
      const { dir, env } = of.project;
      expect((await runVerb(copyVerb, ['--sync', 'm', '--target', 'west', '--replace', '--generated', dir], { cwd: dir, env })).exit).toBe('ok');
      await catchUp(of.project);
      await alike(of);
    },
  );

  test('what is written at the last moment is seen, too', { timeout: 120_000 }, async () => {
    const of = await seeding();
    await cut(of, 'copy.after-range', 3);
    const state = { wrote: false };
    const last = catchUp(of.project, async (point) => {
      if (point !== 'copy.before-own-writes' || state.wrote) return;
      state.wrote = true;
      await of.west.script("insert into big values (700000, 700000, 1, 'of west')");
    });
    await expect(last).rejects.toMatchObject({ diagnostics: [{ code: 'SAR644' }] });
    expect(await of.west.query('select id, v from big where id = 700000')).toEqual([{ id: 700000, v: 'of west' }]);
  });
});
