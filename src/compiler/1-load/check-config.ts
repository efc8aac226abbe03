import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { configAjv } from './config-ajv.ts';
import { configSchema } from './config-schema.ts';
import { didYouMean } from './did-you-mean.ts';
import type { ConfigPath, Fault } from './fault.ts';

/** Every way in which the exported value is not a `ReplicationConfig`; by another schema, not what that says. */
export function checkConfig(value: unknown, schema: object = configSchema): readonly Fault[] {
  const validate = checkOf(schema);
  if (validate(value)) return [];
  return (validate.errors ?? []).flatMap((error) => (error.keyword === 'if' || isPartOfName(error) ? [] : [faultOf(error)]));
}

const checks = new WeakMap<object, ValidateFunction>();

/** Made when it is first asked for; whoever waits for the config has the time for it. */
export function checkOf(schema: object = configSchema): ValidateFunction {
  const known = checks.get(schema);
  if (known !== undefined) return known;
  const check = (schema === configSchema ? builtCheck() : null) ?? configAjv().compile(schema);
  checks.set(schema, check);
  return check;
}

/** As the build has compiled it: that took as long as reading the schema lock of a thousand tables. */
function builtCheck(): ValidateFunction | null {
  const built = new URL('config-check.cjs', import.meta.url);
  return existsSync(built) ? (createRequire(import.meta.url)(fileURLToPath(built)) as ValidateFunction) : null;
}

/** A wrong name gives two errors: what is wrong with the text, and that it is a name. The second one has the place. */
function isPartOfName(error: ErrorObject): boolean {
  return error.propertyName !== undefined;
}

function faultOf(error: ErrorObject): Fault {
  const path = pathOf(error.instancePath);
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(error, path);
    case 'required':
      return fault('SAR104', path, `the key '${String(error.params['missingProperty'])}' is missing`, null);
    case 'propertyNames':
      return badName(String(error.params['propertyName']), path);
    case 'enum':
      return badChoice(error, path);
    default:
      return fault('SAR105', path, `${subject(path)} ${requirement(error)}`, hintFor(error));
  }
}

function unknownKey(error: ErrorObject, path: ConfigPath): Fault {
  const key = String(error.params['additionalProperty']);
  const known = knownKeys(error.parentSchema);
  const hint = didYouMean(key, known) ?? `Known keys here: ${known.join(', ')}.`;
  return { ...fault('SAR103', [...path, key], `unknown key '${key}'`, hint), part: 'key' };
}

function badName(name: string, path: ConfigPath): Fault {
  const message = `'${name}' is not a name`;
  const hint = 'Names of databases and syncs are letters, digits, _ and -, begin with a letter and have at most 50 characters.';
  return { ...fault('SAR105', [...path, name], message, hint), part: 'key' };
}

function badChoice(error: ErrorObject, path: ConfigPath): Fault {
  const allowed = Array.isArray(error.params['allowedValues']) ? error.params['allowedValues'].map(String) : [];
  const found = typeof error.data === 'string' ? error.data : '';
  const message = `${subject(path)} must be ${allowed.map((value) => `'${value}'`).join(' or ')}, not ${shown(error.data)}`;
  return fault('SAR105', path, message, didYouMean(found, allowed));
}

function requirement(error: ErrorObject): string {
  if (/\/onException$/.test(error.instancePath)) return `must be a function, not ${shown(error.data)}`;
  switch (error.keyword) {
    case 'type':
      return `must be ${article(String(error.params['type']))}, not ${shown(error.data)}`;
    case 'minItems':
    case 'minProperties':
    case 'minLength':
      return 'must not be empty';
    case 'maxItems':
      return `has more than ${String(error.params['limit'])} entries`;
    case 'pattern':
      return `has characters that are not allowed: ${shown(error.data)}`;
    default:
      return error.message ?? 'is not valid';
  }
}

function hintFor(error: ErrorObject): string | null {
  if (/\/onException$/.test(error.instancePath)) return 'It is asked about each row, as in onException: () => park(); in YAML it is named: ./rules.ts#decide.';
  if (/\/maxBacklog(\/\w+)?$/.test(error.instancePath))
    return "A backlog is a size such as '20 GB', or { rows: 5_000_000 }, or { size: '20 GB', rows: 5_000_000 }.";
  if (/\/keepConflicts$/.test(error.instancePath)) return "A time to keep conflicts is such as '30 days' or '12 hours'.";
  if (/\/maxClockSkew$/.test(error.instancePath)) return "A difference of clocks is a time such as '500 ms' or '2 s'.";
  const isDatabase = /^\/databases\/[^/]+(\/env)?$/.test(error.instancePath);
  return isDatabase ? "A database is env('NAME'): the name of the environment variable that holds its connection string." : null;
}

function fault(code: string, path: ConfigPath, message: string, hint: string | null): Fault {
  return { code, severity: 'error', message, hint, path };
}

function subject(path: ConfigPath): string {
  return path.length === 0
    ? 'the config'
    : path
        .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
        .join('')
        .replace(/^\./, '');
}

function article(type: string): string {
  return { array: 'a list', object: 'an object', string: 'a text' }[type] ?? `a ${type}`;
}

/** Never the text of a value that may be long or secret, such as a connection string written in place of `env(…)`. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return value.length <= 30 && !value.includes('://') ? `'${value}'` : 'a text';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function knownKeys(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null || !('properties' in schema)) return [];
  return Object.keys(schema.properties ?? {});
}

function pathOf(pointer: string): ConfigPath {
  const steps = pointer.split('/').slice(1);
  return steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~')));
}
