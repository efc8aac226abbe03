import { CORE_SCHEMA, load, YAMLException } from 'js-yaml';
import { contentHash } from './canonical.ts';
import type { Diagnostic } from './diagnostic.ts';
import { failure, SarrioError } from './errors.ts';
import { assertFormat } from './format-version.ts';
import { schemaCheck, schemaFaults } from './json-schema.ts';
import { CAPABILITIES, OLDEST_PLAN_FORMAT, PLAN_FORMAT, type Plan } from './plan.ts';
import { planHash, rememberHash } from './plan-hash.ts';
import { fittingChecksum } from './print-plan.ts';
import { readPrinted } from './read-printed.ts';

const REMAKE = 'Run `sarrio compile` again, and never edit the file: change the config instead.';
const checkPlan = schemaCheck('plan.schema.json');

/**
 * `plan.yaml` as a value. Refuses, in this order: what is not YAML, a newer format, a capability that this version lacks, a field
 * that it does not know, and content that is not what the compiler wrote. `file` is the name for messages.
 */
export function readPlan(text: string, file: string): Plan {
  return printedPlan(text.includes('\r') ? text.replaceAll('\r\n', '\n') : text) ?? anyPlan(text, file);
}

/** The plan, where nothing at all is wrong and the file is as the compiler prints it; null leaves it to `anyPlan` to say what is. */
function printedPlan(text: string): Plan | null {
  const fitting = fittingChecksum(text);
  const content = fitting === null ? null : readPrinted(text);
  if (fitting === null || content === null || content['format'] !== PLAN_FORMAT) return null;
  if (missingCapabilities(content['requires'], '').length > 0 || checkPlan(content).length > 0) return null;
  const { checksum, ...plan } = content;
  rememberHash(plan as unknown as Plan, fitting);
  return plan as unknown as Plan;
}

function anyPlan(text: string, file: string): Plan {
  const content = parse(text, file);
  assertFormat({ found: content['format'], ours: PLAN_FORMAT, oldest: OLDEST_PLAN_FORMAT, code: 'SAR303', file, remake: REMAKE });
  refuse(missingCapabilities(content['requires'], file));
  refuse(schemaFaults({ code: 'SAR305', file, faults: checkPlan(content), hint: REMAKE }));
  const plan = withoutChecksum(content);
  if (plan) return plan;
  throw failure('invalid', {
    code: 'SAR306',
    where: file,
    message: 'the file was changed after it was compiled (its checksum does not fit its content)',
    hint: REMAKE,
  });
}

/** Null where the checksum is another one. Taken of what is printed again, so that other spaces and comments are no edit. */
function withoutChecksum(content: Readonly<Record<string, unknown>>): Plan | null {
  const { checksum, ...rest } = content;
  const plan = rest as unknown as Plan;
  return checksum === (plan.format === PLAN_FORMAT ? planHash(plan) : rememberHash(plan, contentHash(plan))) ? plan : null;
}

/** All that is wrong with a plan before it is written; empty for every plan that the compiler makes. */
export function planFaults(plan: Plan & { checksum: string }): readonly string[] {
  return checkPlan(plan);
}

function parse(text: string, file: string): Record<string, unknown> {
  const content = loadYaml(text, file);
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) return { ...content };
  throw failure('invalid', { code: 'SAR302', where: file, message: 'the file holds no plan', hint: REMAKE });
}

/** For what `readPrinted` does not know. js-yaml and not yaml: a plan of 1,000 tables (23 MB) is read in 1.1 s instead of 9.8, in a third of the memory. */
function loadYaml(text: string, file: string): unknown {
  try {
    return load(text, { schema: CORE_SCHEMA });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const message = `not readable as YAML: ${error.message.split('\n')[0] ?? ''}`;
    throw failure('invalid', { code: 'SAR302', where: file, message, hint: REMAKE, cause: error });
  }
}

function missingCapabilities(requires: unknown, file: string): Diagnostic[] {
  const known: readonly string[] = CAPABILITIES;
  const wanted: readonly unknown[] = Array.isArray(requires) ? requires : [];
  return wanted
    .filter((capability) => typeof capability === 'string' && !known.includes(capability))
    .map((capability) => ({
      code: 'SAR304',
      severity: 'error',
      message: `the plan needs the capability '${String(capability)}', which this sarrio does not have`,
      hint: 'It was made by a newer sarrio: update the one that runs here.',
      span: null,
      where: file,
    }));
}

function refuse(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length > 0) throw new SarrioError({ exit: 'invalid', diagnostics });
}
