import { displayName } from '../../src/sql/quote.ts';
import { breakText } from '../../src/runner/5-inspect/seal-break.ts';
import { readUnsafe } from '../../src/runner/8-round/watch-seals.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import type { TestDatabase } from './database.ts';
import type { Installation } from './installation.ts';

/** Tables of database `source` of which changes may have gone by, with the reasons: what a running runner finds. */
export async function unsafeTables(source: TestDatabase, project: Installation): Promise<readonly string[]> {
  const { plan } = await project.generated();
  const session = await connect({ database: 'source', url: source.url, variable: 'SOURCE_URL', role: 'status' });
  const unsafe = await readUnsafe(session, plan.databases['source']?.captures ?? []);
  await session.close();
  return unsafe.map(({ capture, broken }) => `${displayName(capture.table)}: ${breakText(broken)}`);
}
