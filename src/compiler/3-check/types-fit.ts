import type { DatabaseSchema, EnumSchema, TypeSchema } from '../../plan/schema-lock.ts';
import { displayName } from '../../sql/quote.ts';
import { isWider, parseType, type TypeName } from './type-name.ts';

/** A type as `format_type` writes it, in its database. */
export type PlacedType = { readonly type: string; readonly database: DatabaseSchema };

type Domain = Extract<TypeSchema, { kind: 'domain' }>;

/**
 * Why not every value of the source's type is a value of the target's that reads the same there, or null when it is. Types of users
 * are compared by what they are made of; their schemas may differ, since values of them travel as text.
 */
export function typeMisfit(from: PlacedType, to: PlacedType): string | null {
  // The name of a user's type has its schema before it.
  if (from.type === to.type && !from.type.includes('.')) return null;
  const [source, target] = [parseType(from.type), parseType(to.type)];
  const other = `${from.type} does not fit into ${to.type}`;
  if (source.dimensions !== target.dimensions) return other;
  const [own, wanted] = [userType(source, from.database), userType(target, to.database)];
  if (own?.kind === 'domain' || wanted?.kind === 'domain') {
    return refusedByDomain(from, to) ?? typeMisfit(unwrapped(from), unwrapped(to));
  }
  const sourceEnum = enumOf(source, from.database);
  if (sourceEnum) return enumMisfit(sourceEnum, enumOf(target, to.database)) ?? null;
  if (own && wanted) return definitionMisfit({ own, wanted, from, to }) ?? null;
  return from.type === to.type || isWider(source, target) ? null : other;
}

function userType(type: TypeName, { types }: DatabaseSchema): TypeSchema | undefined {
  return types.find((candidate) => displayName(candidate) === type.base);
}

function enumOf(type: TypeName, { enums }: DatabaseSchema): EnumSchema | undefined {
  return enums.find((candidate) => displayName(candidate) === type.base);
}

/** A missing label would stop the stream at the first row that has it. Their order counts for comparisons only, which each database makes for itself. */
function enumMisfit(source: EnumSchema, target: EnumSchema | undefined): string | null {
  if (target === undefined || source.name !== target.name) return `the target's type is not the enum ${displayName(source)}`;
  const missing = source.labels.filter((label) => !target.labels.includes(label));
  return missing.length === 0 ? null : `enum ${displayName(target)} on the target lacks ${missing.map((label) => `'${label}'`).join(', ')}`;
}

/** A domain of the target may demand only what the source's demands already, whatever the two are called. */
function refusedByDomain(from: PlacedType, to: PlacedType): string | null {
  const [source, target] = [demandsOf(from), demandsOf(to)];
  const more = target.filter((demand) => !source.includes(demand.replace(/ NOT VALID$/, '')));
  return more.length === 0 ? null : `domain ${to.type} on the target demands more: ${more.join(', ')}`;
}

/** Constraints of a domain, and of the domains that it is made of. */
function demandsOf(placed: PlacedType): readonly string[] {
  const domain = domainOf(placed);
  if (!domain) return [];
  return [...(domain.notNull ? ['NOT NULL'] : []), ...domain.checks, ...demandsOf({ ...placed, type: domain.base })];
}

function domainOf({ type, database }: PlacedType): Domain | null {
  const found = userType(parseType(type), database);
  return found?.kind === 'domain' ? found : null;
}

function unwrapped(placed: PlacedType): PlacedType {
  const domain = domainOf(placed);
  return domain ? unwrapped({ ...placed, type: domain.base + parseType(placed.type).dimensions }) : placed;
}

function definitionMisfit(pair: { own: TypeSchema; wanted: TypeSchema; from: PlacedType; to: PlacedType }): string | null {
  const { own, wanted, from, to } = pair;
  const inside = (type: string, target: string): string | null => typeMisfit({ ...from, type }, { ...to, type: target });
  const label = `type ${displayName(own)}`;
  if (own.kind === 'composite' && wanted.kind === 'composite') {
    const names = [own, wanted].map(({ attributes }) => attributes.map(({ name }) => name).join(', '));
    if (names[0] !== names[1]) return `${label} has the attributes (${names[0]}), but on the target (${names[1]})`;
    const misfits = own.attributes.map(({ type }, index) => inside(type, wanted.attributes[index]?.type ?? ''));
    const first = misfits.findIndex((misfit) => misfit !== null);
    return first < 0 ? null : `${label}, attribute ${own.attributes[first]?.name}: ${misfits[first]}`;
  }
  if (own.kind === 'range' && wanted.kind === 'range') {
    // What is wider at its end may stand elsewhere: both ways, or not at all.
    const misfit = inside(own.subtype, wanted.subtype) ?? typeMisfit({ ...to, type: wanted.subtype }, { ...from, type: own.subtype });
    return misfit === null ? null : `${label} has the subtype ${own.subtype}, but on the target ${wanted.subtype}`;
  }
  if (own.kind === 'multirange' && wanted.kind === 'multirange') return inside(own.range, wanted.range);
  if (own.kind === 'base' && wanted.kind === 'base' && own.name === wanted.name && own.extension === wanted.extension) return null;
  return `${from.type} does not fit into ${to.type}`;
}
