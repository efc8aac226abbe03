import { strict as assert } from 'node:assert';
import { generatedHeader } from './generated-header.ts';
import type { Plan } from './plan.ts';
import { planHash } from './plan-hash.ts';
import { printYaml } from './print-yaml.ts';
import { planFaults } from './read-plan.ts';

/** The text of `plan.yaml`: byte for byte the same for the same plan, statements as blocks that read like SQL. */
export function writePlan(plan: Plan): string {
  const { format, requires, project, approvals, databases, syncs } = plan;
  const content = { format, checksum: planHash(plan), requires, project, ...(approvals ? { approvals } : {}), databases, syncs };
  assert.deepEqual(planFaults(content), [], 'the compiler made a plan that its own schema refuses');
  return `${generatedHeader('#')}\n${printYaml(content)}`;
}
