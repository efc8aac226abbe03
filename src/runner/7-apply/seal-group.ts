import { failure } from '../../plan/errors.ts';
import type { Plan, PlanCapture } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import { parseSeal, readSeals } from '../5-inspect/seal.ts';
import { RECORD_SEAL } from '../5-inspect/seal.sql.ts';
import type { Session } from '../postgres/session.ts';
import type { Group } from './groups.ts';

/** Seals of one database by delta table, as last seen: by the inspection that the steps were decided from, then by each group. Null when everything is removed. */
export type SeenSeals = Map<string, string>;

type Sealing = { readonly session: Session; readonly group: Group; readonly plan: Plan; readonly seen: SeenSeals | null };

/** With the group's locks held: refuses to go on when a capture is not as it was when the steps were decided. */
export async function checkSeal({ session, group, plan, seen }: Sealing): Promise<void> {
  const capture = captureOf(plan, group);
  const before = capture && seen?.get(capture.delta);
  if (!capture || before === undefined) return;
  const now = await foundSeal(session, capture);
  if (now !== before) throw changedMeanwhile(group);
}

/** Writes down how the group leaves its capture. What its steps did not touch must be as it was: otherwise somebody else was here. */
export async function recordSeal({ session, group, plan, seen }: Sealing): Promise<void> {
  const capture = captureOf(plan, group);
  if (!capture || !seen) return;
  const [before, now] = [seen.get(capture.delta), await foundSeal(session, capture)];
  if (before !== undefined && untouched(before, group, capture) !== untouched(now, group, capture)) throw changedMeanwhile(group);
  await session.query(RECORD_SEAL, [capture.delta, now]);
  seen.set(capture.delta, now);
}

function captureOf(plan: Plan, group: Group): PlanCapture | undefined {
  return plan.databases[group.database]?.captures.find(({ table }) => displayName(table) === group.name);
}

async function foundSeal(session: Session, capture: PlanCapture): Promise<string> {
  return (await readSeals(session, [capture])).get(capture.delta) ?? '';
}

function untouched(text: string, { steps }: Group, capture: PlanCapture): string {
  const seal = parseSeal(text);
  const touched = new Set(steps.map(({ object }) => object.name));
  const hasFunctions = steps.some(({ object }) => object.kind === 'function');
  const relations = seal.relations.map((relation) => ({
    ...relation,
    triggers: relation.triggers
      .filter(([name]) => !touched.has(`${name} on ${displayName(relation)}`))
      .map(([name, state, version, calls]) => [name, state, version, hasFunctions ? null : calls]),
  }));
  return JSON.stringify({ table: seal.table, delta: touched.has(capture.delta) ? null : seal.delta, relations });
}

function changedMeanwhile({ database, name }: Group): Error {
  return failure('failed', {
    code: 'SAR514',
    where: `database ${database}, table ${name}`,
    message: 'its triggers or partitions were changed by somebody else after the change plan was made',
    hint: 'Nothing of this table was changed. Run the same command again.',
  });
}
