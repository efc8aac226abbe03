import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SarrioError } from '../plan/errors.ts';
import { loadGenerated } from '../plan/generated-files.ts';
import type { Plan } from '../plan/plan.ts';
import { resolveUrls } from '../plan/resolve-url.ts';
import { detectPooler } from '../runner/5-inspect/detect-pooler.ts';
import { inspectDatabases } from '../runner/5-inspect/inspect.ts';
import { examine } from '../runner/6-diff/doctor/examine.ts';
import type { Finding, Patient } from '../runner/6-diff/doctor/finding.ts';
import { readHealth, readSurroundings, type Surroundings } from '../runner/6-diff/doctor/read-health.ts';
import { systemClock } from '../runner/clock.ts';
import { connect, type ConnectOptions, type Session } from '../runner/postgres/session.ts';
import { readStatus } from '../runner/8-round/status.ts';
import { failureText } from '../runner/postgres/error-text.ts';
import { generatedDir } from './change-options.ts';
import { bundleText } from './doctor-bundle.ts';
import { databaseConnector } from './plan-databases.ts';
import { redactor } from './redact.ts';
import type { Verb, VerbContext } from './verb.ts';
import type { StreamStatus } from '../runner/8-round/stream-status.ts';

/** `sarrio doctor`: what is, or will be, in the way of replication, with evidence and cure. Changes nothing, waits for no lock. */
export const verb: Verb = {
  configure: (command) =>
    void command
      .option('--quiet', 'only what was found, not what is well')
      .option('--bundle <file>', 'also write all that is known into a file, for somebody who helps: no rows, no connection strings'),
  run: async (options, context) => {
    const { plan } = await loadGenerated(generatedDir(options, context));
    const bundle = typeof options['bundle'] === 'string' ? options['bundle'] : null;
    const { findings, databases, surroundings } = await examineAll(plan, context, bundle !== null);
    const found = findings.filter(({ result }) => result !== 'ok');
    const shown = options['quiet'] === true ? found : findings;
    if (bundle !== null) {
      const text = bundleText({ plan, findings, databases, surroundings, streams: await streamsOf(plan, context) });
      await writeFile(resolve(context.cwd, bundle), redactor(context.env)(text), { mode: 0o600 });
    }
    const written = bundle === null ? '' : `Wrote ${bundle}: read it before you send it.\n`;
    return { exit: found.length > 0 ? 'differs' : 'ok', data: { findings }, diagnostics: [], text: `${printFindings(shown, found)}${written}` };
  },
};

type Examined = { readonly findings: readonly Finding[]; readonly databases: Patient['databases']; readonly surroundings: ReadonlyMap<string, Surroundings> };

/** A database that cannot be reached is a finding of its own; the others are asked all the same. Surroundings are for the bundle alone. */
async function examineAll(plan: Plan, { env }: VerbContext, wantsSurroundings: boolean): Promise<Examined> {
  const urls = resolveUrls(Object.fromEntries(Object.entries(plan.databases).map(([name, { url }]) => [name, url])), env);
  const findings: Finding[] = [];
  const databases = new Map<string, NonNullable<ReturnType<Patient['databases']['get']>>>();
  const surroundings = new Map<string, Surroundings>();
  const sessions = new Map<string, Session>();
  try {
    for (const [database, url] of [...urls].sort(([left], [right]) => (left < right ? -1 : 1))) {
      const target = { database, url, variable: plan.databases[database]?.url.env ?? '', role: 'inspect', env } as const;
      findings.push(...(await asked('connection', database, async () => [await connected(target, sessions)])));
      const session = sessions.get(database);
      if (!session) continue;
      findings.push(...(await asked('pooler', database, async () => [await poolerFinding(session, target)])));
      const problems = await asked('catalog', database, async () => {
        const inspection = (await inspectDatabases({ plan, sessions: new Map([[database, session]]) })).get(database);
        if (inspection) databases.set(database, { inspection, health: await readHealth(plan, session, systemClock) });
        if (wantsSurroundings) surroundings.set(database, await readSurroundings(session));
        return [];
      });
      findings.push(...problems);
    }
    return { findings: sorted([...findings, ...examine({ plan, databases })]), databases, surroundings };
  } finally {
    await Promise.all([...sessions.values()].map((session) => session.close()));
  }
}

/** Before the first apply there are none, and the findings say so. */
async function streamsOf(plan: Plan, context: VerbContext): Promise<readonly StreamStatus[] | string> {
  const connectTo = databaseConnector(plan, context);
  return readStatus(plan, (database) => connectTo(database, 'status')).catch(failureText);
}

async function connected(target: ConnectOptions, sessions: Map<string, Session>): Promise<Finding> {
  const session = await connect(target);
  sessions.set(target.database, session);
  return { check: 'connection', database: target.database, result: 'ok', evidence: `PostgreSQL ${session.serverMajor} answers`, cure: null };
}

async function poolerFinding(session: Session, target: ConnectOptions): Promise<Finding> {
  const base = { check: 'pooler', database: target.database } as const;
  if (!(await detectPooler({ session, other: await connect(target), clock: systemClock })))
    return { ...base, result: 'ok', evidence: 'no transaction pooler in between', cure: null };
  const evidence = 'a transaction pooler stands in between: two sessions were answered by one backend, and locks and settings do not last';
  return { ...base, result: 'problem', evidence, cure: `Use a direct connection, or a pool in session mode, in ${target.variable}.` };
}

async function asked(check: string, database: string, work: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SarrioError)) throw error;
    return error.diagnostics.map(({ message, hint }) => ({ check, database, result: 'problem', evidence: message, cure: hint }));
  }
}

function sorted(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((left, right) => (left.database === right.database ? 0 : left.database < right.database ? -1 : 1));
}

function printFindings(shown: readonly Finding[], found: readonly Finding[]): string {
  const lines = shown.flatMap(({ check, database, result, evidence, cure }, index) => [
    ...(shown[index - 1]?.database === database ? [] : [...(index === 0 ? [] : ['']), `database ${database}`]),
    `  ${result.padEnd(8)}${check.padEnd(17)} ${evidence.replaceAll('\n', ' ')}`,
    ...(cure === null ? [] : cure.split('\n').map((line) => `    -> ${line}`)),
  ]);
  const problems = found.filter(({ result }) => result === 'problem').length;
  const end = found.length === 0 ? 'Nothing was found.' : `${problems} ${problems === 1 ? 'problem' : 'problems'}, ${found.length - problems} warnings.`;
  return `${[...lines, ...(lines.length === 0 ? [] : ['']), end].join('\n')}\n`;
}
