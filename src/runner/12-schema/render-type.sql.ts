import { displayName, literal, type QualifiedName, quoteIdent } from '../../sql/quote.ts';

/** A type of a user's, as the source's catalog has it. */
export type TypeDefinition = QualifiedName & {
  readonly oid: string;
  readonly kind: string;
  readonly comment: string | null;
  readonly labels: readonly string[] | null;
  readonly domain: {
    readonly base: string;
    readonly notNull: boolean;
    readonly default: string | null;
    readonly collation: string | null;
    readonly checks: readonly { readonly name: string; readonly definition: string }[];
  } | null;
  readonly attributes: readonly { readonly name: string; readonly type: string; readonly collation: string | null }[] | null;
  readonly range: {
    readonly subtype: string;
    readonly multirange: QualifiedName;
    readonly collation: string | null;
    readonly difference: string | null;
    readonly hasCanonical: boolean;
    readonly hasDefaultOrder: boolean;
  } | null;
};

export type CollationDefinition = QualifiedName & {
  readonly oid: string;
  /** `collprovider`. */
  readonly provider: 'b' | 'c' | 'i';
  readonly isDeterministic: boolean;
  readonly locale: string | null;
  readonly lcCollate: string | null;
  readonly lcCtype: string | null;
  readonly rules: string | null;
  readonly comment: string | null;
};

/**
 * Purpose: the statements that make a type or collation on a target as the source has it; none for a kind that cannot be made so.
 * Reads: nothing. Writes: the types, in a transaction of `sarrio apply --with-schema`. Called by: schemaBlocks.
 */
export function typeStatements(type: TypeDefinition): readonly string[] {
  const name = displayName(type);
  const made = body(type);
  if (made === null) return [];
  const kind = type.domain === null ? 'type' : 'domain';
  return [`create ${kind} ${name} as ${made}`, ...(type.comment === null ? [] : [`comment on ${kind} ${name} is ${literal(type.comment).text}`])];
}

/** A check that is not valid still judges every new value, and to a target all values are new: those of before it would be refused. */
export function isNotValid({ definition }: { readonly definition: string }): boolean {
  return definition.endsWith(' NOT VALID');
}

function body({ labels, domain, attributes, range, kind }: TypeDefinition): string | null {
  if (kind === 'e') return `enum (${(labels ?? []).map((label) => literal(label).text).join(', ')})`;
  if (domain !== null) {
    return [
      domain.base,
      ...(domain.collation === null ? [] : [`collate ${domain.collation}`]),
      ...(domain.default === null ? [] : [`default ${domain.default}`]),
      ...(domain.notNull ? ['not null'] : []),
      ...domain.checks.filter((check) => !isNotValid(check)).map((check) => `constraint ${quoteIdent(check.name)} ${check.definition}`),
    ].join(' ');
  }
  if (kind === 'c') {
    const collate = (collation: string | null): string => (collation === null ? '' : ` collate ${collation}`);
    return `(${(attributes ?? []).map((each) => `${quoteIdent(each.name)} ${each.type}${collate(each.collation)}`).join(', ')})`;
  }
  if (range === null || range.hasCanonical || !range.hasDefaultOrder) return null;
  const settings = [
    `subtype = ${range.subtype}`,
    ...(range.collation === null ? [] : [`collation = ${range.collation}`]),
    ...(range.difference === null ? [] : [`subtype_diff = ${range.difference}`]),
    `multirange_type_name = ${displayName(range.multirange)}`,
  ];
  return `range (${settings.join(', ')})`;
}

export function collationStatement(collation: CollationDefinition): string {
  const { provider, locale, lcCollate, lcCtype, isDeterministic, rules } = collation;
  const providers = { b: 'builtin', c: 'libc', i: 'icu' } as const;
  const text = (value: string | null): string => literal(value ?? '').text;
  const settings = [
    `provider = ${providers[provider]}`,
    ...(provider === 'c' ? [`lc_collate = ${text(lcCollate)}`, `lc_ctype = ${text(lcCtype)}`] : [`locale = ${text(locale)}`]),
    ...(isDeterministic ? [] : ['deterministic = false']),
    ...(rules === null ? [] : [`rules = ${text(rules)}`]),
  ];
  return `create collation ${displayName(collation)} (${settings.join(', ')})`;
}

export function collationComment(collation: CollationDefinition): readonly string[] {
  return collation.comment === null ? [] : [`comment on collation ${displayName(collation)} is ${literal(collation.comment).text}`];
}

export function schemaStatement(schema: string): string {
  return `create schema if not exists ${quoteIdent(schema)}`;
}

export function extensionStatement(name: string, schema: string | null): string {
  return `create extension if not exists ${quoteIdent(name)}${schema === null ? '' : ` with schema ${quoteIdent(schema)}`}`;
}
