/**
 * Purpose: PostgreSQL's own logical replication at its defaults. Reads: its views. Writes: one publication, one subscription.
 * Called by: `native.ts`.
 */
/** Every table of the schema that the peers replicate. */
export const PUBLISH = `do $$
  begin
    execute (select 'create publication bench for table ' || string_agg(format('%I.%I', schemaname, tablename), ', ') from pg_tables where schemaname = 'public');
  end
$$`;

export function subscribe({ name, url }: { name: string; url: string }, { copyData }: { copyData: boolean }): string {
  return `create subscription bench connection '${url}' publication bench with (slot_name = '${name}', copy_data = ${copyData})`;
}

export const IS_STREAMING = "select 1 from pg_stat_replication where state = 'streaming' and application_name = 'bench'";
export const DISABLE = 'alter subscription bench disable';
export const ENABLE = 'alter subscription bench enable';
export const UNSUBSCRIBE = 'drop subscription bench';
