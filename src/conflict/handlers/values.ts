/**
 * Columns in handlers. What JavaScript holds without loss comes as what it is; everything else comes as PostgreSQL writes it, to the
 * last digit:
 *
 * | type | in the handler | in `merge` |
 * |---|---|---|
 * | boolean | boolean | boolean |
 * | smallint, integer | number | whole number in the type's range |
 * | double precision | number, also NaN, the infinities, -0 | number |
 * | real | number: the shortest decimal that stands for the value, so what looks like 0.1 is 0.1 | number in the type's range |
 * | bigint, numeric | text | text, or a bigint |
 * | all else: times, json, bytea, arrays, enums, domains, … | text | text |
 *
 * The server writes floating-point numbers so that reading them gives the same bits back, and JavaScript does, too: nothing is lost in
 * between. A value that is returned unchanged keeps the text that it had.
 */
export type MessageValue = string | number | boolean | null | { readonly number: string };

/** What may come back from a handler: numbers that JSON does not have, bigints, and the names of what no column can hold. */
export type EncodedValue = MessageValue | { readonly bigint: string } | { readonly other: string };

/** A value's text for PostgreSQL, or why it is none. */
export type TextOrFault = { readonly text: string | null } | { readonly fault: string };

/** A column's text, as its server wrote it, for a handler. */
export function handlerValue(text: string | null, type: string): MessageValue {
  if (text === null) return null;
  switch (type) {
    case 'boolean':
      return text === 't' || text === 'true';
    case 'smallint':
    case 'integer':
      return Number(text);
    case 'real':
    case 'double precision':
      return floatOf(text);
    default:
      return text;
  }
}

function floatOf(text: string): MessageValue {
  const value = Number(text);
  return Number.isFinite(value) && !Object.is(value, -0) ? value : { number: Object.is(value, -0) ? '-0' : String(value) };
}

/** The way back. What the type of a domain, an enum or an extension takes only the server can say. */
export function textOf(value: EncodedValue, type: string): TextOrFault {
  if (value === null) return { text: null };
  if (typeof value === 'object' && 'other' in value) return { fault: `${value.other} is no value of a column` };
  if (typeof value === 'object' && 'bigint' in value) return bigintText(value.bigint, type);
  if (typeof value === 'boolean') return type === 'boolean' ? { text: value ? 'true' : 'false' } : unfit('a boolean', type);
  if (typeof value === 'string') return textText(value, type);
  return numberText(typeof value === 'object' ? Number(value.number) : value, type);
}

const RANGES: Readonly<Record<string, readonly [least: bigint, most: bigint]>> = {
  smallint: [-(2n ** 15n), 2n ** 15n - 1n],
  integer: [-(2n ** 31n), 2n ** 31n - 1n],
  bigint: [-(2n ** 63n), 2n ** 63n - 1n],
};

function numberText(value: number, type: string): TextOrFault {
  const range = RANGES[type];
  if (type === 'bigint' || isNumeric(type)) return { fault: `a number may have lost digits; ${type} takes a text or a bigint` };
  if (range) return Number.isInteger(value) ? wholeText(BigInt(value), type) : { fault: `${value} is no ${type}` };
  if (type === 'double precision') return { text: floatText(value) };
  if (type === 'real') return isReal(value) ? { text: floatText(value) } : { fault: `${value} is out of the range of real` };
  return unfit('a number', type);
}

function floatText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The server refuses what becomes infinite or zero on its way to four bytes. */
function isReal(value: number): boolean {
  const rounded = Math.fround(value);
  return !Number.isFinite(value) || (Number.isFinite(rounded) && (value === 0) === (rounded === 0));
}

function bigintText(digits: string, type: string): TextOrFault {
  return type in RANGES || isNumeric(type) ? wholeText(BigInt(digits), type) : unfit('a bigint', type);
}

function wholeText(value: bigint, type: string): TextOrFault {
  const range = RANGES[type];
  return range && (value < range[0] || value > range[1]) ? { fault: `${value} is out of the range of ${type}` } : { text: String(value) };
}

function textText(value: string, type: string): TextOrFault {
  if (value.includes('\0')) return { fault: 'PostgreSQL holds no text with a NUL character' };
  if (/\p{Surrogate}/u.test(value)) return { fault: 'the text has half of a surrogate pair' };
  if (type === 'bigint') return /^[+-]?\d+$/.test(value) ? wholeText(BigInt(value.replace('+', '')), type) : unfitText(value, type);
  if (isNumeric(type)) return NUMERIC.test(value) ? { text: value } : unfitText(value, type);
  if (type === 'json' || type === 'jsonb') return isJson(value) ? { text: value } : unfitText(value, type);
  if (type === 'uuid') return UUID.test(value) ? { text: value } : unfitText(value, type);
  if (type === 'boolean' || type in RANGES || type === 'real' || type === 'double precision') return unfit('a text', type);
  return lengthOf(type) < [...value].length ? { fault: `a text of ${[...value].length} characters is too long for ${type}` } : { text: value };
}

const NUMERIC = /^([+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|NaN|[+-]?Infinity)$/i;
const UUID = /^[0-9a-f]{8}(-?[0-9a-f]{4}){4}-?[0-9a-f]{8}$/i;

function isNumeric(type: string): boolean {
  return /^numeric(\(|$)/.test(type);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function lengthOf(type: string): number {
  const match = /^character(?: varying)?\((\d+)\)$/.exec(type);
  return match ? Number(match[1]) : Number.POSITIVE_INFINITY;
}

function unfit(what: string, type: string): TextOrFault {
  return { fault: `${what} does not fit the type ${type}` };
}

function unfitText(value: string, type: string): TextOrFault {
  return { fault: `${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)} is no ${type}` };
}
