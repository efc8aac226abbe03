import { setTimeout as delay } from 'node:timers/promises';
import { sarrio } from '../test/support/cli.ts';
import type { TestDatabase } from '../test/support/database.ts';
import { CONFLICTS } from './compared.sql.ts';

const EVERY_MS = 2_000;

type Stream = {
  readonly sync: string;
  readonly source: string;
  readonly target: string;
  readonly state: string;
  readonly lagSeconds: number | null;
  readonly pending: number | null;
  readonly rowsPerSecond: number;
};

/** Shows `sarrio status`, and the conflicts that were decided, as a table that grows (or, on a terminal, stays in its place) for so long. */
export async function board(options: { dir: string; env: Record<string, string>; forMs: number; shop: TestDatabase }): Promise<void> {
  const end = performance.now() + options.forMs;
  let isFirst = true;
  while (performance.now() < end) {
    await delay(EVERY_MS);
    const { stdout } = await sarrio(['status', '--json', '--generated', options.dir], { env: options.env });
    const answer = JSON.parse(stdout) as { data: { streams: readonly Stream[] } };
    const lines = [...answer.data.streams.map(line), await conflictsText(options.shop)];
    if (process.stdout.isTTY && !isFirst) process.stdout.write(`\u001b[${lines.length}A`);
    process.stdout.write(lines.map((text) => `${process.stdout.isTTY ? '\u001b[2K' : ''}   ${text}\n`).join(''));
    isFirst = false;
  }
}

/** How many conflicts were decided, by strategy. */
export async function conflictsText(shop: TestDatabase): Promise<string> {
  const rows = await shop.query<{ strategy: string; n: number }>(CONFLICTS);
  return `conflicts decided: ${rows.map(({ strategy, n }) => `${n.toLocaleString('en-US')} by ${strategy}`).join(', ') || 'none yet'}`;
}

function line({ sync, source, target, state, lagSeconds, pending, rowsPerSecond }: Stream): string {
  const lag = lagSeconds === null ? '-' : `${lagSeconds.toFixed(2)} s`;
  return `${`${sync}: ${source} -> ${target}`.padEnd(29)} ${state.padEnd(12)} lag ${lag.padStart(8)}  pending ${String(pending ?? '-').padStart(7)}  ${Math.round(rowsPerSecond).toLocaleString('en-US').padStart(7)} rows/s`;
}
