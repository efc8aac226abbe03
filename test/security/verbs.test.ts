import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VERBS } from '../../src/commands/verbs.ts';
import type { ExitName } from '../../src/plan/errors.ts';
import { defaultMajor } from '../support/server.ts';
import { differingRows } from '../support/compare.ts';
import { type Caller, type VerbPlace, verbPlace } from './verb-place.ts';

/** A call as one of the roles, and how it ends: well, or refused with that code before anything is changed. */
type Call = readonly [caller: Caller, words: string, exit?: ExitName, code?: string];

/** What happens in between, by people who are no part of it. */
type Event = (place: VerbPlace) => Promise<void>;

/** A day with every verb, each by the role that is to call it; those that change something by the reader first, who may not. */
const DAY: readonly (Call | Event)[] = [
  ['reader', 'init --source SHOP_URL --target COPY_URL --tables public.orders --ci none --yes'],
  ['reader', 'pull --with-schema', 'refused'],
  ({ copy }) => copy.script('grant create on schema public to sarrio_owner'),
  ['owner', 'pull --with-schema'],
  ['owner', 'plan --with-schema'],
  ['reader', 'apply --with-schema', 'failed'],
  ['owner', 'apply --with-schema'],
  ({ copy }) => copy.script('revoke create on schema public from sarrio_owner; grant select on public.later to sarrio_reader'),
  ['reader', 'pull'],
  ['reader', 'pull --check'],
  ['nobody', 'compile'],
  ['nobody', 'check'],
  ['nobody', 'graph'],
  ['nobody', 'explain SAR407'],
  installAsHinted,
  ['reader', 'plan'],
  ['reader', 'diff'],
  ['reader', 'apply', 'refused', 'SAR407'],
  ['runner', 'apply', 'refused', 'SAR407'],
  ['reader', 'run --once', 'refused', 'SAR431'],
  ({ shop }) =>
    shop.script("insert into orders (note) select 'x' from generate_series(1, 10); insert into notes (note) values ('one'); insert into totals values (1, 1)"),
  ['runner', 'run --once'],
  ['runner', 'run --until-caught-up'],
  everythingArrived,
  ['reader', 'status --exit-code'],
  ['reader', 'doctor --bundle bundle.json'],
  ['reader', 'verify'],
  ({ copy }) => copy.script('revoke select on public.orders from sarrio_reader'),
  ['reader', 'verify --sync follow', 'failed', 'SAR700'],
  ({ copy }) => copy.script('grant select on public.orders to sarrio_reader'),
  ({ copy }) => copy.script("set session_replication_role = replica; update orders set note = 'spoilt' where id = 3"),
  ['reader', 'verify --sync follow --repair', 'differs'],
  ['reader', 'verify --sync follow --repair --yes', 'refused', 'SAR403'],
  ['runner', 'verify --sync follow --repair --yes'],
  everythingArrived,
  ['reader', 'pause --sync follow', 'refused', 'SAR431'],
  ['runner', 'pause --sync follow'],
  ['reader', 'resume --sync follow', 'refused', 'SAR431'],
  ['runner', 'resume --sync follow'],
  ['reader', 'kick --sync nightly', 'refused', 'SAR431'],
  ['runner', 'kick --sync nightly'],
  ['reader', 'kick --sync group', 'refused', 'SAR403'],
  ['runner', 'kick --sync group'],
  ['reader', 'copy --sync follow --target copy --replace', 'refused', 'SAR431'],
  ['runner', 'copy --sync follow --target copy --replace'],
  ['runner', 'run --until-caught-up'],
  conflictUndone,
  ({ shop }) => shop.script('truncate orders'),
  ['runner', 'run --until-caught-up', 'refused', 'SAR660'],
  ['reader', 'approve'],
  truncateApproved,
  everythingArrived,
  ({ dir }) => writeFile(join(dir, 'wider.sql'), 'alter table public.orders add column more text;'),
  ['reader', 'migrate wider.sql', 'refused', 'SAR407'],
  ['owner', 'migrate wider.sql', 'refused', 'SAR829'],
  ownerNamed,
  ({ shop }) => shop.script('grant shop_owner to sarrio_owner'),
  migrated,
  removalPlannedAlike,
  ['reader', 'cutover follow', 'refused', 'SAR803'],
  ['owner', 'cutover follow', 'refused'],
  ({ shop }) => shop.script('grant sarrio_runner to sarrio_owner'),
  ['owner', 'cutover follow --hold'],
  ['reader', 'cutover follow --abort', 'refused', 'SAR803'],
  ['owner', 'cutover follow --abort'],
  ['owner', 'cutover follow --hold'],
  ['owner', 'cutover follow'],
  ['reader', 'status'],
  ({ shop }) => shop.script('revoke sarrio_runner, shop_owner from sarrio_owner'),
  ['reader', 'destroy --confirm shop', 'refused', 'SAR407'],
  ['owner', 'destroy --confirm shop'],
];

