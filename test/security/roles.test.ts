import { beforeAll, describe, expect, test } from 'vitest';
import type { SarrioError } from '../../src/plan/errors.ts';
import { readStatus } from '../../src/runner/8-round/status.ts';
import { refuseMissingRights, refuseRoundsWithoutRights } from '../../src/runner/5-inspect/own-rights.ts';
import { readSchema } from '../../src/runner/5-inspect/read-schema.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { sarrio } from '../support/cli.ts';
import { buildOnce } from '../support/build.ts';
import type { TestDatabase } from '../support/database.ts';
import { differingRows } from '../support/compare.ts';
import { installation } from '../support/installation.ts';
import { catchUp } from '../support/follow.ts';
import { changeShared, type Guarded, guarded, lendReplication, type Roles, roleUrl, runHints, serverMajor } from '../support/roles.ts';
import { purging } from '../support/purging.ts';

const SCHEMA = `
  create table t (id integer primary key, v text);
  create table p (id integer primary key, v text) partition by range (id);
  create table p_low partition of p for values from (0) to (1000);
  create table p_high partition of p for values from (1000) to (2000);
`;
const SYNCS = { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.*'] } } as const;
const ROLES = ({ runner, reader }: Roles) => ({ runner, reader });
const TABLES = ['public.t', 'public.p'];

beforeAll(buildOnce, 60_000);

test('an owner, a runner and a reader without superuser: every verb with exactly the rights that the README tells', async () => {
  const { source, target, roles, project, as } = await guarded(SCHEMA);
  await source.script("insert into t select g, 'first' from generate_series(1, 500) g; insert into p select g, 'x' from generate_series(500, 1500) g");
  const pulled = await connect({ database: 'source', url: roleUrl(source, roles.reader), variable: 'X', role: 'inspect' });
  expect((await readSchema(pulled, ['public'])).schema.tables.length).toBe(4);
  await pulled.close();
  expect((await project.plan()).diagnostics).toEqual([]);
  expect(await project.apply()).toMatchObject({ exit: 'ok', diagnostics: [] });
  expect((await project.plan()).data).toMatchObject({ steps: [] });
  const running = as(roles.runner);
  await catchUp(running);
  await source.script("update t set v = 'second' where id % 2 = 0; delete from t where id % 5 = 0; update p set id = id + 1 where id = 1500; truncate p_low");
  await source.script('insert into t select g from generate_series(1001, 13000) g');
  await catchUp(running);
  expect(await differingRows(source, target, ...TABLES)).toEqual([]);
  expect(await purgeAs(roles.runner)).toBe(true);
  const { plan } = await project.generated();
  const status = await readStatus(plan, async (database) => {
    const session = await connect({ database, url: as(roles.reader).env[`${database.toUpperCase()}_URL`] ?? '', variable: 'X', role: 'status' });
    await refuseMissingRights(plan, session, 'reader');
    return session;
  });
  expect(status).toMatchObject([{ sync: 's', pending: 0, lastError: null }]);
  const program = { env: running.env };
  for (const args of [['verify'], ['pause', '--sync', 's'], ['resume', '--sync', 's'], ['copy', '--sync', 's', '--target', 'target', '--replace']]) {
    const ended = await sarrio([...args, '--generated', project.dir], program);
    expect({ ...ended, args }).toMatchObject({ exitCode: 0 });
  }
  await source.script("update t set v = 'third'");
  await catchUp(running);
  expect(await differingRows(source, target, ...TABLES)).toEqual([]);
  expect(await project.destroy('--confirm', 'sarrio')).toMatchObject({ exit: 'ok', diagnostics: [] });
  expect(await source.query("select nspname from pg_namespace where nspname = 'sarrio'")).toEqual([]);

  /** Switches and empties segments as the role; whether anything was purged. */
  async function purgeAs(role: string): Promise<boolean> {
    const purger = await purging({ ...source, url: roleUrl(source, role) }, (await project.generated()).plan);
    await purger.once();
    await purger.once();
    await purger.close();
    return purger.events.some(({ kind }) => kind === 'purged');
  }
});

describe('a right that is missing is named at plan, with the statement that gives it:', () => {
  const cases: readonly (readonly [string, string, (place: Guarded) => string, string])[] = [
    ['to create the schema', 'source', ({ roles, source }) => `revoke create on database ${source.name} from ${roles.owner}`, 'SAR407'],
    ['to create triggers', 'source', ({ roles }) => `revoke trigger on t from ${roles.owner}`, 'SAR407'],
    ['to create triggers on a partition', 'source', ({ roles }) => `revoke trigger on p_low from ${roles.owner}`, 'SAR407'],
    ['of the runner to read', 'source', ({ roles }) => `revoke select on p from ${roles.runner}`, 'SAR408'],
    [
      'of the runner to use the schema',
      'source',
      ({ roles }) => `revoke usage on schema public from public; grant usage on schema public to ${roles.owner}`,
      'SAR408',
    ],
    ['of the runner to write', 'target', ({ roles }) => `revoke insert, delete on t from ${roles.runner}`, 'SAR408'],
    ['of the runner to stage', 'target', ({ roles, target }) => `revoke temporary on database ${target.name} from ${roles.runner}`, 'SAR408'],
    ['of the runner where rows are hidden', 'source', () => 'alter table t enable row level security', 'SAR408'],
    ['of the runner where rows are hidden on the target', 'target', () => 'alter table t enable row level security', 'SAR408'],
  ];
  test.each(cases)('%s', async (_, side, take, code) => {
    const place = await guarded(SCHEMA);
    const { project } = place;
    const database = side === 'source' ? place.source : place.target;
    expect((await project.plan()).diagnostics).toEqual([]);
    await database.script(take(place));
    const refused = await project.apply();
    expect(refused.exit).toBe('refused');
    expect(refused.diagnostics.map((each) => each.code)).toEqual(refused.diagnostics.map(() => code));
    await runHints(database, refused.diagnostics);
    expect(await project.apply()).toMatchObject({ exit: 'ok', diagnostics: [] });
  });

  test('to set session_replication_role', async () => {
    const place = await guarded(SCHEMA);
    await takeReplication(place.target, place.roles.runner);
    const { diagnostics } = await place.project.apply();
    expect(diagnostics).toMatchObject([{ code: 'SAR403' }]);
    await runHints(place.target, diagnostics);
    expect(await place.project.apply()).toMatchObject({ exit: 'ok', diagnostics: [] });
    await catchUp(place.as(place.roles.runner));

    await takeReplication(place.target, place.roles.runner);
    await expect(catchUp(place.as(place.roles.runner))).rejects.toThrow('SAR403');
  });

  test('a role that does not exist', async () => {
    const place = await guarded(SCHEMA);
    const { reader } = place.roles;
    await place.source.script(`revoke all on database ${place.source.name} from ${reader}`);
    await place.target.script(`revoke all on database ${place.target.name} from ${reader}; alter role ${reader} rename to gone_${reader}`);
    const { diagnostics } = await place.project.apply();
    expect(diagnostics.map(({ code, where }) => `${code} ${where}`)).toEqual(['SAR430 database source', 'SAR430 database target']);
    await runHints(place.source, diagnostics.slice(0, 1));
    expect(await place.project.apply()).toMatchObject({ exit: 'ok' });
    await place.source.script(`drop role gone_${reader}`);
  });
});

/** Undoes what lets the runner set session_replication_role. */
async function takeReplication(database: TestDatabase, role: string): Promise<void> {
  const isGranted = (await serverMajor(database)) >= 15;
  await changeShared(database, isGranted ? `revoke set on parameter session_replication_role from ${role}` : 'drop schema sarrio_admin cascade');
}

describe('a right on an object of ours that was taken away', () => {
  test('is named, each one, with the GRANT, before the runner or status begins', async () => {
    const { source, target, roles, project, as } = await guarded(SCHEMA);
    await project.apply();
    const { plan } = await project.generated();
    for (const database of [source, target]) {
      const name = database === source ? 'source' : 'target';
      for (const role of ['runner', 'reader'] as const) {
        const held = await database.query<{ kind: string; name: string; privilege: string }>(HELD, [roles[role]]);
        expect(held.length).toBeGreaterThan(3);
        const session = await connect({ database: name, url: roleUrl(database, roles[role]), variable: 'X', role: role === 'runner' ? 'listen' : 'status' });
        const ask = () => (role === 'runner' ? refuseRoundsWithoutRights(plan, session) : refuseMissingRights(plan, session, 'reader'));
        for (const { kind, name: object, privilege } of held) {
          await database.script(`revoke ${privilege} on ${kind} ${object} from ${roles[role]}`);
          const error = await ask().then(
            () => null,
            (each: SarrioError) => each,
          );
          expect(
            error?.diagnostics.map(({ code }) => code),
            `${role}: ${privilege} on ${object}`,
          ).toEqual(['SAR431']);
          expect(error?.message).toContain(`GRANT ${privilege} ON ${kind.toUpperCase()} ${object} TO ${roles[role]};`);
          await database.script(`grant ${privilege} on ${kind} ${object} to ${roles[role]}`);
        }
        await ask();
        await session.close();
      }
    }
    await source.script(`revoke update on sarrio.acknowledged from ${roles.runner}`);
    await expect(catchUp(as(roles.runner))).rejects.toThrow(/SAR431.*lacks rights.*[\s\S]*GRANT UPDATE ON TABLE sarrio.acknowledged/);
    expect((await project.plan()).data).toMatchObject({ steps: [{ kind: 'repair', object: { name: 'sarrio.acknowledged' } }] });
    await project.apply();
    await catchUp(as(roles.runner));
  });

  test('whoever does not own what stands is refused by plan, apply and destroy', async () => {
    const { roles, project, source, target, as } = await guarded(SCHEMA);
    await project.apply();
    const { SOURCE_URL = '', TARGET_URL = '' } = as(roles.runner).env;
    const stranger = await installation({ databases: { source, target }, syncs: SYNCS, urls: { source: SOURCE_URL, target: TARGET_URL }, roles: ROLES(roles) });
    for (const outcome of [await stranger.plan(), await stranger.apply(), await stranger.destroy('--confirm', 'sarrio')]) {
      expect(outcome.exit).toBe('refused');
      expect(outcome.diagnostics[0]?.code).toBe('SAR407');
    }
    expect((await source.query('select from sarrio.installed')).length).toBeGreaterThan(5);
  });
});

const HELD = `
  select 'schema' as kind, 'sarrio' as name, privilege_type as privilege from pg_namespace, aclexplode(nspacl) where nspname = 'sarrio' and grantee = $1::regrole
  union all
  select case relkind when 'S' then 'sequence' else 'table' end, 'sarrio.' || quote_ident(relname), privilege_type from pg_class, aclexplode(relacl)
  where relnamespace = 'sarrio'::regnamespace and grantee = $1::regrole
  union all
  select 'function', replace(oid::regprocedure::text, ',', ', '), privilege_type from pg_proc, aclexplode(proacl) where pronamespace = 'sarrio'::regnamespace and grantee = $1::regrole`;

describe('rights of others on what is ours', () => {
  test('are drift, and apply takes them away', async () => {
    const { source, roles, project, as } = await guarded(SCHEMA);
    await project.apply();
    const app = roles.reader;
    await source.script(`grant all on sarrio.delta_public_t, sarrio.watermark to public; grant insert (id) on sarrio.segment1_public_t to ${app};
      grant create on schema sarrio to ${app}; grant all on sequence sarrio.wake_s to ${app}; grant execute on function sarrio.capture_public_t() to ${app} with grant option`);
    const { data } = await project.plan();
    expect((data as { steps: { id: string }[] }).steps.map(({ id }) => id)).toEqual([
      'source: repair schema sarrio',
      'source: repair table sarrio.watermark',
      'source: repair sequence sarrio.wake_s',
      'source: repair table sarrio.delta_public_t',
      'source: repair table sarrio.segment1_public_t',
      'source: repair function sarrio.capture_public_t()',
      // Nobody can tell what the function did before it was changed, and a GRANT changes it too.
      'source: refresh rows public.t',
    ]);
    expect((await project.apply()).exit).toBe('ok');
    expect((await project.plan()).data).toMatchObject({ steps: [] });
    expect(await source.query(HELD, [app])).not.toContainEqual(expect.objectContaining({ privilege: expect.stringMatching(/INSERT|UPDATE|CREATE|EXECUTE/) }));
    await catchUp(as(roles.runner));
  });

  test('of a role that left the config go with the next apply', async () => {
    const { source, target, roles, project } = await guarded(SCHEMA);
    await project.apply();
    const unnamed = await installation({
      databases: { source, target },
      syncs: SYNCS,
      urls: { source: roleUrl(source, roles.owner), target: roleUrl(target, roles.owner) },
    });
    const { diagnostics } = await unnamed.apply();
    expect(diagnostics.filter(({ code }) => code === 'SAR408' || code === 'SAR403').length).toBeGreaterThan(0);
    await target.script(`grant select, insert, update, delete on all tables in schema public to ${roles.owner}`);
    await source.script(`grant select on all tables in schema public to ${roles.owner}; grant temporary on database ${target.name} to ${roles.owner}`);
    await lendReplication(target, roles.owner);
    expect(await unnamed.apply()).toMatchObject({ exit: 'ok', diagnostics: [] });
    expect(await source.query(HELD, [roles.runner])).toEqual([]);
    expect(await target.query(HELD, [roles.reader])).toEqual([]);
  });
});
