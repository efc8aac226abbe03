/** Which part of the plan; nothing named means all of it. */
export type Selection = { readonly syncs: readonly string[]; readonly targets: readonly string[]; readonly tables: readonly string[] };
