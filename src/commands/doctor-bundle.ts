import type { Plan } from '../plan/plan.ts';
import type { Inspection } from '../runner/5-inspect/inspection.ts';
import { planHash } from '../plan/plan-hash.ts';
import type { Finding, Patient } from '../runner/6-diff/doctor/finding.ts';
import type { Surroundings } from '../runner/6-diff/doctor/read-health.ts';
import type { StreamStatus } from '../runner/8-round/stream-status.ts';

type Parts = {
  readonly plan: Plan;
  readonly findings: readonly Finding[];
  readonly databases: Patient['databases'];
  readonly surroundings: ReadonlyMap<string, Surroundings>;
  /** Or why they could not be read. */
  readonly streams: readonly StreamStatus[] | string;
};

const ABOUT =
  'Made by `sarrio doctor --bundle` for somebody who helps: names of databases, tables, columns, roles and programs, sizes, states. No row, no text of a statement, no connection string. Read it before you send it.';

/** What somebody needs to know who cannot see the databases: without rows, connection strings and values that stand in errors. */
export function bundleText({ plan, findings, databases, surroundings, streams }: Parts): string {
  const content = {
    schema: 'sarrio/bundle/1.0',
    about: ABOUT,
    node: process.version,
    platform: process.platform,
    plan: planSummary(plan),
    findings,
    streams: typeof streams === 'string' ? streams : streams.map(withoutValues),
    databases: Object.fromEntries(
      [...databases].map(([name, { inspection, health }]) => [name, { ...liveSummary(inspection), health, ...surroundings.get(name) }]),
    ),
  };
  return `${JSON.stringify(content, masked, 2)}\n`;
}

function planSummary(plan: Plan) {
  const { format, requires, project, databases, syncs } = plan;
  const summary = Object.entries(syncs).map(([name, sync]) => {
    const ends = sync.mode === 'multi-master' ? { members: sync.members } : { source: sync.source, targets: sync.targets };
    return [name, { mode: sync.mode, ...ends, tables: sync.tables.length }] as const;
  });
  const objects = Object.entries(databases).map(
    ([name, database]) => [name, { objects: database.objects.length, captures: database.captures.length }] as const,
  );
  return { format, requires, project, hash: planHash(plan), databases: Object.fromEntries(objects), syncs: Object.fromEntries(summary) };
}

function liveSummary({ live, role, runner, missingRoles }: Inspection) {
  const counts = new Map<string, number>();
  for (const { kind } of live.objects) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return {
    role,
    runner,
    missingRoles,
    objects: Object.fromEntries(counts),
    installedBy: [...new Set(live.installed.map(({ project, planFormat }) => `${project}, plan format ${planFormat}`))],
    registered: live.registered,
    watermarks: live.watermarks,
    copies: live.copies.length,
    sizes: Object.fromEntries(live.sizes),
  };
}

/** What stopped a table is told with the values of its row; the code tells the rest. */
function withoutValues({ stopped, ...stream }: StreamStatus) {
  return { ...stream, stopped: stopped.map(({ table, code, since, key }) => ({ table, code, since, keyColumns: key === null ? null : Object.keys(key) })) };
}

/** Values that servers put into their errors: of keys, of rows, of what could not be read as a type. */
function masked(_: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value
    .replaceAll(/\)=\(.*?\)(?= (?:already|is|conflicts)|\.|$)/gs, ')=(…)')
    .replaceAll(/\bcontains \(.*\)/gs, 'contains (…)')
    .replaceAll(/: "(?:[^"]|"")*"$/gm, ': "…"');
}
