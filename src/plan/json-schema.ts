import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Diagnostic } from './diagnostic.ts';

/** Compiles one of this folder's `*.schema.json` files when first needed: a check of a value that says all that is wrong, or nothing. */
export function schemaCheck(file: string): (value: unknown) => readonly string[] {
  let validate: ValidateFunction | null = null;
  return (value) => {
    validate ??= compile(file);
    return validate(value) ? [] : [...new Set((validate.errors ?? []).filter(isTelling).map(errorText))];
  };
}

/** One diagnostic for each fault of a file, at most ten: after a wrong merge there may be thousands. */
export function schemaFaults(options: { code: string; file: string; faults: readonly string[]; hint: string }): Diagnostic[] {
  const { code, file, faults, hint } = options;
  const messages = faults.length > 10 ? [...faults.slice(0, 10), `and ${faults.length - 10} more faults`] : faults;
  return messages.map((message) => ({ code, severity: 'error', message, hint, span: null, where: file }));
}

function compile(file: string): ValidateFunction {
  // Read, not imported: importing JSON still prints a warning on Node 20.
  const schema: unknown = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
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
