import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { verb as apply } from '../../src/commands/apply.ts';
import { verb as compile } from '../../src/commands/compile.ts';
import { verb as conflicts } from '../../src/commands/conflicts.ts';
import { verb as pull } from '../../src/commands/pull.ts';
import { verb as run } from '../../src/commands/run.ts';
import type { Verb } from '../../src/commands/verb.ts';
import { freshDatabase } from '../support/databases.ts';
import { onAll } from '../support/follow.ts';
import { at, expectAlike, rowsOf } from '../support/masters.ts';
import { type Outcome, runVerb } from '../support/run-verb.ts';

/** By table, what its handler says of two rows with one e-mail address. */
const HANDLERS = {
  changed: '({ later }) => merge({ email: `${later.row.email}.${later.database}` })',
  chained: "({ later }) => merge({ email: later.row.email + 'x' })",
  kept: "({ earlier, later, index }) => (index === 'kept_email_key' && earlier.key['id'] === 1 && later.database === 'west' ? keep('west') : stop())",
  parked: '() => park()',
  endless: "({ later }) => merge({ email: later.row.email === 'a' ? 'b' : 'a' })",
  absurd: "() => take('east')",
} as const;

const NAMES = Object.keys(HANDLERS);

async function project() {
  const members = [await freshDatabase('east'), await freshDatabase('west'), await freshDatabase('north')];
  await onAll(members, NAMES.map((name) => `create table ${name} (id integer primary key, email text unique, v text);`).join('\n'));
  await at(members, 0).script("insert into chained values (7, 'ax', 'old'); insert into endless values (7, 'b', 'old')");
  const dir = await mkdtemp(join(tmpdir(), 'sarrio-unique-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const tables = Object.entries(HANDLERS).map(([name, handler]) => `{ table: 'public.${name}', mask: ['v'], onUnique: ${handler} }`);
  await writeFile(
    join(dir, 'replication.config.ts'),
    `import { defineReplication, env, keep, merge, park, stop, take } from 'sarrio';
    export default defineReplication({
      databases: { east: env('EAST_URL'), west: env('WEST_URL'), north: env('NORTH_URL') },
      syncs: { m: { mode: 'multi-master', members: ['east', 'west', 'north'], onConflict: 'last-update-wins', tables: [${tables.join(', ')}] } },
    } as never);
    void [keep, merge, park, stop, take];`,
  );
  const env = { EAST_URL: at(members, 0).url, WEST_URL: at(members, 1).url, NORTH_URL: at(members, 2).url };
  const verb = (which: Verb, ...args: readonly string[]): Promise<Outcome> =>
    runVerb(which, [...args, '--generated', join(dir, 'generated')], { cwd: dir, env });
  for (const [which, ...args] of [[pull], [compile], [apply], [run, '--until-caught-up']] as const) {
    const { exit, diagnostics } = await verb(which, ...args);
    expect([exit, diagnostics.filter(({ severity }) => severity === 'error')]).toEqual(['ok', []]);
  }
  return { members, verb };
}

test('what a handler says of two rows with one unique value: change the later one everywhere, keep one, park both; nonsense stops its table', {
  timeout: 120_000,
}, async () => {
  const { members, verb } = await project();
  for (const name of NAMES) {
    await at(members, 0).script(`insert into ${name} values (1, 'a', 'secret of east')`);
    await at(members, 1).script(`insert into ${name} values (2, 'a', 'secret of west')`);
  }
  const ran = await verb(run, '--until-caught-up');
  expect(ran.exit).toBe('refused');
  await expectAlike(members, ['public.changed', 'public.chained', 'public.kept', 'public.parked']);
  expect(await rowsOf(at(members, 2), 'changed')).toEqual(['(1,a,"secret of east")', '(2,a.west,"secret of west")']);
  expect(await rowsOf(at(members, 2), 'chained')).toEqual(['(1,a,"secret of east")', '(2,axx,"secret of west")', '(7,ax,old)']);
  expect(await rowsOf(at(members, 2), 'kept')).toEqual(['(2,a,"secret of west")']);
  expect(await rowsOf(at(members, 2), 'parked')).toEqual([]);
  expect(await rowsOf(at(members, 2), 'endless')).toEqual(['(7,b,old)']);
  for (const member of members) {
    const recorded = await member.query<{ what: string }>(
      "select concat_ws(' ', relation, kind, strategy, decision, key ->> 'id') as what from sarrio.conflict",
    );
    expect(recorded.map(({ what }) => what).sort()).toEqual([
      'public.chained unique chained_email_key handler merge 2',
      'public.chained unique chained_email_key handler merge 2',
      'public.changed unique changed_email_key handler merge 2',
      'public.kept unique kept_email_key handler park 1',
      'public.parked unique parked_email_key handler park 1',
      'public.parked unique parked_email_key handler park 2',
    ]);
    const [whole] = await member.query("select row ->> 'v' as v from sarrio.parked where relation = 'public.kept'");
    expect(whole).toEqual({ v: 'secret of east' });
  }
  const stopped = await at(members, 2).query<{ what: string }>("select concat_ws(' ', relation, code, message) as what from sarrio.stopped order by 1");
  expect(stopped.map(({ what }) => what)).toEqual([
    expect.stringMatching(/^public.absurd SAR622 .*key id = 2, unique absurd_email_key: it returned take\(…\)/),
    expect.stringMatching(/^public.endless SAR622 its handler for unique values has changed rows 5 times over/),
  ]);
  const shown = await verb(conflicts, 'parked', '--table', 'public.kept');
  expect(shown.text).toContain('v=(masked)');
  expect(JSON.stringify(shown)).not.toContain('secret');
});