/** Verbs that change nothing in a database, whatever their words. */
const ASKING = ['init', 'pull', 'compile', 'check', 'plan', 'diff', 'status', 'doctor', 'graph', 'explain'];

describe.each([...new Set([14 as const, defaultMajor()])])('on PostgreSQL %d, without superuser', (major) => {
  let place: VerbPlace;
  beforeAll(async () => {
    place = await verbPlace(major);
  }, 120_000);
  afterAll(() => place?.end());

  test('every verb as the role that is to call it', { timeout: 300_000 }, async () => {
    for (const each of DAY) {
      if (typeof each === 'function') {
        await each(place);
        continue;
      }
      const [caller, words, exit = 'ok', code] = each;
      const outcome = await place.sarrio(caller, ...words.split(' '));
      const found = { caller, words, exit: outcome.exit, codes: outcome.diagnostics.filter(({ severity }) => severity === 'error').map((fault) => fault.code) };
      expect(found, outcome.diagnostics.map(({ message, hint }) => `${message}\n${hint}`).join('\n')).toMatchObject({ caller, words, exit });
      if (code !== undefined) expect(found).toMatchObject({ codes: expect.arrayContaining([code]) });
      if (exit === 'ok') expect(found).toMatchObject({ codes: [] });
    }
    expect(await place.shop.query("select from pg_namespace where nspname = 'sarrio'")).toEqual([]);
    const missing = (wanted: readonly string[], calls: VerbPlace['calls']) => wanted.filter((name) => !calls.some(({ verb }) => verb === name));
    const names = VERBS.map(({ name }) => name);
    const ended = (exit: ExitName) => place.calls.filter((call) => call.exit === exit);
    expect(missing(names, ended('ok')), 'a verb has no row').toEqual([]);
    const refused = ended('refused').filter(({ caller }) => caller === 'reader');
    const changing = names.filter((name) => !ASKING.includes(name));
    expect(missing(changing, refused), 'what changes something is refused to the reader').toEqual([]);
  });
});

/** The owner asks, runs the GRANTs that it is told, and installs; the reader's change plan is the owner's. */
async function installAsHinted(place: VerbPlace): Promise<void> {
  const refused = await place.sarrio('owner', 'apply');
  expect(refused.exit).toBe('refused');
  await place.takeHints(refused);
  const idOf = async (caller: Caller) => ((await place.sarrio(caller, 'plan')).data as { id: string }).id;
  expect(await idOf('reader')).toBe(await idOf('owner'));
  expect(await place.sarrio('owner', 'apply', '--expect', await idOf('reader'))).toMatchObject({ exit: 'ok', diagnostics: [] });
}

async function everythingArrived({ shop, copy }: VerbPlace): Promise<void> {
  expect(await differingRows(shop, copy, 'public.orders', 'public.notes', 'public.totals')).toEqual([]);
}

