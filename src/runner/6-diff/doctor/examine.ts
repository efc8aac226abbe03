import { displayName } from '../../../sql/quote.ts';
import { checkDatabases, QUESTION_CHECKS } from '../../5-inspect/checks/checks.ts';
import { plannedTables } from '../../../plan/planned-tables.ts';
import { takeInventory } from '../diff-removals.ts';
import { CURES } from './cures.sql.ts';
import type { DoctorCheck, Finding, Patient } from './finding.ts';
import type { TableHealth } from './read-health.ts';
import { ROOM_CHECKS } from './room-checks.ts';

/** The newest major version that the tests run on. */
const NEWEST = 18;
/** More dead rows than live ones, and enough of them to matter. */
const MANY_DEAD = 10_000;

type Said = Omit<Finding, 'check' | 'database'>;

/** Every question, asked of every database that answered; what is well is said once for each question. */
export function examine(patient: Patient): readonly Finding[] {
  return [...patient.databases.keys()].flatMap((database) =>
    [...CHECKS, ...ROOM_CHECKS, ...liveChecks()].flatMap(({ check, ok, run }): readonly Finding[] => {
      const found = run(patient, database);
      return found.length === 0 ? [{ check, database, result: 'ok', evidence: ok, cure: null }] : found.map((each) => ({ check, database, ...each }));
    }),
  );
}

/** What `plan` asks before anything is changed: rights with their GRANTs, keys, kinds, partitions. */
function liveChecks(): readonly DoctorCheck[] {
  return QUESTION_CHECKS.map((live) => ({
    check: live.code,
    ok: live.summary,
    run: ({ plan, databases }, database) => {
      const inspection = databases.get(database)?.inspection;
      if (!inspection) return [];
      return checkDatabases(plan, new Map([[database, inspection]]), [live]).map(({ where, message, hint }) => ({
        result: 'problem',
        evidence: `${/table .*/.exec(where ?? '')?.[0] ?? ''}${where?.includes('table') ? ': ' : ''}${message}`,
        cure: hint,
      }));
    },
  }));
}

