/** How conflicts of a table are decided, as the plan holds it: a strategy by name with what it needs to know. */
export type ConflictRule =
  | { readonly strategy: 'last-update-wins' | 'first-update-wins' | 'skip' | 'stop' }
  | { readonly strategy: 'prefer'; readonly databases: readonly string[] };
