/**
 * Built-in types whose binary form means the same on every server. Written out: a type that is missing here only travels as text,
 * one that is here by mistake would change rows. Not here: xml (encoding), reg* (local oids), enums, composites and domains
 * (local oids inside), system types.
 */
const BINARY: ReadonlySet<string> = new Set(
  `bool bytea char name int2 int4 int8 text oid json jsonb float4 float8 money numeric bpchar varchar bit varbit uuid
  date time timetz timestamp timestamptz interval inet cidr macaddr macaddr8 point lseg path box polygon line circle tsvector
  int4range int8range numrange tsrange tstzrange daterange
  int4multirange int8multirange nummultirange tsmultirange tstzmultirange datemultirange`.split(/\s+/),
);

/** How values of a type travel; for an array its element type counts. */
export function transferOf(type: { isBuiltIn: boolean; baseType: string }): 'binary' | 'text' {
  return type.isBuiltIn && BINARY.has(type.baseType) ? 'binary' : 'text';
}
