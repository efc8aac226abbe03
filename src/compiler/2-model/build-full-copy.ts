import type { FullCopySync } from '../../index.ts';
import type { KeySchema, TableSchema } from '../../plan/schema-lock.ts';
import { parseSchedule, type Schedule } from '../../plan/schedule.ts';
import { displayName } from '../../sql/quote.ts';
import type { ConfigPath, Fault } from '../1-load/fault.ts';
import { error } from './faults.ts';
import type { ModelFullCopy, ModelTable } from './model.ts';
import { keyOn, resolveKey } from './resolve-key.ts';
import type { Selected } from './select-tables.ts';

const LOCK_TIMEOUT_MS = 1_000;

type Parts = {
  readonly name: string;
  readonly sync: FullCopySync;
  readonly path: ConfigPath;
  readonly tables: readonly ModelTable[];
  readonly faults: Fault[];
};

/** A full copy with its defaults; its tables were resolved as those of a one-way sync are. */
export function buildFullCopy({ name, sync, path, tables, faults }: Parts): ModelFullCopy {
  const { mode, source, targets, method = 'delete', lockTimeout } = sync;
  const schedule = scheduleOf({ sync, path, faults });
  return { name, mode, source, targets, method, schedule, lockTimeoutMs: lockTimeoutOf(lockTimeout), tables };
}

function scheduleOf({ sync, path, faults }: Pick<Parts, 'sync' | 'path' | 'faults'>): Schedule | null {
  const { every, timeZone } = sync;
  if (every === undefined) {
    if (timeZone !== undefined) faults.push(error('SAR320', [...path, 'timeZone'], 'timeZone is given, but no `every`', 'Say when to copy, or leave it out.'));
    return null;
  }
  const schedule = parseSchedule(every, timeZone);
  if (schedule.kind !== 'fault') return schedule;
  const hint = "Write an interval ('30s', '15m', '6h', '1d') or a cron expression of five fields ('30 2 * * 1-5') with a timeZone such as 'Europe/Berlin'.";
  faults.push(error('SAR320', [...path, schedule.setting], schedule.message, hint));
  return null;
}

/** Its form was checked when the config was loaded. */
export function lockTimeoutOf(text: string | undefined): number {
  if (text === undefined) return LOCK_TIMEOUT_MS;
  return Number.parseInt(text, 10) * (text.endsWith('ms') ? 1 : 1_000);
}

const NO_KEY: KeySchema = { name: '', columns: [], primary: false, deferrable: false, notNull: true };

/** How the key of a table is found: only `changed-only` needs one. */
export function copyKey({ method }: FullCopySync): (selected: Selected, targets: readonly TableSchema[]) => KeySchema | Fault {
  if (method !== 'changed-only') return keyless;
  return (selected, targets) => (hasIndexes(selected.table) ? resolveKey(selected) : keyOfTarget(selected, targets[0]));
}

function keyless({ table, entry, path, isPattern }: Selected): KeySchema | Fault {
  if (entry.key === undefined || isPattern) return NO_KEY;
  const place = [...path.slice(0, -1), 'key'];
  return error('SAR321', place, `a key is given for ${displayName(table)}, but only method 'changed-only' compares by keys`, 'Leave it out.', 'key');
}

function hasIndexes({ kind }: TableSchema): boolean {
  return kind === 'table' || kind === 'partitioned';
}

/** A view has no key of its own: the target's primary key says which columns identify a row, or those that the config lists. */
function keyOfTarget({ table, entry, path }: Selected, target: TableSchema | undefined): KeySchema | Fault {
  const names = new Map(Object.entries(entry.columns?.rename ?? {}));
  const onTarget = (name: string): string => names.get(name) ?? name;
  const listed = Array.isArray(entry.key) ? entry.key : null;
  const found = listed === null ? target?.keys.find(({ primary }) => primary) : target && keyOn(target, listed.map(onTarget));
  const back = new Map(table.columns.map(({ name }) => [onTarget(name), name]));
  const columns = (found?.columns ?? []).flatMap((column) => {
    const name = back.get(column.name);
    return name === undefined ? [] : [{ ...column, name }];
  });
  if (found !== undefined && columns.length === found.columns.length) return { ...found, columns };
  const message = `method 'changed-only' needs a key for ${displayName(table)}, and the target has no unique index on its columns that could be one`;
  return error('SAR322', path, message, 'Give the target table a primary key, list the columns of its unique index as `key`, or choose another method.');
}
