import { createHash } from 'node:crypto';
import { generatedHeader } from './generated-header.ts';
import type { Plan } from './plan.ts';
import { portionsOf } from './portions.ts';
import { printYaml, yamlPortions } from './print-yaml.ts';
import type { Recall } from './recall.ts';

/** The text of `plan.yaml`, and its checksum. */
export type PrintedPlan = { readonly text: string; readonly checksum: string };

/** Byte for byte the same for the same plan, statements as blocks that read like SQL. */
export function printPlan({ format, requires, project, approvals, databases, syncs }: Plan, recall?: Recall): PrintedPlan {
  const above = printYaml({ format });
  const below = yamlPortions({ requires, project, ...(approvals ? { approvals } : {}), databases, syncs }, recall);
  const checksum = checksumOf([above, ...below]);
  return { text: [`${generatedHeader('#')}\n`, above, printYaml({ checksum }), ...below].join(''), checksum };
}

/** Comments, the line of the format, and the line of the checksum, which takes in all but itself and the comments. */
const HEAD = /^(?:#[^\n]*\n)*(format: [^\n]+\n)checksum: ([0-9a-f]{64}|'[0-9a-f]{64}')\n/;

/** The checksum that stands in a plan's text (with LF line ends), if the rest is what it was taken of; null for everything else. */
export function fittingChecksum(text: string): string | null {
  const [head = '', format = '', written = ''] = HEAD.exec(text) ?? [];
  const checksum = written.replaceAll("'", '');
  return head !== '' && checksumOf([format, ...portionsOf(text, head.length)]) === checksum ? checksum : null;
}

function checksumOf(portions: Iterable<string>): string {
  const hash = createHash('sha256');
  for (const portion of portions) hash.update(portion);
  return hash.digest('hex');
}
