/** Columns that delta tables have beside the captured table's key; the last three only where a rule for conflicts asks for them. */
export const CHANGE_COLUMNS: ReadonlySet<string> = new Set([
  ...['change_xid', 'change_at', 'change_op', 'change_segment', 'change_sync', 'change_bulk', 'change_origin', 'change_origin_xid'],
  ...['change_columns', 'change_amounts', 'change_carried', 'change_before'],
]);
