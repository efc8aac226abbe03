import { loadGenerated } from '../plan/generated-files.ts';
import { readStatus, type StreamStatus } from '../runner/8-round/status.ts';
import { databaseConnector } from './plan-databases.ts';
import type { Verb } from './verb.ts';

/** `sarrio status`: each stream with its lag, what is pending, its speed and its last error. */
export const verb: Verb = {
  configure: (command) =>
    void command
      .option('--exit-code', 'exit 2 when a stream is not running, failed, behind by more than --max-lag, or has an unsafe table')
      .option('--max-lag <seconds>', 'for --exit-code', '60'),
  run: async (options, context) => {
    const { plan } = await loadGenerated(String(options['generated']));
    const connect = databaseConnector(plan, context);
    const streams = await readStatus(plan, (database) => connect(database, 'status'));
    const isBehind = streams.some((stream) => !isHealthy(stream, Number(options['maxLag'])));
    return {
      exit: options['exitCode'] === true && isBehind ? 'differs' : 'ok',
      data: { streams },
      diagnostics: [],
      text: statusText(streams),
    };
  },
};

function isHealthy({ state, lagSeconds, unsafe }: StreamStatus, maxLag: number): boolean {
  return unsafe.length === 0 && (state === 'running' || state === 'copying') && lagSeconds !== null && lagSeconds <= maxLag;
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
  return [line(head), ...rows.map(line), ...errors, ...unsafeText(streams)].join('\n');
}

function unsafeText(streams: readonly StreamStatus[]): readonly string[] {
  const tables = streams.flatMap(({ source, unsafe }) =>
    unsafe.map(({ table, reason, since }) => `unsafe: database ${source}, table ${table}: ${reason}${since ? ` (noticed ${since})` : ''}`),
  );
  return tables.length === 0 ? [] : [...new Set(tables), 'repair with: sarrio plan, then sarrio apply'];
}
