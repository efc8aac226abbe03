/** A row as its server writes it: the columns in the plan's order. Where it is absent the key's columns are filled all the same. */
export type RowText = { readonly isPresent: boolean; readonly values: readonly (string | null)[] };
