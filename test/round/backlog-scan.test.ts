import { describe, expect, onTestFinished, test } from 'vitest';
import { parsePosition, positionSettings } from '../../src/plan/position.ts';
import { connect, type Session } from '../../src/runner/postgres/session.ts';
import { hasUncovered } from '../../src/runner/8-round/purge.sql.ts';
import { planFor } from '../../src/runner/8-round/joins.sql.ts';
import { beginReading, endReading, setPosition } from '../../src/runner/8-round/source.sql.ts';
import type { TestDatabase } from '../support/database.ts';
import { catchUp } from '../support/follow.ts';
import { oneWayOf } from '../support/installation.ts';
import { oneWayPair } from '../support/one-way.ts';

const T = 'create table t (id integer primary key, v integer);';
const RETAINED = 200_000;
const PENDING = 300;

type Node = {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly Node[];
};

/** The most entries that one node of the plan read from a segment, kept or thrown away. */
function mostRead(node: Node): number {
  const isSegment = node['Relation Name']?.startsWith('segment') === true;
  const loops = node['Actual Loops'] ?? 0;
  const own = ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)) * loops;
  return Math.max(isSegment ? own : 0, ...(node.Plans ?? []).map(mostRead));
}

async function readBy(session: Session, statement: string): Promise<number> {
  const [row] = (await session.query(`explain (analyze, format json, timing off) ${statement}`)).rows;
  const [plan] = JSON.parse(row?.['QUERY PLAN'] ?? '[]') as readonly { Plan: Node }[];
  if (!plan) throw new Error('no plan');
  return mostRead(plan.Plan);
}

/** The query inside `copy ( … ) to stdout`. */
function queryOf(copy: string): string {
  return copy.replace(/^\s*copy \(/, '').replace(/\) to stdout[^)]*\)\s*$/, '');
}

/** Many entries that the target has, a few that it lacks, all in segments that another target holds. */
async function retained(truncate: 'replicate' | 'ignore') {
  const { source, target, project } = await oneWayPair(T, { truncate });
  await catchUp(project);
  for (let turn = 0; turn < 25; turn += 1)
    await source.query('insert into t select g, 0 from generate_series($1::int, $2::int) g', [turn * 8000 + 1, (turn + 1) * 8000]);
  await catchUp(project);
  await source.query('update t set v = 1 where id <= $1', [PENDING]);
  const { plan } = await project.generated();
  const table = oneWayOf(plan, 's').tables[0];
  const read = table?.routes[0]?.read;
  const [row] = await target.query<{ position: string }>('select position from sarrio.watermark');
  if (!table || !read || !row) throw new Error('the plan lacks what the test made');
  return { source, table, read, position: parsePosition(row.position) };
}

async function sourceSession(source: TestDatabase): Promise<Session> {
  const session = await connect({ database: 'source', url: source.url, variable: 'SOURCE_URL', role: 'source' });
  onTestFinished(() => session.close());
  return session;
}

describe('a retained backlog costs a round nothing', () => {
  test.each([
    ['unknown', 'replicate'],
    ['gathered', 'replicate'],
    ['unknown', 'ignore'],
    ['gathered', 'ignore'],
  ] as const)('statistics of the delta table %s, truncate: %s', { timeout: 180_000 }, async (statistics, truncate) => {
    const { source, table, read, position } = await retained(truncate);
    if (statistics === 'gathered') await source.query('analyze');
    expect(await source.query('select count(*)::int as n from sarrio.delta_public_t')).toEqual([{ n: RETAINED + PENDING }]);
    const session = await sourceSession(source);
    await session.batch([beginReading, setPosition(position)]);
    expect(await readBy(session, table.countPending)).toBeLessThanOrEqual(2 * PENDING);
    expect(await readBy(session, read.rows)).toBeLessThanOrEqual(2 * PENDING);
    await session.query(planFor('few'));
    expect(await readBy(session, queryOf(read.copyChanged))).toBeLessThanOrEqual(2 * PENDING);
    const { xmax, xip, extra } = positionSettings(position);
    const bound = hasUncovered('sarrio.segment1_public_t').replaceAll('$1', `'${xmax}'`).replaceAll('$2', `'${xip}'`).replaceAll('$3', `'${extra}'`);
    expect(await readBy(session, bound)).toBeLessThanOrEqual(2 * PENDING);
    await session.query(endReading);
  });
});
