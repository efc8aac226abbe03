import { failure } from '../../plan/errors.ts';
import type { Plan } from '../../plan/plan.ts';
import { bareNameOf, type LiveObject, objectKey } from '../5-inspect/live-database.ts';
import { readObjects } from '../5-inspect/read-installed.ts';
import { definitionOf } from '../6-diff/drift-text.ts';
import type { Step } from '../6-diff/step.ts';
import type { Session } from '../postgres/session.ts';
import { FORGET_OBJECTS, RECORD_OBJECTS } from './group.sql.ts';
import type { Group } from './groups.ts';

type Recorded = Step & { readonly record: { readonly hash: string } };

/** Writes the group's outcome into the inventory, in its transaction, with the fingerprints that the catalog gives now. */
export async function recordGroup(options: { session: Session; group: Group; plan: Plan }): Promise<void> {
  const { session, group, plan } = options;
  const placed = group.steps.filter((step): step is Recorded => step.record !== null && step.record !== 'none');
  const gone = group.steps.filter(({ record }) => record === 'none').map(({ object }) => object);
  if (placed.length > 0) {
    const objects = await readObjects(session, [...new Set(placed.map(bareName))]);
    const found = new Map(objects.map((object) => [objectKey(object), object]));
    const rows = placed.map((step) => installedRow({ step, plan, standing: found.get(objectKey(step.object)) }));
    await session.query(RECORD_OBJECTS, [JSON.stringify(rows)]);
  }
  if (gone.length > 0) await session.query(FORGET_OBJECTS, [JSON.stringify(gone)]);
}

function installedRow(options: { step: Recorded; plan: Plan; standing: LiveObject | undefined }) {
  const { step, plan, standing } = options;
  if (!standing) throw notPlaced(step);
  if (isUnrepaired(step, standing)) throw unrepaired(step);
  const { kind, name } = step.object;
  return { kind, name, project: plan.project, hash: step.record.hash, fingerprint: standing.fingerprint, plan_format: plan.format };
}

/** Blocks of functions, triggers and indexes say all of the object; what they leave is right, as are rights after they were all revoked. Tables and sequences are only made when absent. */
function isUnrepaired(step: Recorded, standing: LiveObject): boolean {
  return step.expected !== null && ['table', 'sequence'].includes(step.object.kind) && definitionOf(standing.fingerprint) !== definitionOf(step.expected);
}

/** The relation's, function's or trigger's table's own name, out of the plan's spelling. */
function bareName(step: Recorded): string {
  const { kind, name } = step.object;
  if (kind === 'trigger' && step.lock) return step.lock.table.name;
  return bareNameOf(name);
}

function notPlaced(step: Recorded): Error {
  return failure('failed', {
    code: 'SAR506',
    where: `database ${step.database}`,
    message: `the statements of ${step.object.kind} ${step.object.name} ran, but it does not stand`,
    hint: 'This is a fault of the generated SQL: please report it.',
  });
}

function unrepaired(step: Recorded): Error {
  return failure('failed', {
    code: 'SAR509',
    where: `database ${step.database}`,
    message: `${step.object.kind} ${step.object.name} was altered by hand, and running its statements again does not undo that`,
    hint: `Undo the change by hand, as the statements in generated/ have it. Expected is the catalog fingerprint ${step.expected ?? ''}.`,
  });
}
