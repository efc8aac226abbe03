import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verb as conflictsVerb } from '../../src/commands/conflicts.ts';
import { verb as kickVerb } from '../../src/commands/kick.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { mastersOf } from '../support/mastering.ts';
import { expectAlike } from '../support/masters.ts';
import { migratingProject } from '../support/migrating.ts';
import { type Outcome, runVerb } from '../support/run-verb.ts';
import { waitUntil } from '../support/wait.ts';

/** What was written down of rows before their table got other columns or another name. */
const SCHEMA = 'create table docs (id integer primary key, body text, code text unique)';

type Project = { readonly dir: string; readonly generated: string; readonly env: Readonly<Record<string, string>> };

const conflicts = (project: Project, ...args: readonly string[]): Promise<Outcome> =>
  runVerb(conflictsVerb, [...args, '--generated', project.generated], { cwd: project.dir, env: project.env });

type Listed = { readonly conflicts: readonly { readonly id: string; readonly kind: string }[] };

async function updated(project: Project): Promise<string> {
  const { conflicts: all } = (await conflicts(project, 'list')).data as Listed;
  return all.find(({ kind }) => kind === 'update/update')?.id ?? '';
}

test('a migration renames in the record, too: what was decided before it is undone, and a parked row comes back whole', async () => {
  const [east, west] = [await freshDatabase('east'), await freshDatabase('west')];
  await onAll([east, west], `${SCHEMA}; insert into docs values (1, 'both', 'a')`);
  const sync = mastersOf(['public.*'], ['east', 'west'], { existingRows: 'keep', onUnique: 'keep-earliest' });
  const project = await migratingProject({ east, west }, { m: sync });
  const before = project.run();
  await project.arrived();
  await before.stop();
  await east.script("update docs set body = 'of east' where id = 1; insert into docs values (2, 'stays', 'x')");
  await west.script("update docs set body = 'of west' where id = 1; insert into docs values (3, 'is parked', 'x')");
  project.run();
  await waitUntil('the row is parked', async () => (await west.query('select from sarrio.parked')).length === 1);
  await project.arrived();
  const at = { ...project, generated: join(project.dir, 'generated') };
  const id = await updated(at);
  for (const [name, sql] of [
    ['1.sql', 'alter table docs rename column body to content; alter table docs rename column id to number'],
    ['2.sql', 'alter table docs rename to papers'],
  ] as const) {
    expect(await project.migrate(name, sql, '--drain', '10s')).toMatchObject({ exit: 'ok', diagnostics: [] });
  }
  await project.arrived();
  expect(await conflicts(at, 'undo', id)).toMatchObject({ exit: 'ok', data: { taken: 'east' } });
  await west.script("update papers set code = 'free' where number = 2");
  await project.arrived();
  expect((await runVerb(kickVerb, ['--sync', 'm', '--generated', at.generated], { cwd: project.dir, env: project.env })).exit).toBe('ok');
  await waitUntil('the parked row is back', async () => (await east.query('select from papers where number = 3')).length === 1);
  await project.arrived();
  await expectAlike([east, west], ['public.papers']);
  expect(await east.query('select number, content, code from papers order by number')).toEqual([
    { number: 1, content: 'of east', code: 'a' },
    { number: 2, content: 'stays', code: 'free' },
    { number: 3, content: 'is parked', code: 'x' },
  ]);
}, 60_000);

test('where the columns were changed by hand a conflict is undone as far as anybody can tell, else refused with the reason', async () => {
  const [east, west] = [await freshDatabase('east'), await freshDatabase('west')];
  await onAll([east, west], `${SCHEMA}; insert into docs values (1, 'both', 'a')`);
  const syncs = { m: mastersOf(['public.docs'], ['east', 'west'], { existingRows: 'keep' }) };
  const project = await installation({ databases: { east, west }, syncs });
  const changed = async (sql: string): Promise<void> => {
    await onAll([east, west], sql);
    await project.compile();
    await project.approve();
    await catchUp(project);
  };
  await project.approve();
  await catchUp(project);
  await east.script("update docs set body = 'of east'");
  await west.script("update docs set body = 'of west'");
  await catchUp(project);
  const at = { ...project, generated: project.dir };
  const id = await updated(at);
  // A column that came later keeps its value; one that is gone is left out.
  await changed("alter table docs add column note text default 'later'");
  expect(await conflicts(at, 'undo', id)).toMatchObject({ exit: 'ok', data: { taken: 'east' } });
  await catchUp(project);
  expect(await west.query('select body, note from docs')).toEqual([{ body: 'of east', note: 'later' }]);
  await east.script('delete from docs');
  expect(await conflicts(at, 'undo', id, '--anyway')).toMatchObject({ exit: 'refused', diagnostics: [{ code: 'SAR635' }] });
  await changed('alter table docs drop column note; alter table docs rename column body to content');
  const refused = await conflicts(at, 'undo', id, '--anyway');
  expect(refused).toMatchObject({ exit: 'refused', diagnostics: [{ code: 'SAR635' }] });
  expect(refused.diagnostics[0]?.message).toContain('it speaks of id, body, code; the table has id, content, code');
  await changed('alter table docs rename column content to body; alter table docs alter column body type integer using 0');
  expect(await conflicts(at, 'undo', id, '--anyway')).toMatchObject({ exit: 'refused', diagnostics: [{ code: 'SAR635' }] });
  expect(await west.query('select from docs')).toEqual([]);
});
