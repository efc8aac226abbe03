import { strict as assert } from 'node:assert';
import type { Plan, PlanDatabase, PlanSync } from './plan.ts';
import { rememberHash } from './plan-hash.ts';
import { printPlan } from './print-plan.ts';
import { planFaults } from './read-plan.ts';
import { anew, type Recall } from './recall.ts';

/** The text of `plan.yaml`, for a plan that its own schema takes. */
export function writePlan(plan: Plan, recall: Recall = anew): string {
  const { text, checksum } = printPlan(plan, recall);
  const checked = recall === anew ? plan : { ...plan, ...newParts(plan, recall) };
  assert.deepEqual(planFaults({ ...checked, checksum }), [], 'the compiler made a plan that its own schema refuses');
  rememberHash(plan, checksum);
  return text;
}

/** Parts that were found right before need not be looked at again. */
function newParts({ databases, syncs }: Plan, recall: Recall): Pick<Plan, 'databases' | 'syncs'> {
  const isNew = (part: object): boolean => {
    let looked = false;
    recall({ about: part, kind: 'checked', words: '' }, () => {
      looked = true;
      return true;
    });
    return looked;
  };
  const ofDatabase = (database: PlanDatabase): PlanDatabase => ({
    ...database,
    objects: database.objects.filter(isNew),
    captures: database.captures.filter(isNew),
    shapes: Object.fromEntries(Object.entries(database.shapes).filter(([, shape]) => isNew(shape))),
  });
  const ofSync = (sync: PlanSync): PlanSync => (sync.mode === 'full-copy' ? sync : ({ ...sync, tables: sync.tables.filter(isNew) } as PlanSync));
  return { databases: mapped(databases, ofDatabase), syncs: mapped(syncs, ofSync) };
}

function mapped<Value>(record: Readonly<Record<string, Value>>, change: (value: Value) => Value): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
