import { describe, expect, test } from 'vitest';
import { loadGenerated } from '../../src/plan/generated-files.ts';
import { SarrioError } from '../../src/plan/errors.ts';
import { conflictById } from '../../src/runner/8-round/conflicts/read-conflicts.ts';
import { undoConflict } from '../../src/runner/8-round/conflicts/undo-conflict.ts';
import { forgetOldConflicts } from '../../src/runner/8-round/conflicts/forget-conflicts.ts';
import { sarrio } from '../support/cli.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { at, masters, type Masters, rowsOf } from '../support/masters.ts';
import { waitUntil } from '../support/wait.ts';

const T = 'create table t (id integer primary key, v text);';

async function inConflict(options: Parameters<typeof masters>[1] = {}): Promise<Masters> {
  const between = await masters(T, { seed: "insert into t values (1, 'old')", ...options });
  await at(between.members, 0).script("update t set v = 'east'");
  await at(between.members, 1).script("update t set v = 'west'");
  await between.settles();
  return between;
}

type Listed = { readonly data: { readonly conflicts: readonly { readonly id: string; readonly decision: string; readonly recordedAt: readonly string[] }[] } };

function run({ project }: Masters, ...args: readonly string[]) {
  return sarrio(['conflicts', ...args, '--generated', project.dir], { env: project.env });
}

async function listed(between: Masters): Promise<Listed['data']['conflicts']> {
  return (JSON.parse((await run(between, 'list', '--json')).stdout) as Listed).data.conflicts;
}

describe('the record of conflicts', () => {
  test('list --exit-code and parked --exit-code say by 2 that there is one', async () => {
    const between = await masters(T, { seed: "insert into t values (1, 'old')" });
    await between.settles();
    const exits = async (...args: readonly string[]) => (await run(between, ...args)).exitCode;
    expect(await exits('list', '--exit-code')).toBe(0);
    for (const [index, name] of ['east', 'west'].entries()) await at(between.members, index).script(`update t set v = '${name}'`);
    await between.settles();
    expect([await exits('list', '--exit-code'), await exits('list'), await exits('parked', '--exit-code')]).toEqual([2, 0, 0]);
  });

  test('names each once, from all members, and shows its versions', async () => {
    const between = await inConflict();
    const [conflict, ...others] = await listed(between);
    expect(others).toEqual([]);
    expect(conflict).toMatchObject({ decision: 'take west', recordedAt: ['east', 'west'] });
    const shown = await run(between, 'show', (conflict?.id ?? '').slice(0, 8));
    expect(shown.exitCode).toBe(0);
    expect(shown.stdout).toMatch(/\* v +east/);
    expect(shown.stdout).toMatch(/\* v +west/);
    expect((await run(between, 'show', '00000000')).exitCode).toBe(4);
    expect((await run(between, 'list', '--since', '1 hour', '--table', 'public.other')).stdout).toContain('No conflicts');
  });

  test('undo writes the version that lost as a change that goes to all, and not over what was changed since', async () => {
    const between = await inConflict({ count: 3 });
    const [conflict] = await listed(between);
    const id = conflict?.id ?? '';
    expect((await run(between, 'undo', id)).exitCode).toBe(0);
    expect(await between.rows()).toEqual(['(1,east)']);
    expect((await run(between, 'undo', id)).exitCode).toBe(3);
    expect((await run(between, 'undo', id, '--take', 'west', '--anyway')).exitCode).toBe(0);
    expect(await between.rows()).toEqual(['(1,west)']);
    expect((await run(between, 'undo', id, '--take', 'north')).exitCode).toBe(4);
  });

  test('undo looks and writes in one: what somebody changes in between is not written over', async () => {
    const between = await inConflict();
    const east = at(between.members, 0);
    const { plan } = await loadGenerated(between.project.dir);
    const sessions = await between.project.sessions();
    const session = sessions.get('east');
    if (session === undefined) throw new Error('no session');
    await session.query('set default_transaction_read_only = on; set session_replication_role = replica');
    const conflict = await conflictById([session], (await listed(between))[0]?.id ?? '');
    const version = conflict.versions.find(({ database }) => database === 'east');
    if (version === undefined) throw new Error('east has no version');
    const application = await east.connect();
    try {
      await application.query("begin; update t set v = 'new'");
      const undone = undoConflict(session, { plan, conflict, version, anyway: false }).then(
        () => 'written',
        (error: unknown) => (error instanceof SarrioError ? error.diagnostics[0]?.code : error),
      );
      const isWaiting = 'select from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())';
      await waitUntil('undo waits for the row', async () => (await east.query(isWaiting)).length > 0);
      await application.query('commit');
      expect(await undone).toBe('SAR632');
    } finally {
      await application.end();
    }
    expect(await between.rows()).toEqual(['(1,new)']);
  });

  test('is kept for as long as the sync says', async () => {
    const between = await inConflict({ sync: { keepConflicts: '2 hours' } });
    const { plan } = await loadGenerated(between.project.dir);
    const session = (await between.project.sessions()).get('east');
    if (session === undefined) throw new Error('no session');
    const kept = async (): Promise<number> => (await at(between.members, 0).query('select from sarrio.conflict')).length;
    await forgetOldConflicts(plan, session);
    expect(await kept()).toBe(1);
    await at(between.members, 0).query("update sarrio.conflict set decided_at = now() - interval '121 minutes'");
    await forgetOldConflicts(plan, session);
    expect(await kept()).toBe(0);
  });
});

test('a TRUNCATE at one master deletes the rows that it held at the others, and not what it never saw', async () => {
  const between = await masters(T, { seed: "insert into t select g, 'old' from generate_series(1, 5) g" });
  await at(between.members, 0).script("truncate t; insert into t values (3, 'after')");
  await at(between.members, 1).script("insert into t values (9, 'unseen')");
  expect(await between.rows()).toEqual(['(3,after)', '(9,unseen)']);
});

test('masters in a chain of syncs and a one-way copy behind them: everything arrives everywhere, and then all is quiet', async () => {
  const names = ['a', 'b', 'c', 'far'] as const;
  const databases = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await freshDatabase(name)] as const)));
  const list = names.map((name) => databases[name]).filter((database) => database !== undefined);
  await onAll(list, T);
  const project = await installation({
    databases,
    syncs: {
      one: { mode: 'multi-master', members: ['a', 'b'], tables: ['public.t'], onConflict: 'last-update-wins' },
      two: { mode: 'multi-master', members: ['b', 'c'], tables: ['public.t'], onConflict: 'last-update-wins' },
      three: { mode: 'one-way', source: 'c', targets: ['far'], tables: ['public.t'] },
    },
  });
  expect((await project.apply()).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  await catchUp(project);
  await at(list, 0).script("insert into t values (1, 'a')");
  await at(list, 1).script("insert into t values (2, 'b'), (4, 'b')");
  await at(list, 2).script("insert into t values (3, 'c'), (4, 'c')");
  await catchUp(project);
  const rows = await rowsOf(at(list, 0));
  expect(rows.length).toBe(4);
  for (const database of list) expect(await rowsOf(database)).toEqual(rows);
  expect((await catchUp(project)).filter(({ kind }) => kind === 'masters-round' || kind === 'round')).toEqual([]);
});
