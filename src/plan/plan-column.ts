export type PlanColumn = {
  /** Name on the target. */
  readonly name: string;
  /** Column of the source, or the SQL expression that computes it. */
  readonly from: { readonly column: string } | { readonly expression: string };
};
