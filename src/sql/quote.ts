import { dangerousRaw, type Sql } from './sql.ts';

/** A table or other object by its two names, exactly as the catalog spells them. Never joined with a dot and split again. */
export type QualifiedName = { readonly schema: string; readonly name: string };

/** A name, or one within another, as SQL: plain where a plain word says the same, quoted otherwise. */
export function ident(name: string, within?: string): Sql {
  const [names, last] = within === undefined ? [KNOWN, name] : [namesBelow(name), within];
  const found = names.get(last);
  if (found !== undefined) return found;
  const made = dangerousRaw(within === undefined ? quoteIdent(name) : `${quoteIdent(name)}.${quoteIdent(within)}`);
  if (names.size < MOST_KNOWN) names.set(last, made);
  return made;
}

/** Names that were met before, by themselves and by what they are within: the same columns come back in every statement. */
const KNOWN = new Map<string, Sql>();
const BELOW = new Map<string, Map<string, Sql>>();
const MOST_KNOWN = 10_000;

function namesBelow(name: string): Map<string, Sql> {
  const found = BELOW.get(name);
  if (found !== undefined) return found;
  const made = new Map<string, Sql>();
  if (BELOW.size < MOST_KNOWN) BELOW.set(name, made);
  return made;
}

/** A table as SQL, always with its schema. */
export function tableIdent(table: QualifiedName): Sql {
  return ident(table.schema, table.name);
}

/** A text literal that reads the same whatever `standard_conforming_strings` says. */
export function literal(value: string): Sql {
  const quoted = `'${value.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return dangerousRaw(value.includes('\\') ? `E${quoted}` : quoted);
}

/** A dollar quote that does not stand in the text: a table may be named like ours. */
export function dollarQuote(text: string, tag = 'sarrio'): Sql {
  return text.includes(`$${tag}$`) ? dollarQuote(text, `${tag}_`) : dangerousRaw(`$${tag}$`);
}

/** The table as people and messages write it, and as the plan keys it: `schema.name`, quoted only where needed. */
export function displayName(table: QualifiedName): string {
  return `${quoteIdent(table.schema)}.${quoteIdent(table.name)}`;
}

/** One identifier, quoted unless it is a plain lower-case word that no keyword list contains. */
export function quoteIdent(name: string): string {
  if (/^[a-z_][a-z0-9_]*$/.test(name) && !RESERVED.has(name)) return name;
  return `"${name.replaceAll('"', '""')}"`;
}

/** PostgreSQL's words that are not plain column or table names (`pg_get_keywords()` categories R, T and C of 14 to 18, pinned here so that output never depends on a server). */
const RESERVED: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast char character check
  coalesce collate collation column concurrently constraint create cross current_catalog current_date current_role current_schema
  current_time current_timestamp current_user dec decimal default deferrable desc distinct do else end except exists extract false fetch
  float for foreign freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect interval
  into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize json_table
  json_value lateral leading least left like limit localtime localtimestamp merge_action national natural nchar none normalize not notnull
  null nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real references returning
  right row select session_user setof similar smallint some substring symmetric system_user table tablesample then time timestamp to
  trailing treat trim true union unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat
  xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable`.split(/\s+/),
);