/** Two versions of one row; what was decided is shown to the reader, and undone by the runner. */
async function conflictUndone(place: VerbPlace): Promise<void> {
  for (const [database, note] of [[place.shop, 'here'] as const, [place.copy, 'there'] as const]) {
    await database.query('update notes set note = $1 where id = 1', [note]);
  }
  expect((await place.sarrio('runner', 'run', '--until-caught-up')).exit).toBe('ok');
  const { conflicts } = (await place.sarrio('reader', 'conflicts', 'list')).data as { conflicts: readonly { id: string }[] };
  const id = conflicts[0]?.id ?? '';
  for (const words of [['show', id], ['parked']]) expect((await place.sarrio('reader', 'conflicts', ...words)).exit).toBe('ok');
  const undone = await place.sarrio('reader', 'conflicts', 'undo', id);
  expect(undone).toMatchObject({ exit: 'refused', diagnostics: [{ code: 'SAR403' }] });
  expect(await place.sarrio('runner', 'conflicts', 'undo', id)).toMatchObject({ exit: 'ok', diagnostics: [] });
  expect((await place.sarrio('runner', 'run', '--until-caught-up')).exit).toBe('ok');
  expect(await place.copy.query('select note from notes where id = 1')).toEqual([{ note: 'here' }]);
}

async function truncateApproved(place: VerbPlace): Promise<void> {
  const { waiting } = (await place.sarrio('reader', 'approve')).data as { waiting: readonly { id: string }[] };
  const id = waiting[0]?.id ?? '';
  expect(await place.sarrio('reader', 'approve', id)).toMatchObject({ exit: 'refused', diagnostics: [{ code: 'SAR431' }] });
  expect(await place.sarrio('runner', 'approve', id)).toMatchObject({ exit: 'ok', diagnostics: [] });
  expect((await place.sarrio('runner', 'run', '--until-caught-up')).exit).toBe('ok');
}

/** Also while the owner is a member of the tables' owner, and so may drop triggers one by one: what goes is the same for both. */
async function removalPlannedAlike({ dir, sarrio }: VerbPlace): Promise<void> {
  const config = await readFile(join(dir, 'replication.config.js'), 'utf8');
  await writeFile(join(dir, 'fewer.config.js'), config.replace(/ +group: .*\n/, ''));
  await cp(join(dir, 'generated'), join(dir, 'fewer'), { recursive: true });
  expect(await sarrio('nobody', 'compile', '--config', 'fewer.config.js', '--generated', 'fewer')).toMatchObject({ exit: 'ok' });
  const plans = await Promise.all((['reader', 'owner'] as const).map((caller) => sarrio(caller, 'plan', '--generated', 'fewer')));
  const [reader, owner] = plans.map(({ data }) => data as { id: string; steps: readonly { object: { kind: string } }[] });
  expect(reader?.steps.some(({ object }) => object.kind === 'trigger')).toBe(true);
  expect(reader?.id).toBe(owner?.id);
}

/** What is to be run is in the message, and nothing was changed. */
async function ownerNamed({ sarrio, shop, copy }: VerbPlace): Promise<void> {
  const { diagnostics } = await sarrio('owner', 'migrate', 'wider.sql');
  expect(diagnostics[0]).toMatchObject({
    where: expect.stringMatching(/^database (shop|copy)$/),
    message: "wider.sql: role sarrio_owner does not own public.orders, which is shop_owner's",
    hint: expect.stringContaining('Run: GRANT shop_owner TO sarrio_owner;'),
  });
  for (const each of [shop, copy]) expect(await each.query("select from pg_attribute where attrelid = 'orders'::regclass and attname = 'more'")).toEqual([]);
}

async function migrated(place: VerbPlace): Promise<void> {
  expect(await place.approving('migrate', 'wider.sql')).toMatchObject({ exit: 'ok', diagnostics: [] });
  await place.shop.script("insert into orders (note, more) values ('y', 'z')");
  expect((await place.sarrio('runner', 'run', '--until-caught-up')).exit).toBe('ok');
  await everythingArrived(place);
}
