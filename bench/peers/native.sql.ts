/**
 * Purpose: PostgreSQL's own logical replication at its defaults. Reads: its views. Writes: one publication, one subscription.
 * Called by: `native.ts`.
 */
export const PUBLISH = 'create publication bench for table narrow, wide, probe, sentinel';

export function subscribe({ name, url }: { name: string; url: string }, { copyData }: { copyData: boolean }): string {
  return `create subscription bench connection '${url}' publication bench with (slot_name = '${name}', copy_data = ${copyData})`;
}

export const IS_STREAMING = "select 1 from pg_stat_replication where state = 'streaming' and application_name = 'bench'";
export const UNSUBSCRIBE = 'drop subscription bench';
