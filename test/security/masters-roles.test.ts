import { expect, onTestFinished, test } from 'vitest';
import { freshDatabase } from '../support/databases.ts';
import { deltaEntries } from '../support/captured.ts';
import { installation } from '../support/installation.ts';
import { mastersOf } from '../support/mastering.ts';
import { lendReplication, roleUrl, runHints } from '../support/roles.ts';

const SCHEMA = `create table t (id integer primary key, v text) partition by range (id);
  create table t_low partition of t for values from (0) to (10); create table t_high partition of t for values from (10) to (20);`;

/** Two masters that an owner without superuser installs, who may put triggers on their tables and not read them. */
async function guardedMasters() {
  const [east, west] = [await freshDatabase('east'), await freshDatabase('west')];
  const [owner, runner, application] = ['owner', 'runner', 'application'].map((role) => `${role}_${east.name}`) as [string, string, string];
  const all = [owner, runner, application].join(', ');
  onTestFinished(async () => {
    for (const database of [east, west]) await database.script(`drop owned by ${all} cascade`);
    await east.script(`drop role ${all}`);
  });
  await east.script(`create role ${owner} login; create role ${runner} login; create role ${application} login;`);
  for (const database of [east, west]) {
    await database.script(`${SCHEMA} revoke create on schema public from public; grant create on database ${database.name} to ${owner};
      grant temporary on database ${database.name} to ${runner}; grant trigger on all tables in schema public to ${owner};
      grant select, insert, update, delete on all tables in schema public to ${runner};
      grant select, insert, truncate on all tables in schema public to ${application};`);
  }
  await lendReplication(east, runner);
  const project = await installation({
    databases: { east, west },
    syncs: { group: mastersOf(['public.t'], ['east', 'west']) },
    roles: { runner },
    urls: { east: roleUrl(east, owner), west: roleUrl(west, owner) },
  });
  return { east, west, owner, application, project };
}

test('the role that applies must be able to read what a TRUNCATE would take, and the application needs no right on anything of ours', async () => {
  const { east, west, owner, application, project } = await guardedMasters();
  const refused = await project.plan();
  expect(refused.diagnostics.map(({ code, where, message }) => `${code} ${where}: ${message}`)).toEqual(
    ['east', 'west'].map(
      (name) =>
        `SAR407 database ${name}, table public.t: role ${owner} may not read public.t, public.t_high, public.t_low: before a TRUNCATE the keys are recorded as this role`,
    ),
  );
  for (const [index, database] of [east, west].entries()) await runHints(database, refused.diagnostics.slice(index, index + 1));
  expect((await project.apply()).diagnostics).toEqual([]);
  expect((await project.plan('--exit-code')).exit).toBe('ok');
  await east.script(`set role ${application}; insert into t values (1), (11); truncate t`);
  expect((await deltaEntries(east, 'sarrio.delta_public_t')).filter((entry) => entry !== 'T')).toEqual(['D 1', 'D 11', 'I 1', 'I 11']);
});

test('row security that would hide rows from it is refused, and hides none later', async () => {
  const { east, west, owner, application, project } = await guardedMasters();
  for (const database of [east, west]) await database.script(`grant select on all tables in schema public to ${owner}`);
  expect((await project.apply()).diagnostics).toEqual([]);
  await east.script(`set role ${application}; insert into t values (1)`);
  await east.script('alter table t_low enable row level security; alter table t enable row level security');
  expect((await project.plan()).diagnostics.map(({ code, message }) => `${code} ${message}`)).toContain(
    `SAR407 row security applies to role ${owner} here: before a TRUNCATE it could not record every key`,
  );
  await expect(east.script(`set role ${application}; truncate t`)).rejects.toThrow(/row-level security policy/);
});
