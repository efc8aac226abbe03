/** A type as `format_type` writes it, taken apart. */
export type TypeName = { readonly base: string; readonly modifiers: readonly number[]; readonly dimensions: string };

const INTEGERS = ['smallint', 'integer', 'bigint'];

export function parseType(type: string): TypeName {
  const found = known.get(type) ?? read(type);
  known.set(type, found);
  return found;
}

/** Few types make up thousands of columns. */
const known = new Map<string, TypeName>();

function read(type: string): TypeName {
  const [, element = type, dimensions = ''] = /^(.*?)((?:\[\])*)$/.exec(type) ?? [];
  const match = /^([^"(]+)\((-?\d+(?:,-?\d+)*)\)( with(?:out)? time zone)?$/.exec(element);
  const base = match ? `${match[1]}${match[3] ?? ''}` : element;
  return { base, modifiers: (match?.[2] ?? '').split(',').filter(Boolean).map(Number), dimensions };
}

/** Whether every value of a built-in type is one of another, dimensions aside. */
export function isWider(source: TypeName, target: TypeName): boolean {
  switch (`${source.base} -> ${target.base}`) {
    case 'character varying -> character varying':
    case 'character -> character':
    case 'bit varying -> bit varying':
    case 'interval -> interval':
    case 'time without time zone -> time without time zone':
    case 'time with time zone -> time with time zone':
    case 'timestamp without time zone -> timestamp without time zone':
    case 'timestamp with time zone -> timestamp with time zone':
      return target.modifiers.length === 0 || (source.modifiers[0] ?? Number.POSITIVE_INFINITY) <= (target.modifiers[0] ?? 0);
    case 'character varying -> text':
    case 'real -> double precision':
      return true;
    case 'numeric -> numeric':
      return numericFits(source.modifiers, target.modifiers);
    default:
      return isNarrowInterval(source, target) || (INTEGERS.includes(source.base) && INTEGERS.indexOf(source.base) < INTEGERS.indexOf(target.base));
  }
}

/** `interval year to month` and the like. */
function isNarrowInterval(source: TypeName, target: TypeName): boolean {
  return source.base.startsWith('interval ') && target.base === 'interval' && target.modifiers.length === 0;
}

/** As many digits before the point, and as many behind it. */
function numericFits([precision, scale = 0]: readonly number[], [wider, widerScale = 0]: readonly number[]): boolean {
  if (wider === undefined) return true;
  return precision !== undefined && widerScale >= scale && wider - widerScale >= precision - scale;
}
