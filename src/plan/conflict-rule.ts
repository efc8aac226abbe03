/** How conflicts of a table are decided, as the plan holds it: a strategy by name with what it needs to know. */
export type ConflictRule = NamedRule | HandlerRule;

/** Decided by a strategy, from who changed what and when alone. */
export type NamedRule =
  | { readonly strategy: 'last-update-wins' | 'first-update-wins' | 'skip' | 'stop' }
  | { readonly strategy: 'prefer'; readonly databases: readonly string[] };

/** A function of the config, taken out of it and reviewed as a file of its own. */
export type HandlerRule = {
  readonly strategy: 'handler';
  /** Path under `generated/`, with forward slashes. */
  readonly file: string;
  /** What the file exports. */
  readonly export: string;
  /** SHA-256 (hex) of the function and of all that it uses, as written in the config, without comments and layout: the same decisions. */
  readonly sourceHash: string;
  /** SHA-256 (hex) of the file with LF line ends: the same bytes. */
  readonly fileHash: string;
};
