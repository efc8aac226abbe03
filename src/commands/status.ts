import type { Diagnostic } from '../plan/diagnostic.ts';
import { loadGenerated } from '../plan/generated-files.ts';
import type { Plan } from '../plan/plan.ts';
import { refuseMissingRights } from '../runner/5-inspect/own-rights.ts';
import type { Session } from '../runner/postgres/session.ts';
import { readCutovers } from '../runner/10-cutover/cutover-status.ts';
import { readStatus } from '../runner/8-round/status.ts';
import { readSequenceStatus } from '../runner/8-round/sequences/sequence-status.ts';
import { generatedDir } from './change-options.ts';
import { databaseConnector } from './plan-databases.ts';
import { cutoverText, cutoverWarnings } from './print-cutovers.ts';
import { sequenceText, sequenceWarnings } from './print-sequences.ts';
import type { Verb, VerbContext } from './verb.ts';
import type { StreamStatus } from '../runner/8-round/stream-status.ts';

/** `sarrio status`: each stream with its lag, what is pending, its speed and its last error. */
export const verb: Verb = {
  configure: (command) =>
    void command
      .option(
        '--exit-code',
        'exit 2 when a stream is not running, failed, paused, detached, waiting for approval, unverified, near its maxBacklog, behind by more than --max-lag, has an unsafe or a stopped table, a sequence near its end or not carried, or a cut-over that stopped half way',
      )
      .option('--max-lag <seconds>', 'for --exit-code', '60'),
  run: async (options, context) => {
    const { plan } = await loadGenerated(generatedDir(options, context));
    const connect = readerConnector(plan, context);
    const streams = await readStatus(plan, connect);
    const sequences = await readSequenceStatus(plan, connect);
    const cutovers = await readCutovers(plan, connect);
    const warnings = [...sequenceWarnings(sequences), ...cutoverWarnings(cutovers)];
    const isBehind = warnings.length > 0 || streams.some((stream) => !isHealthy(stream, Number(options['maxLag'])));
    return {
      exit: options['exitCode'] === true && isBehind ? 'differs' : 'ok',
      data: { streams, sequences, cutovers },
      diagnostics: [...streams.flatMap(warningsOf), ...warnings],
      text: [statusText(streams), ...sequenceText(sequences), ...cutoverText(cutovers)].join('\n'),
    };
  },
};

/** What the role may not read is said with the GRANT, as the reason why the database could not be asked. */
function readerConnector(plan: Plan, context: VerbContext): (database: string) => Promise<Session> {
  const connect = databaseConnector(plan, context);
  return async (database) => {
    const session = await connect(database, 'status');
    try {
      await refuseMissingRights(plan, session, 'reader');
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  };
}

/** What needs a person, though nothing has failed. */
function warningsOf({ sync, source, target, state, reason, backlogPercent, waiting }: StreamStatus): readonly Diagnostic[] {
  const where = `sync ${sync}, ${source} -> ${target}`;
  const warning = (code: string, message: string, hint: string): Diagnostic => ({ code, severity: 'warning', message, hint, where, span: null });
  const copy = `sarrio copy --sync ${sync} --target ${target} --replace`;
  const name = reason ?? state;
  if (state === 'detached') return [warning('SAR613', name, `Changes for it are no longer kept. To copy its tables anew: ${copy}`)];
  if (state === 'waiting' && waiting !== null)
    return [warning('SAR660', name, `Nothing of the sync is applied meanwhile. To let it go on: sarrio approve ${waiting.id.slice(0, 8)}`)];
  const backlog =
    backlogPercent !== null && backlogPercent >= 80
      ? [
          warning(
            'SAR615',
            `the target holds back ${backlogPercent} % of maxBacklog`,
            'Bring it back; beyond 100 % it is detached unless it comes after, and has to be copied anew.',
          ),
        ]
      : [];
  if (!reason?.startsWith('unverified')) return backlog;
  return [
    ...backlog,
    warning(
      'SAR616',
      name,
      `The source may lack rows that the target holds. Compare them: sarrio verify --sync ${sync}. To replace the target's rows: ${copy}`,
    ),
  ];
}

function isHealthy({ state, lagSeconds, backlogPercent, unsafe, stopped }: StreamStatus, maxLag: number): boolean {
  if (backlogPercent !== null && backlogPercent >= 80) return false;
  if (unsafe.length > 0 || stopped.length > 0) return false;
  return (state === 'running' || state === 'copying') && lagSeconds !== null && lagSeconds <= maxLag;
}

function statusText(streams: readonly StreamStatus[]): string {
  const head = ['STREAM', 'STATE', 'LAG', 'PENDING', 'ROWS/S', 'APPLIED'];
  const rows = streams.map((stream) => [
    `${stream.sync}: ${stream.source} -> ${stream.target}`,
    stream.state,
    stream.lagSeconds === null ? '-' : `${stream.lagSeconds.toFixed(1)} s`,
    stream.pending === null ? '-' : stream.pending.toLocaleString('en-US'),
    stream.rowsPerSecond.toLocaleString('en-US', { maximumFractionDigits: 0 }),
    stream.appliedRows === null ? '-' : stream.appliedRows.toLocaleString('en-US'),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const errors = streams.flatMap(({ sync, target, lastError, lastErrorAt }) =>
    lastError === null ? [] : [`last error of ${sync} -> ${target}${lastErrorAt ? ` (${lastErrorAt})` : ''}: ${lastError}`],
  );
  return [line(head), ...rows.map(line), ...streams.flatMap(copyText), ...errors, ...unsafeText(streams), ...stoppedText(streams), ...parkedText(streams)].join(
    '\n',
  );
}

function copyText({ sync, target, lastCopy }: StreamStatus): readonly string[] {
  if (lastCopy === null) return [];
  const { at, rows, seconds, nextInSeconds } = lastCopy;
  const next =
    nextInSeconds === null ? 'the next one when asked for (sarrio kick)' : nextInSeconds === 0 ? 'the next one is due' : `the next one in ${nextInSeconds} s`;
  return [`last copy of ${sync} -> ${target}: ${at}, ${rows.toLocaleString('en-US')} rows in ${seconds.toFixed(1)} s; ${next}`];
}

function unsafeText(streams: readonly StreamStatus[]): readonly string[] {
  const tables = streams.flatMap(({ source, unsafe }) =>
    unsafe.map(({ table, reason, since }) => `unsafe: database ${source}, table ${table}: ${reason}${since ? ` (noticed ${since})` : ''}`),
  );
  return tables.length === 0 ? [] : [...new Set(tables), 'repair with: sarrio plan, then sarrio apply'];
}

/** A table is stopped for all members alike, so each is shown once. */
function stoppedText(streams: readonly StreamStatus[]): readonly string[] {
  const tables = streams.flatMap(({ sync, stopped }) => stopped.map((each) => ({ sync, ...each })));
  const once = new Map(tables.map((each) => [`${each.sync} ${each.table}`, each]));
  return [...once.values()].map(
    ({ sync, table, code, reason, hint, since }) => `stopped: sync ${sync}, table ${table}, since ${since}: ${code}: ${reason}\n  ${hint}`,
  );
}

function parkedText(streams: readonly StreamStatus[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { sync, parked } of streams) counts.set(sync, Math.max(parked, counts.get(sync) ?? 0));
  return [...counts]
    .filter(([, parked]) => parked > 0)
    .map(([sync, parked]) => `parked: sync ${sync}, ${parked} ${parked === 1 ? 'row' : 'rows'}; see: sarrio conflicts parked`);
}
