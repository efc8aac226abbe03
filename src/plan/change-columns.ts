/** Columns that every delta table has beside the captured table's key. */
export const CHANGE_COLUMNS: ReadonlySet<string> = new Set([
  'change_xid',
  'change_at',
  'change_op',
  'change_segment',
  'change_sync',
  'change_bulk',
  'change_origin',
  'change_origin_xid',
]);
