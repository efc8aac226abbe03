/** Types with a schema, as `format_type` writes them, are users': enum, domain, composite, extension. */
export function isOwnType(type: string): boolean {
  return type !== '"char"' && /^("|[a-z0-9_]+\.)/.test(type);
}
