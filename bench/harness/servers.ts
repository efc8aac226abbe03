import type { Major } from '../../test/support/binaries.ts';
import { startServer, type TestServer } from '../../test/support/server.ts';

export type Pair = { readonly source: TestServer; readonly target: TestServer; dispose(): Promise<void> };

/** The same for every peer: durable, the WAL level that native replication needs, and room for a large transaction between checkpoints. */
const SETTINGS = {
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  min_wal_size: '2GB',
  checkpoint_timeout: '30min',
  max_prepared_transactions: '0',
  max_connections: '100',
  // A thousand tables are dropped in one statement.
  max_locks_per_transaction: '256',
};

export async function startPair(major: Major): Promise<Pair> {
  const flags = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [source, target] = await Promise.all([startServer({ major, walLevel: 'logical', flags }), startServer({ major, walLevel: 'logical', flags })]);
  return { source, target, dispose: async () => void (await Promise.all([source.dispose(), target.dispose()])) };
}
