import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { verb as kickVerb } from '../../src/commands/kick.ts';
import { buildOnce } from '../support/build.ts';
import { freshDatabase } from '../support/databases.ts';
import { migratingProject } from '../support/migrating.ts';
import { runVerb } from '../support/run-verb.ts';
import { waitUntil } from '../support/wait.ts';

beforeAll(buildOnce, 180_000);

test('a migration of a full copy waits for the one under way, no other begins until it is through, and the next one fits', async () => {
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  for (const database of [source, target]) await database.script('create table t (id integer primary key, old text)');
  await source.script("insert into t values (1, 'first')");
  const project = await migratingProject(
    { source, target },
    { s: { mode: 'full-copy', source: 'source', targets: ['target'], tables: ['public.t'], method: 'swap' } },
  );
  const kick = async (): Promise<void> => {
    const args = ['--sync', 's', '--generated', join(project.dir, 'generated')];
    expect(await runVerb(kickVerb, args, { cwd: project.dir, env: project.env })).toMatchObject({ exit: 'ok' });
  };
  const copies = async (): Promise<unknown> => (await target.query('select copies::int from sarrio.full_copy'))[0]?.['copies'];
  const isThere = async (column: string): Promise<boolean> =>
    (await target.query("select from pg_attribute where attrelid = 't'::regclass and attname = $1", [column])).length > 0;
  project.run();
  await waitUntil('the first copy is there', async () => (await copies()) === 1);

  const [sql, args] = ['alter table t add column note text', ['--allow', 'expose-column:s/public.t.note']];
  const copying = await target.connect();
  await copying.query('begin; select from sarrio.full_copy for update');
  const migrating = project.migrate('add.sql', sql, '--ddl-lock-timeout', '50ms', ...args);
  await waitUntil('the migration has begun', async () => (await target.query('select from sarrio.migration')).length === 1);
  await waitUntil(
    'it waits for the copy',
    async () =>
      (
        await target.query(
          "select from pg_stat_activity where application_name = 'sarrio install' and wait_event_type = 'Lock' and datname = current_database()",
        )
      ).length > 0,
  );
  expect(await isThere('note')).toBe(false);
  await copying.query('commit');
  await copying.end();
  expect(await migrating).toMatchObject({ exit: 'ok', diagnostics: [] });
  await source.script("update t set note = 'noted'");
  await kick();
  await waitUntil('the next copy brings the new column', async () => {
    if ((await target.query("select from t where note = 'noted'")).length === 1) return true;
    throw new Error(JSON.stringify(project.events.slice(-8)));
  });

  const made = await copies();
  await project.migrateKilled('drop.sql', 'alter table t drop column old', { at: 'migrate.target.committed' });
  await kick();
  await waitUntil('the copy rests', () => project.events.some((event) => event.kind === 'stream' && event.state === 'paused'));
  expect(await copies()).toBe(made);
  expect(await project.migrate('drop.sql', 'alter table t drop column old')).toMatchObject({ exit: 'ok', diagnostics: [] });
  await waitUntil('what was asked for meanwhile comes', async () => (await copies()) !== made);
  expect(await target.query('select * from t')).toEqual([{ id: 1, note: 'noted' }]);
}, 120_000);
