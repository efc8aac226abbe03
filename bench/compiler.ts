import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { writeLock } from '../src/plan/write-lock.ts';
import { buildOnce, program } from '../test/support/build.ts';
import { lockOf, table } from '../test/types/lock.ts';
import { median } from './harness/statistics.ts';

/** What compiling and checking many tables takes, by the real program: node --import jiti/register bench/compiler.ts [tables] [repetitions] */
const TABLES = Number(process.argv[2] ?? 1000);
const REPEAT = Number(process.argv[3] ?? 5);
const COLUMNS = ['id bigint not null', 'total numeric(12,2)', ...Array.from({ length: 10 }, (_, index) => `column_${index} text`)];
const key = { name: 'id', equality: { schema: 'pg_catalog', name: '=' }, folding: null };
const tables = Array.from({ length: TABLES }, (_, index) => {
  const keys = [{ name: `table_${index}_pkey`, columns: [key], primary: true, deferrable: false, notNull: true }];
  return { ...table(`table_${String(index).padStart(5, '0')}`, COLUMNS), keys };
});
const configOf = (tables: string): string => `import { defineReplication, env } from 'sarrio';
export default defineReplication({
  databases: { east: env('E'), west: env('W') },
  syncs: { copy: { mode: 'one-way', source: 'east', targets: ['west'], tables: [${tables}'public.*'] } },
});
`;

await buildOnce();
const cwd = mkdtempSync(join(tmpdir(), 'sarrio-compile-'));
const run = (...args: readonly string[]): number => {
  const start = performance.now();
  execFileSync(process.execPath, [program, ...args], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  return performance.now() - start;
};
const figures = (title: string, work: () => number): void => {
  const times = Array.from({ length: REPEAT }, work);
  console.log(`${title}: ${Math.round(median(times))} ms, of ${times.map((time) => Math.round(time)).join(', ')}`);
};
/** What `compile --watch` says of each compilation, the first one apart: one table has another filter each time. */
const watched = async (): Promise<{ readonly first: number; readonly again: readonly number[] }> => {
  const child = spawn(process.execPath, [program, 'compile', '--watch'], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  const took: number[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    const [, ms] = /^compiled in (\d+) ms/.exec(line) ?? [];
    if (ms === undefined) console.error(line);
    else took.push(Number(ms));
    if (took.length > REPEAT) child.kill('SIGTERM');
    else if (ms !== undefined) writeFileSync(join(cwd, 'replication.config.ts'), configOf(`{ table: 'public.table_00007', where: 'id > ${took.length}' }, `));
  }
  const [first = 0, ...again] = took;
  return { first, again };
};
try {
  mkdirSync(join(cwd, 'generated'));
  writeFileSync(join(cwd, 'generated/schema.lock.json'), writeLock(lockOf({ east: tables, west: tables })));
  writeFileSync(join(cwd, 'replication.config.ts'), configOf(''));
  console.log(`${TABLES} tables of ${COLUMNS.length} columns, one way`);
  figures('the program says its version', () => run('--version'));
  console.log(
    `compile, all files new: ${Math.round(run('compile'))} ms; plan.yaml has ${Math.round(statSync(join(cwd, 'generated/plan.yaml')).size / 1024)} kB`,
  );
  figures('compile, nothing new', () => run('compile'));
  figures('check', () => run('check'));
  const { first, again } = await watched();
  console.log(`compile --watch: ${first} ms at first, then ${Math.round(median([...again]))} ms, of ${again.join(', ')}`);
} finally {
  rmSync(cwd, { recursive: true });
}
