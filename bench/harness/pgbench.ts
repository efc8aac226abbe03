import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { TestDatabase } from '../../test/support/database.ts';

export type Load = {
  readonly clients: number;
  /** A script of its own; TPC-B by default. */
  readonly script?: string;
  /** For so long, or so many transactions of each client. */
  readonly until: { readonly seconds: number } | { readonly transactions: number };
};

/** Runs pgbench against the database and returns its transactions per second. */
export async function pgbench(database: TestDatabase, { clients, script, until }: Load): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'sarrio-pgbench-'));
  try {
    const file = join(folder, 'script.sql');
    if (script !== undefined) await writeFile(file, script);
    const work = script === undefined ? [] : ['-f', file];
    const length = 'seconds' in until ? ['-T', String(until.seconds)] : ['-t', String(until.transactions)];
    const { stdout } = await execa('pgbench', ['-n', '-c', String(clients), '-j', '2', ...length, ...work, database.url]);
    const tps = Number(/^tps = ([0-9.]+)/m.exec(stdout)?.[1]);
    if (!(tps > 0)) throw new Error(`pgbench said no tps:\n${stdout}`);
    return tps;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
