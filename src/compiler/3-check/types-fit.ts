import type { DatabaseSchema, EnumSchema } from '../../plan/schema-lock.ts';
import { displayName } from '../../sql/quote.ts';

/** A type as `format_type` writes it, taken apart. */
type TypeName = { readonly base: string; readonly modifiers: readonly number[]; readonly dimensions: string };

const INTEGERS = ['smallint', 'integer', 'bigint'];

/** Whether every value of the source's type is a value of the target's, and reads the same there. */
export function typesFit(from: { type: string; database: DatabaseSchema }, to: { type: string; database: DatabaseSchema }): boolean {
  const source = parseType(from.type);
  const target = parseType(to.type);
  if (source.dimensions !== target.dimensions) return false;
  const sourceEnum = enumOf(source, from.database);
  if (sourceEnum) return enumFits(sourceEnum, enumOf(target, to.database));
  return from.type === to.type || isWider(source, target);
}

function parseType(type: string): TypeName {
  const [, element = type, dimensions = ''] = /^(.*?)((?:\[\])*)$/.exec(type) ?? [];
  const match = /^([^"(]+)\((-?\d+(?:,-?\d+)*)\)$/.exec(element);
  return { base: match?.[1] ?? element, modifiers: (match?.[2] ?? '').split(',').filter(Boolean).map(Number), dimensions };
}

function enumOf(type: TypeName, database: DatabaseSchema): EnumSchema | undefined {
  return database.enums.find((candidate) => displayName(candidate) === type.base);
}

/** The schema may differ, since values travel as text; a missing label would stop the stream at the first row that has it. */
function enumFits(source: EnumSchema, target: EnumSchema | undefined): boolean {
  return target !== undefined && source.name === target.name && source.labels.every((label) => target.labels.includes(label));
}

function isWider(source: TypeName, target: TypeName): boolean {
  const change = `${source.base} -> ${target.base}`;
  switch (change) {
    case 'character varying -> character varying':
    case 'character -> character':
    case 'bit varying -> bit varying':
      return target.modifiers.length === 0 || (source.modifiers[0] ?? Number.POSITIVE_INFINITY) <= (target.modifiers[0] ?? 0);
    case 'character varying -> text':
    case 'real -> double precision':
      return true;
    case 'numeric -> numeric':
      return numericFits(source.modifiers, target.modifiers);
    default:
      return INTEGERS.includes(source.base) && INTEGERS.indexOf(source.base) < INTEGERS.indexOf(target.base);
  }
}

/** As many digits before the point, and as many behind it. */
function numericFits([precision, scale = 0]: readonly number[], [wider, widerScale = 0]: readonly number[]): boolean {
  if (wider === undefined) return true;
  return precision !== undefined && widerScale >= scale && wider - widerScale >= precision - scale;
}