const CHECKS: readonly DoctorCheck[] = [
  {
    check: 'version',
    ok: `PostgreSQL 14 to ${NEWEST}`,
    run: ({ databases }, database) => {
      const major = databases.get(database)?.inspection.live.serverMajor ?? 0;
      return major <= NEWEST
        ? []
        : [
            warning(
              `PostgreSQL ${major} is newer than ${NEWEST}, the newest that this version was tried on`,
              'Look for a newer sarrio, and try it beside this database first.',
            ),
          ];
    },
  },
  {
    check: 'clock',
    ok: 'agrees with the other databases',
    run: clockFindings,
  },
  {
    check: 'unlogged',
    ok: 'no table of the plan is unlogged',
    run: (patient, database) =>
      tablesOf(patient, database)
        .filter(({ persistence }) => persistence === 'u')
        .map((table) => problem(`table ${displayName(table)} is unlogged: a crash empties it, here and nowhere else`, CURES.logged(displayName(table)))),
  },
  {
    check: 'bloat',
    ok: 'no table of the plan is full of dead rows',
    run: (patient, database) => tablesOf(patient, database).flatMap(bloatFindings),
  },
  {
    check: 'replica-identity',
    ok: 'no table that rounds write to is published without a replica identity',
    run: (patient, database) => {
      const targets = new Set(plannedTables(patient.plan, database).flatMap(({ display, shape }) => (shape.roles.includes('target') ? [display] : [])));
      return tablesOf(patient, database)
        .filter((table) => table.noIdentity && table.published.length > 0 && (targets.has(displayName(table)) || !table.isParent))
        .map((table) =>
          problem(
            `table ${displayName(table)} has no replica identity, but publication ${table.published.join(', ')} publishes its updates or deletes: both fail`,
            CURES.identified(displayName(table)),
          ),
        );
    },
  },
  {
    check: 'publications',
    ok: 'no publication sends our bookkeeping anywhere',
    run: ({ databases }, database) =>
      (databases.get(database)?.health.publications ?? []).map((name) =>
        warning(
          `publication ${name} contains tables of schema sarrio: its subscribers fail without them, and every change is decoded twice`,
          `Name its tables instead of FOR ALL TABLES, or recreate it without schema sarrio.`,
        ),
      ),
  },
  {
    check: 'subscriptions',
    ok: 'no subscription writes past our triggers',
    run: (patient, database) => {
      const { plan } = patient;
      const quiet = new Set(
        plan.databases[database]?.captures.flatMap(({ table, captureTriggers }) => (captureTriggers === 'origin' ? [displayName(table)] : [])),
      );
      return tablesOf(patient, database)
        .filter((table) => table.subscribed.length > 0 && quiet.has(displayName(table)))
        .map((table) =>
          problem(
            `subscription ${table.subscribed.join(', ')} writes to ${displayName(table)} as a replica session, which capture triggers in the ORIGIN state do not see`,
            `captureTriggers: 'always' for this table (needs its owner to apply).`,
          ),
        );
    },
  },
  {
    check: 'transactions',
    ok: 'no transaction is older than an hour',
    run: ({ databases }, database) =>
      (databases.get(database)?.health.transactions ?? []).map(({ who, seconds, cure }) =>
        warning(`${who} has a transaction of ${Math.round(seconds / 60)} minutes: what was captured since is kept, and dead rows stay`, cure),
      ),
  },
  {
    check: 'orphans',
    ok: 'everything in schema sarrio is of this plan',
    run: ({ plan, databases }, database) => {
      const live = databases.get(database)?.inspection.live;
      if (!live) return [];
      const { leaving, foreign, ghosts } = takeInventory({ plan, live, all: false });
      return [
        ...leaving.map(({ kind, name }) => warning(`${kind} ${name} is ours, but the plan no longer has it`, 'sarrio plan, then sarrio apply takes it away.')),
        ...ghosts.map(({ kind, name }) => warning(`${kind} ${name} is recorded and does not stand, and the plan no longer has it`, 'sarrio apply forgets it.')),
        ...foreign.map(({ kind, name }) =>
          warning(`${kind} ${name} is not ours and would keep schema sarrio from being removed`, 'Move it to a schema of its own.'),
        ),
      ];
    },
  },
];

function bloatFindings(table: TableHealth): readonly Said[] {
  const name = displayName(table);
  const isFull = table.dead > MANY_DEAD && table.dead > table.live;
  return [
    ...(table.noVacuum ? [warning(`autovacuum is off for ${name}`, CURES.vacuumed(name))] : []),
    ...(isFull
      ? [warning(`${name} has ${table.dead} dead rows beside ${table.live} live ones`, `VACUUM (VERBOSE) ${name}; and look at the check transactions.`)]
      : []),
  ];
}

/** Between masters a clock that is off decides conflicts; elsewhere it only shows in times. */
function clockFindings({ plan, databases }: Patient, database: string): readonly Said[] {
  const own = databases.get(database)?.health;
  if (!own) return [];
  const syncs = Object.entries(plan.syncs).flatMap(([name, sync]) => (sync.mode === 'multi-master' && sync.members.includes(database) ? [{ name, sync }] : []));
  return syncs.flatMap(({ name, sync }) =>
    sync.members.flatMap((other) => {
      const theirs = databases.get(other)?.health;
      if (!theirs || other === database) return [];
      const [apart, doubt] = [own.clockMs - theirs.clockMs, own.clockErrorMs + theirs.clockErrorMs];
      if (Math.abs(apart) - doubt <= sync.maxClockSkewMs) return [];
      const evidence = `its clock is ${Math.round(Math.abs(apart))} ms ${apart > 0 ? 'ahead of' : 'behind'} that of ${other}, and sync ${name} decides conflicts by time only within ${sync.maxClockSkewMs} ms`;
      return [problem(evidence, 'Let a time service (chrony, ntpd) keep both clocks.')];
    }),
  );
}

function tablesOf({ databases }: Patient, database: string): readonly TableHealth[] {
  return databases.get(database)?.health.tables ?? [];
}

function problem(evidence: string, cure: string): Said {
  return { result: 'problem', evidence, cure };
}

function warning(evidence: string, cure: string): Said {
  return { result: 'warning', evidence, cure };
}
