/** What `sarrio explain` says of a code, and `docs/diagnostics.md`. Every code that anything can say has exactly one. */
export type Explanation = {
  readonly code: string;
  /** What is the case, in one line. */
  readonly summary: string;
  /** Why it is a fault, or worth a warning. */
  readonly explanation: string;
  /** A config, a call or a situation that brings it about. */
  readonly example: string;
  /** What to do. */
  readonly cure: string;
};
