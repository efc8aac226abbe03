import { expect, test } from 'vitest';
import { sarrio } from '../support/cli.ts';
import { at, masters, type Masters } from '../support/masters.ts';

const T = 'create table t (id integer primary key, v text, password text);';

async function inConflict(east: string, west: string): Promise<Masters> {
  const sync = { tables: [{ table: 'public.t', mask: ['password'] }] };
  const between = await masters(T, { sync, seed: "insert into t values (1, 'old', 'secret old')" });
  await at(between.members, 0).script(east);
  await at(between.members, 1).script(west);
  await between.settles();
  return between;
}

const run = ({ project }: Masters, ...args: readonly string[]) => sarrio(['conflicts', ...args, '--generated', project.dir], { env: project.env });

async function idOf(between: Masters): Promise<string> {
  const [row] = await at(between.members, 0).query<{ id: string }>('select id::text as id from sarrio.conflict');
  return row?.id ?? '';
}

test('a masked column is in no record; undo leaves its value as it stands', async () => {
  const between = await inConflict("update t set v = 'east', password = 'secret east'", "update t set v = 'west', password = 'secret west'");
  for (const member of between.members) {
    const [record] = await member.query<{ versions: string }>('select versions::text as versions from sarrio.conflict');
    expect(record?.versions).not.toContain('secret');
    expect(JSON.parse(record?.versions ?? '')).toMatchObject([
      { row: { v: 'east', password: '(masked)' }, masked: ['password'] },
      { row: { password: '(masked)' } },
    ]);
  }
  const id = await idOf(between);
  const shown = await run(between, 'show', id);
  expect(shown.stdout).toMatch(/\? password +\(masked\)/);
  expect(shown.stdout).toMatch(/\* v +east/);
  expect((await run(between, 'undo', id)).exitCode).toBe(0);
  expect(await between.rows()).toEqual(['(1,east,"secret west")']);
});

test('undo refuses to bring a row back whose values were not recorded', async () => {
  const between = await inConflict("update t set password = 'secret east'", 'delete from t');
  const refused = await run(between, 'undo', await idOf(between));
  expect(refused.exitCode).toBe(3);
  expect(refused.stderr).toContain('SAR314');
  expect(await between.rows()).toEqual([]);
});
