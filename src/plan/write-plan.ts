import { strict as assert } from 'node:assert';
import { Document, Scalar, visit } from 'yaml';
import { contentHash } from './canonical.ts';
import { generatedHeader } from './generated-header.ts';
import type { Plan } from './plan.ts';
import { planFaults } from './read-plan.ts';

/** The text of `plan.yaml`: byte for byte the same for the same plan, statements as blocks that read like SQL. */
export function writePlan(plan: Plan): string {
  const { format, requires, project, databases, syncs } = plan;
  const content = { format, checksum: contentHash(plan), requires, project, databases, syncs };
  assert.deepEqual(planFaults(content), [], 'the compiler made a plan that its own schema refuses');
  const document = new Document(content, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, node) => {
      const style = typeof node.value === 'string' ? styleOf(node.value) : null;
      if (style) node.type = style;
    },
  });
  return `${generatedHeader('#')}\n${document.toString({ lineWidth: 0 }).trimEnd()}\n`;
}

/** Statements read like SQL; what a line-end conversion or an editor could change is escaped. */
function styleOf(text: string): Scalar.BLOCK_LITERAL | Scalar.QUOTE_DOUBLE | null {
  if (/[^\P{C}\n\t]|[\u2028\u2029]/u.test(text)) return Scalar.QUOTE_DOUBLE;
  return text.includes('\n') ? Scalar.BLOCK_LITERAL : null;
}
