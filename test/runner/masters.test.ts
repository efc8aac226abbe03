import { describe, expect, test } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { ourObjects } from '../support/catalog.ts';
import { installation } from '../support/installation.ts';
import { mastering, mastersOf } from '../support/mastering.ts';

const T =
  'create table t (id integer primary key, v text); create table parts (k integer primary key) partition by range (k); create table parts_1 partition of parts default;';
const BOTH = ['public.t', 'public.parts'];

async function places(...names: readonly string[]): Promise<Readonly<Record<string, TestDatabase>>> {
  const found: Record<string, TestDatabase> = {};
  for (const name of names) {
    found[name] = await freshDatabase(name);
    await found[name]?.script(T);
  }
  return found;
}

async function registered(database: TestDatabase | undefined): Promise<readonly string[]> {
  const rows = await database?.query<{ stream: string }>("select sync || ' -> ' || target as stream from sarrio.acknowledged order by 1");
  return (rows ?? []).map(({ stream }) => stream);
}

describe('a multi-master sync', () => {
  test('is applied, planned again to nothing, and taken away', async () => {
    const databases = await places('east', 'west');
    const project = await installation({ databases, syncs: { group: mastersOf(BOTH, ['east', 'west']) } });
    expect((await project.plan('--exit-code')).exit).toBe('differs');
    expect((await project.apply()).diagnostics).toEqual([]);
    expect((await project.plan('--exit-code')).exit).toBe('ok');
    expect(await registered(databases['east'])).toEqual(['group -> west']);
    expect(await registered(databases['west'])).toEqual(['group -> east']);
    expect((await databases['west']?.query('select (select count(*) from sarrio.conflict) as c, (select count(*) from sarrio.parked) as p'))?.length).toBe(1);
    expect((await project.destroy('--confirm', 'sarrio')).exit).toBe('ok');
    for (const database of Object.values(databases)) expect(await ourObjects(database)).toEqual([]);
  });

  test('takes a third member, and lets it go', async () => {
    const databases = await places('east', 'west', 'north');
    const project = await installation({ databases, syncs: { group: mastersOf(BOTH, ['east', 'west']) } });
    await project.apply();
    await project.compile({ group: mastersOf(BOTH, ['east', 'west', 'north']) });
    expect((await project.apply()).diagnostics).toEqual([]);
    expect((await project.plan('--exit-code')).exit).toBe('ok');
    expect(await registered(databases['east'])).toEqual(['group -> north', 'group -> west']);
    expect(await registered(databases['north'])).toEqual(['group -> east', 'group -> west']);
    await project.compile({ group: mastersOf(BOTH, ['east', 'west']) });
    const leaving = await project.plan('--exit-code');
    expect(leaving.text).toContain('drop-stream');
    const allowed = [
      'drop-stream:group/north',
      'drop-changes:sarrio.delta_public_t',
      'drop-changes:sarrio.delta_public_parts',
      'drop-stream:group/east',
      'drop-stream:group/west',
    ];
    expect((await project.apply(...allowed.flatMap((name) => ['--allow', name]))).diagnostics).toEqual([]);
    expect(await registered(databases['east'])).toEqual(['group -> west']);
    expect((await project.plan('--exit-code')).exit).toBe('ok');
  });

  test('refuses rows at members that join, but not at the first', async () => {
    const databases = await places('east', 'west');
    await databases['east']?.query("insert into t values (1, 'seed')");
    const project = await installation({ databases, syncs: { group: mastersOf(['public.t'], ['east', 'west']) } });
    expect((await project.plan()).diagnostics).toEqual([]);
    await databases['west']?.query("insert into t values (2, 'own')");
    const refused = await project.plan();
    expect(refused.diagnostics.map(({ code, where }) => `${code} ${where}`)).toEqual(['SAR415 database west, table public.t']);
    for (const existingRows of ['replace', 'keep'] as const) {
      await project.compile({ group: mastersOf(['public.t'], ['east', 'west'], { existingRows }) });
      expect((await project.plan()).diagnostics).toEqual([]);
    }
  });

  test('has its capture repaired when the TRUNCATE trigger is gone', async () => {
    const { east, project, captured } = await mastering(T);
    await captured("insert into t values (1, 'x')");
    await east.script('drop trigger sarrio_truncate_keys on t');
    expect((await project.plan('--exit-code')).exit).toBe('differs');
    expect((await project.apply()).exit).toBe('ok');
    expect(await captured('truncate t')).toEqual(['D 1', 'T']);
  });
});

describe('a chain of multi-master syncs', () => {
  test('is applied with one capture of the table that both read', async () => {
    const databases = await places('east', 'west', 'north');
    const syncs = { left: mastersOf(['public.t'], ['east', 'west']), right: mastersOf(['public.t'], ['west', 'north'], { onConflict: ['north'] }) };
    const project = await installation({ databases, syncs });
    expect((await project.apply()).diagnostics).toEqual([]);
    expect((await project.plan('--exit-code')).exit).toBe('ok');
    const { plan } = await project.generated();
    expect(plan.databases['west']?.captures.map(({ syncs: readers }) => readers)).toEqual([['left', 'right']]);
    const left = plan.syncs['left'];
    expect(left?.mode === 'multi-master' ? left.tables[0]?.masters.readers : null).toEqual({ west: [{ sync: 'right', sequence: 'sarrio.wake_right' }] });
  });
});
