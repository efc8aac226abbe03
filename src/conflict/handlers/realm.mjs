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
    version: (database) => versions.find((each) => each.database === database) ?? null,
  };
}

function failureFrom({ table, key, database, error, tries, rows }) {
  const all = rows.map((each) => ({ database: each.database, row: each.row === null ? null : rowOf(each.row) }));
  return { table, key: rowOf(key), database, error, tries, rows: all, row: (name) => all.find((each) => each.database === name)?.row ?? null };
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
  if (['remove', 'skip', 'retry', 'park', 'stop'].includes(value.kind)) return { kind: value.kind };
  if (value.kind !== 'merge') return { kind: 'nonsense', shown: nameOf(value) };
  const { values } = value;
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return { kind: 'nonsense', shown: `merge(…) of ${nameOf(values)}` };
  return { kind: 'merge', values: Object.entries(values).map(([column, each]) => [column, encoded(each)]) };
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
