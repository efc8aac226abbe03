import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildOnce, program } from '../test/support/build.ts';
import { startServer } from '../test/support/server.ts';
import { median } from './harness/statistics.ts';

/** What pulling and planning many tables takes, by the real program: node --import jiti/register bench/catalog.ts [tables] [repetitions] */
const TABLES = Number(process.argv[2] ?? 1000);
const REPEAT = Number(process.argv[3] ?? 5);
const COLUMNS = Array.from({ length: 10 }, (_, index) => `column_${index} text`).join(', ');
const create = (index: number): string => `create table public.table_${index} (id bigint primary key, total numeric(12,2), ${COLUMNS});`;
const config = `import { defineReplication, env } from 'sarrio';
export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: { copy: { mode: 'one-way', source: 'east', targets: ['west'], tables: ['public.*'] } },
});
`;

await buildOnce();
const server = await startServer({ durable: false, flags: ['-c', 'max_locks_per_transaction=512'] });
const cwd = mkdtempSync(join(tmpdir(), 'sarrio-catalog-'));
const env = { ...process.env, EAST_URL: server.url('east'), WEST_URL: server.url('west') };
const run = (...args: readonly string[]): number => {
  const start = performance.now();
  execFileSync(process.execPath, [program, ...args], { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
  return performance.now() - start;
};
const figures = (title: string, work: () => number): void => {
  const times = Array.from({ length: REPEAT }, work);
  console.log(`${title}: ${Math.round(median(times))} ms, of ${times.map((time) => Math.round(time)).join(', ')}`);
};
try {
  for (const name of ['east', 'west']) {
    const database = await server.createDatabase(name);
    await database.script(Array.from({ length: TABLES }, (_, index) => create(index)).join('\n'));
    await database.close();
  }
  writeFileSync(join(cwd, 'replication.config.ts'), config);
  console.log(`${TABLES} tables of 12 columns in two databases, one way`);
  figures('pull', () => run('pull'));
  run('compile');
  figures('plan, nothing installed', () => run('plan'));
  run('apply');
  figures('plan, all installed', () => run('plan'));
} finally {
  rmSync(cwd, { recursive: true });
  await server.dispose();
}
