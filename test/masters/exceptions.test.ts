import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type CliResult, sarrio } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { onAll } from '../support/follow.ts';
import { rowsOf } from '../support/masters.ts';

/** By table, what its handler says of a row that west does not take. */
const HANDLERS = {
  kept: "() => keep('west')",
  parked: "(failure) => (failure.error.code === '23514' && failure.database === 'west' && failure.row('east')?.['v'] === 'bad' ? park() : stop())",
  halted: '() => stop()',
  again: '() => retry()',
  absurd: "() => take('east')",
} as const;

const NAMES = [...Object.keys(HANDLERS), 'plain', 'fine'];
type Project = { readonly east: TestDatabase; readonly west: TestDatabase; run(...args: readonly string[]): Promise<CliResult> };

async function project(): Promise<Project> {
  const [east, west] = [await freshDatabase('east'), await freshDatabase('west')];
  await onAll([east, west], NAMES.map((name) => `create table ${name} (id integer primary key, v text);`).join('\n'));
  await east.script(NAMES.map((name) => `insert into ${name} values (1, 'old'), (2, 'old')`).join(';'));
  const dir = await mkdtemp(join(tmpdir(), 'sarrio-exceptions-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const tables = Object.entries(HANDLERS).map(([name, handler]) => `{ table: 'public.${name}', onException: ${handler} }`);
  await writeFile(
    join(dir, 'replication.config.ts'),
    `import { defineReplication, env, keep, park, retry, stop, take } from 'sarrio';
    export default defineReplication({
      databases: { east: env('EAST_URL'), west: env('WEST_URL') },
      syncs: { m: { mode: 'multi-master', members: ['east', 'west'], onConflict: 'last-update-wins', tables: ['public.*', ${tables.join(', ')}] } },
    } as never);
    void [keep, park, retry, stop, take];`,
  );
  const run = (...args: readonly string[]) => sarrio(args, { cwd: dir, env: { EAST_URL: east.url, WEST_URL: west.url } });
  for (const args of [['pull'], ['compile'], ['apply'], ['run', '--until-caught-up']]) {
    const { exitCode, stderr, stdout } = await run(...args);
    expect(`${args[0]} ${exitCode} ${exitCode === 0 ? '' : stderr + stdout}`).toBe(`${args[0]} 0 `);
  }
  return { east, west, run };
}

test('what a handler says of a row that a member does not take: keep, park, stop, try again; nonsense stops its table; the others go on', {
  timeout: 120_000,
}, async () => {
  const { east, west, run } = await project();
  await west.script(
    NAMES.slice(0, -1)
      .map((name) => `alter table ${name} add constraint good check (v <> 'bad')`)
      .join(';'),
  );
  await east.script(NAMES.map((name) => `update ${name} set v = 'bad' where id = 1; update ${name} set v = 'new' where id = 2`).join(';'));
  const { exitCode, stderr } = await run('run', '--until-caught-up');
  expect(exitCode).toBe(3);
  const both = async (table: string): Promise<unknown> => [await rowsOf(east, table), await rowsOf(west, table)];
  expect(await both('fine')).toEqual([
    ['(1,bad)', '(2,new)'],
    ['(1,bad)', '(2,new)'],
  ]);
  expect(await both('kept')).toEqual([
    ['(1,old)', '(2,new)'],
    ['(1,old)', '(2,new)'],
  ]);
  expect(await both('parked')).toEqual([['(2,new)'], ['(2,new)']]);
  for (const table of ['halted', 'again', 'absurd', 'plain']) expect([table, await rowsOf(west, table)]).toEqual([table, ['(1,old)', '(2,old)']]);
  const parked = await west.query("select relation, key, row ->> 'v' as v, error_code from sarrio.parked");
  expect(parked).toEqual([{ relation: 'public.parked', key: { id: '1' }, v: 'bad', error_code: '23514' }]);
  const recorded = await west.query<{ what: string }>("select concat_ws(' ', relation, kind, strategy, decision) as what from sarrio.conflict order by 1");
  expect(recorded.map(({ what }) => what)).toEqual(['public.kept error 23514 handler take west', 'public.parked error 23514 handler park']);
  expect(stderr).toMatch(/SAR623: table public.halted is stopped/);
  expect(stderr).toMatch(/SAR623: table public.plain is stopped/);
  expect(stderr).toMatch(/SAR624: table public.again is stopped.*retry\(\) for the 4th time/);
  expect(stderr).toMatch(/SAR624: table public.absurd is stopped.*take\(…\)/);
  const stopped = await west.query<{ relation: string }>('select relation, key from sarrio.stopped order by relation');
  expect(stopped).toEqual(['absurd', 'again', 'halted', 'plain'].map((table) => ({ relation: `public.${table}`, key: { id: '1' } })));
  await west.script(
    NAMES.slice(0, -1)
      .map((name) => `alter table ${name} drop constraint good`)
      .join(';'),
  );
  expect((await run('run', '--until-caught-up')).exitCode).toBe(0);
  for (const table of ['halted', 'again', 'absurd', 'plain'])
    expect(await both(table)).toEqual([
      ['(1,bad)', '(2,new)'],
      ['(1,bad)', '(2,new)'],
    ]);
});
