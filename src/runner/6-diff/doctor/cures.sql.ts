/**
 * Purpose: statements that doctor tells people to run; nothing here is run by us. Names come from the catalog, quoted.
 * Reads, writes: nothing. Called by: examine.
 */
export const CURES = {
  logged: (table: string): string => `ALTER TABLE ${table} SET LOGGED; (rewrites it under ACCESS EXCLUSIVE)`,
  vacuumed: (table: string): string => `ALTER TABLE ${table} RESET (autovacuum_enabled);`,
  identified: (table: string): string => `ALTER TABLE ${table} REPLICA IDENTITY FULL; (or USING INDEX one on NOT NULL columns)`,
};
