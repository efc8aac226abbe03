import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import type { Diagnostic } from './diagnostic.ts';

/** Compiles one of this folder's `*.schema.json` files when first needed: a check of a value that says all that is wrong, or nothing. */
export function schemaCheck(file: string): (value: unknown) => readonly string[] {
  let validate: ValidateFunction | null = null;
  return (value) => {
    validate ??= compile(file);
    return validate(value) ? [] : [...new Set((validate.errors ?? []).filter(isTelling).map(errorText))];
  };
}

/** Lengths are only asked for to refuse what is empty, and counting the characters of all statements for that took half of the time. Ajv would log that it is told so. */
const BY_CODE_UNITS = { unicode: false, logger: false } as const;

/** For schemas that are our own, which a test checks, and that are used once or twice. */
export const QUICK_TO_COMPILE = { meta: false, validateSchema: false, code: { optimize: false } } as const;

/** One diagnostic for each fault of a file, at most ten: after a wrong merge there may be thousands. */
export function schemaFaults(options: { code: string; file: string; faults: readonly string[]; hint: string }): Diagnostic[] {
  const { code, file, faults, hint } = options;
  const messages = faults.length > 10 ? [...faults.slice(0, 10), `and ${faults.length - 10} more faults`] : faults;
  return messages.map((message) => ({ code, severity: 'error', message, hint, span: null, where: file }));
}

/** The build has compiled it already; from the sources it is compiled here. */
function compile(file: string): ValidateFunction {
  const load = createRequire(import.meta.url);
  const built = new URL(file.replace(/json$/, 'cjs'), import.meta.url);
  if (existsSync(built)) return load(fileURLToPath(built)) as ValidateFunction;
  const { Ajv2020 } = load('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');
  // Read, not imported: importing JSON still prints a warning on Node 20.
  const schema: unknown = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, ...BY_CODE_UNITS, ...QUICK_TO_COMPILE });
  return ajv.compile(schema as Record<string, unknown>);
}

/** An alternative that did not match says nothing that its own branches do not say better. */
function isTelling(error: ErrorObject): boolean {
  return error.keyword !== 'oneOf' && error.keyword !== 'if';
}

function errorText(error: ErrorObject): string {
  const place = error.instancePath.slice(1).replaceAll('~1', '/').replaceAll('~0', '~') || 'the file';
  switch (error.keyword) {
    case 'additionalProperties':
      return `${place} has the unknown field '${String(error.params['additionalProperty'])}'`;
    case 'required':
      return `${place} lacks the field '${String(error.params['missingProperty'])}'`;
    case 'enum':
      return `${place} must be one of ${JSON.stringify(error.params['allowedValues'])}`;
    default:
      return `${place} ${error.message ?? 'is not valid'}`;
  }
}
