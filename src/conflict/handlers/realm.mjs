// What stands on both sides of a handler's call: it makes the conflict that the handler gets, and writes down what the handler returned.
// Plain JavaScript, because its text runs in the closed world of the handlers (worker.mjs), where nothing can be imported. Only texts
// cross the border of that world: an object from outside would be a way out.

/** The conflict, the failure or the clash that a handler gets, made of its JSON form (`ConflictMessage`, `FailureMessage`, `ClashMessage`). */
export function conflictOf(message) {
  if (message.hook === 'onException') return failureFrom(message);
  if (message.hook === 'onUnique') return clashFrom(message);
  const versions = message.versions.map(({ database, time, timeMicros, operation, row }) => {
    return { database, time, timeMicros: BigInt(timeMicros), operation, row: row === null ? null : rowOf(row) };
  });
  return {
    table: message.table,
    key: rowOf(message.key),
    kind: message.kind,
    versions,
    latest: versions.reduce((best, each) => (each.timeMicros > best.timeMicros ? each : best)),
    earliest: versions.reduce((best, each) => (each.timeMicros < best.timeMicros ? each : best)),
    common: message.common === null ? null : rowOf(message.common),
    version: (database) => versions.find((each) => each.database === database) ?? null,
  };
}

function failureFrom({ table, key, database, error, tries, arriving, inTheWay, rows }) {
  const all = versionsFrom(rows);
  return {
    table,
    key: rowOf(key),
    database,
    error,
    tries,
    arriving: arriving === null ? null : rowOf(arriving),
    inTheWay: inTheWay.map((each) => ({ key: rowOf(each.key), row: rowOf(each.row), rows: versionsFrom(each.rows) })),
    rows: all,
    row: (name) => all.find((each) => each.database === name)?.row ?? null,
    of: changesOf,
    ...changesOf(table),
  };
}

function versionsFrom(rows) {
  return rows.map(({ database, row, time, timeMicros, operation }) => {
    return { database, row: row === null ? null : rowOf(row), time, timeMicros: timeMicros === null ? null : BigInt(timeMicros), operation };
  });
}

/** What a handler asks for is data: it is held against the tables and carried out elsewhere. */
function changesOf(table) {
  return {
    update: (key, values) => ({ change: 'update', table, key, values }),
    insert: (values) => ({ change: 'insert', table, key: {}, values }),
    remove: (key) => ({ change: 'remove', table, key, values: {} }),
  };
}

function clashFrom({ table, index, rows }) {
  const [earlier, later] = rows.map(({ database, key, row, time, timeMicros }) => {
    return { database, key: rowOf(key), row: rowOf(row), time, timeMicros: timeMicros === null ? null : BigInt(timeMicros) };
  });
  return { table, index, earlier, later };
}

/** What a handler returned, in a form that survives JSON (`AnswerMessage`), and without judging its values. */
export function answerOf(value) {
  if (typeof value !== 'object' || value === null) return { kind: 'nonsense', shown: nameOf(value) };
  if (value.kind === 'take') return { kind: 'take', database: typeof value.database === 'string' ? value.database : null };
  if (value.kind === 'keep') return { kind: 'keep', database: typeof value.database === 'string' ? value.database : null };
  if (value.kind === 'retry') return retryOf(value.changes ?? []);
  if (['remove', 'skip', 'park', 'stop'].includes(value.kind)) return { kind: value.kind };
  if (value.kind !== 'merge') return { kind: 'nonsense', shown: nameOf(value) };
  const { values } = value;
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return { kind: 'nonsense', shown: `merge(…) of ${nameOf(values)}` };
  return { kind: 'merge', values: encodedEntries(values) };
}

function retryOf(changes) {
  if (!Array.isArray(changes)) return { kind: 'nonsense', shown: `retry(…) of ${nameOf(changes)}` };
  const odd = changes.find((each) => !isChange(each));
  if (odd !== undefined || changes.includes(undefined)) return { kind: 'nonsense', shown: `retry(…) of ${nameOf(odd)}` };
  return {
    kind: 'retry',
    changes: changes.map(({ change, table, key, values }) => ({ change, table, key: encodedEntries(key), values: encodedEntries(values) })),
  };
}

function isChange(value) {
  const isObject = (each) => typeof each === 'object' && each !== null && !Array.isArray(each);
  if (!isObject(value) || !['update', 'insert', 'remove'].includes(value.change)) return false;
  return typeof value.table === 'string' && isObject(value.key) && isObject(value.values);
}

function encodedEntries(values) {
  return Object.entries(values).map(([column, each]) => [column, encoded(each)]);
}

/** Numbers that JSON does not have arrive as texts. */
function rowOf(row) {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, typeof value === 'object' && value !== null ? Number(value.number) : value]));
}

function encoded(value) {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? value : { number: Object.is(value, -0) ? '-0' : String(value) };
  return typeof value === 'bigint' ? { bigint: String(value) } : { other: nameOf(value) };
}

function nameOf(value) {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return typeof value.then === 'function' ? 'a promise' : 'an object';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}
