/** Types with a schema, as `format_type` writes them, are users': enum, domain, composite, extension. */
export function isOwnType(type: string): boolean {
  return !/^"char"(\[\])*$/.test(type) && /^("|[a-z0-9_]+\.)/.test(type);
}
