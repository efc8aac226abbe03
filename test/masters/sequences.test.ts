import { describe, expect, test } from 'vitest';
import type { MultiMasterSync } from '../../src/index.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, follow, onAll } from '../support/follow.ts';
import { type Installation, installation } from '../support/installation.ts';
import type { Outcome } from '../support/run-verb.ts';
import { at, expectAlike } from '../support/masters.ts';

const TABLES = ['public.t', 'public.u'];
const T = `
  create table t (id bigserial primary key, who text);
  create table u (id integer generated always as identity (cache 5) primary key, who text);
`;
const syncOf = (...members: string[]): Readonly<Record<string, MultiMasterSync>> => ({
  m: { mode: 'multi-master', members, tables: TABLES, onConflict: 'stop', sequences: 'interleave' },
});

/** Four databases, of which the first three are masters; the first has rows and its sequences have gone on further still. */
async function four(): Promise<{ members: readonly TestDatabase[]; project: Installation }> {
  const names = ['east', 'west', 'north', 'south'];
  const members: TestDatabase[] = [];
  for (const name of names) members.push(await freshDatabase(name));
  await onAll(members, T);
  await at(members, 0).script("insert into t (who) select 'seed' from generate_series(1, 100); insert into u (who) select 'seed' from generate_series(1, 100)");
  await at(members, 1).script("select setval('t_id_seq', 70000)");
  const databases = Object.fromEntries(names.map((name, index) => [name, at(members, index)]));
  return { members, project: await installation({ databases, syncs: syncOf('east', 'west', 'north') }) };
}

/** Several sessions at once, each with its own transactions and cached values. */
async function insertAtAll(members: Readonly<Record<string, TestDatabase>>): Promise<void> {
  const sessions = Object.entries(members).flatMap(([name, database]) =>
    [name, name].map(async (who) => {
      const client = await database.connect();
      for (let turn = 0; turn < 40; turn += 1) await client.query(`insert into t (who) values ('${who}'), ('${who}'); insert into u (who) values ('${who}')`);
      await client.end();
    }),
  );
  await Promise.all(sessions);
}

/** What is left when the values of a member's rows are divided by the slots. */
async function slots(database: TestDatabase, table: string): Promise<Readonly<Record<string, string>>> {
  const rows = await database.query<{ who: string; slots: string }>(
    `select who, string_agg(distinct (id % 8)::text, ',' order by (id % 8)::text) as slots from ${table} where who <> 'seed' group by who`,
  );
  return Object.fromEntries(rows.map((row) => [row.who, row.slots]));
}

const errors = ({ diagnostics }: Outcome): readonly string[] => diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code);

test('three masters insert at the same time and never meet; a fourth one comes later and changes nothing for them', { timeout: 120_000 }, async () => {
  const { members, project } = await four();
  const [east, west, north, south] = [at(members, 0), at(members, 1), at(members, 2), at(members, 3)];
  const planned = await project.plan();
  expect(planned.text).toContain(
    'ALTER SEQUENCE public.t_id_seq INCREMENT BY 8 START WITH 196609 RESTART (slot 1 of 8; lock: SHARE ROW EXCLUSIVE on the sequence',
  );
  // Values drawn meanwhile do not make another plan of it.
  await west.query("select nextval('t_id_seq')");
  expect((await project.plan()).data).toMatchObject({ id: (planned.data as { id: string }).id });
  // A session that has cached values of the old kind gives none of them any more.
  const old = await west.connect();
  await old.query("select nextval('u_id_seq')");
  expect(errors(await project.apply())).toEqual([]);
  expect((await project.plan('--exit-code')).exit).toBe('ok');
  expect((await old.query<{ value: string }>("select nextval('u_id_seq') % 8 as value")).rows).toEqual([{ value: '2' }]);
  await old.end();

  await catchUp(project);
  const running = follow(project);
  await insertAtAll({ east, west, north });
  await running.stop();
  await catchUp(project);
  await expectAlike([east, west, north], TABLES);
  expect(await slots(east, 't')).toEqual({ east: '1', west: '2', north: '3' });
  expect(await slots(east, 'u')).toEqual({ east: '1', west: '2', north: '3' });
  expect(await east.query('select count(*)::int as n from t')).toEqual([{ n: 100 + 3 * 2 * 80 }]);

  await project.compile(syncOf('east', 'west', 'north', 'south'));
  const more = await project.plan();
  expect(more.text.match(/ALTER SEQUENCE/g)).toHaveLength(2);
  expect(errors(await project.apply())).toEqual([]);
  await catchUp(project);
  await insertAtAll({ east, south });
  await catchUp(project);
  await expectAlike(members, TABLES);
  expect(await slots(south, 't')).toEqual({ east: '1', west: '2', north: '3', south: '4' });

  const destroyed = await project.destroy('--confirm', 'sarrio');
  expect(destroyed.diagnostics.filter(({ code }) => code === 'SAR318')).toHaveLength(8);
  expect(await east.query("select nextval('t_id_seq') % 8 as slot")).toEqual([{ slot: '1' }]);
});

describe('drift, and what cannot be interleaved', () => {
  test('a sequence that somebody has set is put right, above all rows', async () => {
    const { members, project } = await four();
    const east = at(members, 0);
    expect(errors(await project.apply())).toEqual([]);
    await east.script("insert into t (who) values ('east'); select setval('t_id_seq', 196601); alter sequence u_id_seq increment by 1");
    const { text, exit } = await project.plan('--exit-code');
    expect(exit).toBe('differs');
    expect(text).toContain('drift: it would give 196609 again, which stands in a row; somebody has set it back');
    expect(text).toContain('counts in steps of 1');
    expect(errors(await project.apply())).toEqual([]);
    await east.script("insert into t (who) values ('east')");
    expect(await slots(east, 't')).toEqual({ east: '1' });
    expect((await project.plan('--exit-code')).exit).toBe('ok');
  });

  test('cycles, counting downwards, no room, a sequence that is gone', async () => {
    const { members, project } = await four();
    const east = at(members, 0);
    const codes = async (script: string): Promise<readonly string[]> => {
      await east.script(script);
      return errors(await project.apply());
    };
    expect(await codes('alter sequence t_id_seq cycle')).toEqual(['SAR315']);
    expect(await codes('alter sequence t_id_seq no cycle; alter sequence u_id_seq increment by -1')).toEqual(['SAR316']);
    expect(await codes("alter sequence u_id_seq increment by 1; select setval('u_id_seq', 2147483600)")).toEqual(['SAR317', 'SAR317', 'SAR317']);
    expect(await codes("select setval('u_id_seq', 100); alter table t alter id drop default; drop sequence t_id_seq")).toEqual(['SAR319']);
  });
});
