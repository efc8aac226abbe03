import { failure } from '../../plan/errors.ts';
import type { Plan } from '../../plan/plan.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';
import { refuseRoundsWithoutRights } from '../5-inspect/own-rights.ts';
import { refuseUnapplied } from '../8-round/installed-plan.ts';
import type { Session } from '../postgres/session.ts';
import { namesOf } from './close-tables.ts';
import { mayRecord, notOwned } from './cutover.sql.ts';
import type { CuttingOver } from './cutover-options.ts';
import { streamStatus } from './one-stream.ts';
import { tablesOf } from './tables.ts';

/** What each call needs, whatever it is to do: the plan as applied, and the owner of what apply installed. */
export async function refuseUnprepared(plan: Plan, session: Session): Promise<void> {
  await refuseUnapplied(plan, session.database, session);
  const row = (await session.query(mayRecord)).rows[0];
  if (row) throw notOwner(session, `schema sarrio`, [row['owner'] ?? '']);
}

/** Everything that would stop a cut-over half way, asked before anything is changed. */
export async function refuseUnready(cutting: CuttingOver): Promise<void> {
  const { plan, planned, atSource, atTarget } = cutting;
  refuseUnsaidSequences(cutting);
  refuseFiltered(cutting);
  refuseKept(cutting);
  refuseWrittenSource(cutting);
  for (const session of [atSource, atTarget]) await refuseRoundsWithoutRights(plan, session);
  await refuseStrangers(atSource, tablesOf(planned, 'source'));
  await refuseStrangers(atTarget, tablesOf(planned, 'target'));
  await refuseTroubledStream(cutting);
}

/** To give numbers twice is worse than not to switch. */
function refuseUnsaidSequences({ sync, planned }: CuttingOver): void {
  if (planned.sequences !== undefined) return;
  throw failure('refused', {
    code: 'SAR801',
    where: `sync ${sync}`,
    message: 'the config does not say what becomes of the sequences, and the target would give numbers again that the source has given',
    hint: "Say sequences: 'carry' (or 'ignore', if no column counts by one or you see to it yourself), then compile and apply.",
  });
}

/** Rows that never went to the target would be out of the applications' reach. */
function refuseFiltered({ sync, planned, target }: CuttingOver): void {
  const filtered = planned.tables.filter(({ where }) => where !== null).map(({ source }) => displayName(source));
  if (filtered.length === 0) return;
  throw failure('refused', {
    code: 'SAR816',
    where: `sync ${sync}`,
    message: `${target} has only some of the rows of ${filtered.join(', ')}: the sync has a row filter (where) for them`,
    hint: 'A database that is to take over needs all rows: replicate to it without the filter.',
  });
}

/** Rows that are gone at the source would come back with the target. */
function refuseKept({ sync, planned, target }: CuttingOver): void {
  const kept = planned.tables.filter(({ keeps }) => keeps !== undefined).map(({ source }) => displayName(source));
  if (kept.length === 0) return;
  throw failure('refused', {
    code: 'SAR816',
    where: `sync ${sync}`,
    message: `${target} keeps rows of ${kept.join(', ')} that are gone at the source (skip, or truncate: 'ignore')`,
    hint: 'A database that is to take over needs the same rows: replicate to it without these settings.',
  });
}

/** What others replicate into the source passes its closed door, and would be missing at the target. */
function refuseWrittenSource({ plan, sync, planned }: CuttingOver): void {
  const own = new Set(tablesOf(planned, 'source').map(displayName));
  const writers = Object.entries(plan.syncs).filter(([, other]) => {
    const into = other.mode === 'multi-master' ? other.members : other.targets;
    return into.includes(planned.source) && other.tables.some(({ target }) => own.has(displayName(target)));
  });
  const [writer] = writers;
  if (writer === undefined) return;
  throw failure('refused', {
    code: 'SAR802',
    where: `sync ${sync}`,
    message: `sync ${writer[0]} writes tables of it in ${planned.source}: their rows come from elsewhere, so ${planned.source} is not where their writes could be switched from`,
    hint: `Take the tables out of one of the two syncs, or cut over ${writer[0]}.`,
  });
}

/** Only an owner may take a trigger away again, so only an owner may begin. */
async function refuseStrangers(session: Session, tables: readonly QualifiedName[]): Promise<void> {
  const { rows } = await session.query(notOwned, [namesOf(tables)]);
  if (rows.length === 0) return;
  throw notOwner(
    session,
    rows.map((row) => row['name'] ?? '').join(', '),
    rows.map((row) => row['owner'] ?? ''),
  );
}

function notOwner(session: Session, what: string, owners: readonly string[]): Error {
  return failure('refused', {
    code: 'SAR803',
    where: `database ${session.database}`,
    message: `this role does not own ${what}: closing tables and opening them again needs their owner`,
    hint: `Run this command as a role with: GRANT ${[...new Set(owners)].join(', ')} TO <the role>;`,
  });
}

/** A reason there is when the stream is detached, paused or unverified, whether a runner is at work or not. */
async function refuseTroubledStream(cutting: CuttingOver): Promise<void> {
  const { sync, planned, target } = cutting;
  const { state, reason, lastError, pending, unsafe } = await streamStatus(cutting);
  const trouble =
    state === 'unknown'
      ? (lastError ?? 'the source cannot be asked')
      : reason !== null
        ? reason
        : pending === null
          ? `its tables are not copied yet, or ${target} cannot be asked${lastError === null ? '' : `: ${lastError}`}`
          : unsafe.length > 0
            ? `changes of ${unsafe.map(({ table }) => table).join(', ')} may have gone by uncaptured`
            : null;
  if (trouble === null) return;
  throw failure('refused', {
    code: 'SAR804',
    where: `sync ${sync}, ${planned.source} -> ${target}`,
    message: `the stream is not fit for a cut-over: ${trouble}`,
    hint: 'Look at sarrio status, put it right, and let it catch up first.',
  });
}
