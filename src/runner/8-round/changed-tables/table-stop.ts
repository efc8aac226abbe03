/** Why a table sits rounds out while the others of its stream go on. */
export type TableStop = { readonly code: 'SAR650' | 'SAR651' | 'SAR652'; readonly message: string; readonly hint: string };

/** What is wrong with a table in one database. */
export type Side = { readonly database: string; readonly table: string; readonly faults: readonly string[] };

const KEPT = 'Its changes are kept and come by themselves once the databases agree and the plan fits.';

/** A table is not what the plan was compiled for. */
export function shapeStop(sides: readonly Side[]): TableStop {
  return {
    code: 'SAR650',
    message: sides.map(({ database, table, faults }) => `database ${database}, table ${table}: ${faults.join('; ')}`).join('; '),
    hint: `Make the same change in all databases of the sync, or undo it; then: sarrio pull, sarrio compile, sarrio plan, sarrio apply (or let sarrio migrate do all of it next time). A runner that reads this generated/ takes the new plan by itself. ${KEPT}`,
  };
}

/** Its rows may point to rows of a table that is left out. */
export function dependsOnStop(parent: string): TableStop {
  return { code: 'SAR651', message: `it has a foreign key to ${parent}, which waits`, hint: `It goes on together with ${parent}. ${KEPT}` };
}

/** Thrown out of a look: nobody knows what goes by. */
export function goneError(database: string, table: string): Error {
  return new Error(`database ${database}: the delta table of ${table} is gone`);
}

/** `sarrio migrate` is at work, or was. */
export function restStop(): TableStop {
  return {
    code: 'SAR652',
    message: 'it rests for a migration',
    hint: `sarrio migrate lets it go on when the migration is through everywhere. If that command is gone: the same command again finishes it; sarrio migrate --undo takes it back. ${KEPT}`,
  };
}
