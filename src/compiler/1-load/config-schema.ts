import { HAZARDS } from '../../plan/hazards.ts';

const name = { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9_-]*$', maxLength: 50 } as const;
const text = { type: 'string', minLength: 1 } as const;
const texts = { type: 'array', items: text } as const;
const textMap = { type: 'object', additionalProperties: text } as const;

const missingColumns = { enum: ['refuse', 'omit'] } as const;
const truncate = { enum: ['replicate', 'ignore', 'refuse'] } as const;
const skip = { type: 'array', items: { enum: ['delete'] }, minItems: 1, uniqueItems: true } as const;
const copyBytes = { type: 'string', pattern: '^[1-9][0-9]* ?(MB|GB)$' } as const;
const copy = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: { jobs: { type: 'integer', minimum: 1, maximum: 64 }, chunk: copyBytes, rate: copyBytes, rebuildIndexes: { type: 'boolean' } },
} as const;
/** Indexes of a member are not set aside. */
const memberCopy = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: { jobs: copy.properties.jobs, chunk: copyBytes, rate: copyBytes },
} as const;
const guard = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: {
    deletes: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
    minRows: { type: 'integer', minimum: 1 },
    truncate: { type: 'boolean' },
  },
} as const;

const columns = {
  type: 'object',
  additionalProperties: false,
  properties: { pick: texts, omit: texts, rename: textMap, compute: textMap },
} as const;

const table = {
  type: 'object',
  additionalProperties: false,
  required: ['table'],
  properties: {
    table: text,
    rename: text,
    columns,
    where: text,
    captureTriggers: { enum: ['origin', 'always'] },
    // `if` instead of `anyOf`: then only the branch that was meant complains.
    key: { if: { type: 'array' }, then: { ...texts, minItems: 1 }, else: text },
    missingColumns,
    truncate,
    skip,
  },
} as const;

const mode = { enum: ['one-way', 'multi-master', 'full-copy'] } as const;
const size = { type: 'string', pattern: '^[1-9][0-9]*(\\.[0-9]+)? ?(kB|MB|GB|TB)$' } as const;
const backlog = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: { size, rows: { type: 'integer', minimum: 1 } },
} as const;

const conflictChoice = {
  if: { type: 'array' },
  then: { ...texts, minItems: 1 },
  else: { enum: ['last-update-wins', 'first-update-wins', 'skip', 'stop'] },
} as const;
/** A check says why `otherwise` must not be missing, and that there must be something to merge. */
const mergeRule = {
  type: 'object',
  additionalProperties: false,
  properties: { counters: { ...texts, minItems: 1, uniqueItems: true }, columns: { enum: ['merge'] }, otherwise: conflictChoice },
} as const;
const conflictRule = {
  if: { type: 'object' },
  then: mergeRule,
  else: { if: { isHandler: true }, then: true, else: conflictChoice },
} as const;
const uniqueRule = {
  if: { isHandler: true },
  then: true,
  else: { if: { type: 'array' }, then: { ...texts, minItems: 1 }, else: { enum: ['keep-earliest', 'keep-latest', 'park'] } },
} as const;
const onException = { if: { isHandler: true }, then: true, else: { type: 'object', isHandler: true } } as const;
const sequences = {
  if: { type: 'object' },
  then: {
    type: 'object',
    additionalProperties: false,
    required: ['interleave'],
    properties: {
      interleave: { type: 'object', additionalProperties: false, required: ['slots'], properties: { slots: { type: 'integer', minimum: 2, maximum: 1024 } } },
    },
  },
  else: { enum: ['interleave', 'ignore'] },
} as const;
const carriedSequences = {
  if: { type: 'object' },
  then: {
    type: 'object',
    additionalProperties: false,
    required: ['carry'],
    properties: {
      carry: {
        type: 'object',
        additionalProperties: false,
        required: ['margin'],
        properties: { margin: { type: 'integer', minimum: 1, maximum: 1_000_000_000 } },
      },
    },
  },
  else: { enum: ['carry', 'ignore'] },
} as const;

/** Settings that only make sense one way are let through here, so that a check can say why they do not go with several masters. */
const masterTable = {
  ...table,
  properties: { ...table.properties, onConflict: conflictRule, onUnique: uniqueRule, onException, mask: { ...texts, minItems: 1 } },
} as const;

const oneWaySync = {
  type: 'object',
  additionalProperties: false,
  required: ['mode', 'source', 'targets', 'tables'],
  properties: {
    mode,
    source: text,
    targets: { ...texts, minItems: 1 },
    tables: { type: 'array', items: { if: { type: 'object' }, then: table, else: text } },
    exclude: texts,
    existingRows: { enum: ['refuse', 'replace', 'keep', 'adopt'] },
    missingColumns,
    maxBacklog: { if: { type: 'object' }, then: backlog, else: size },
    sequences: carriedSequences,
    captureTriggers: { enum: ['origin', 'always'] },
    truncate,
    skip,
    guard,
    copy,
  },
} as const;

const multiMasterSync = {
  type: 'object',
  additionalProperties: false,
  required: ['mode', 'members', 'tables'],
  properties: {
    mode,
    members: { ...texts, maxItems: 30 },
    tables: { type: 'array', items: { if: { type: 'object' }, then: masterTable, else: text } },
    exclude: texts,
    onConflict: conflictRule,
    onUnique: uniqueRule,
    onException,
    existingRows: { enum: ['refuse', 'replace', 'keep', 'adopt'] },
    truncate,
    sequences,
    copy: memberCopy,
    keepConflicts: { type: 'string', pattern: '^[1-9][0-9]* ?(hours?|days?)$' },
    maxClockSkew: { type: 'string', pattern: '^[1-9][0-9]*(\\.[0-9]+)? ?(ms|s|min)$' },
    captureTriggers: { enum: ['origin', 'always'] },
    source: text,
    targets: texts,
    missingColumns,
    skip,
    guard,
    maxBacklog: { if: { type: 'object' }, then: backlog, else: size },
  },
} as const;

/** When copies are due is checked later, with a reason. */
const fullCopySync = {
  type: 'object',
  additionalProperties: false,
  required: ['mode', 'source', 'targets', 'tables'],
  properties: {
    mode,
    source: text,
    targets: { ...texts, minItems: 1 },
    tables: { type: 'array', items: { if: { type: 'object' }, then: table, else: text } },
    exclude: texts,
    missingColumns,
    method: { enum: ['delete', 'truncate', 'swap', 'changed-only'] },
    every: text,
    timeZone: text,
    lockTimeout: { type: 'string', pattern: '^[1-9][0-9]* ?(ms|s)$' },
    // Let through for the same reason.
    truncate,
    skip,
    guard,
  },
} as const;

const sync = {
  if: { type: 'object', required: ['mode'], properties: { mode: { const: 'multi-master' } } },
  then: multiMasterSync,
  else: {
    if: { type: 'object', required: ['mode'], properties: { mode: { const: 'full-copy' } } },
    then: fullCopySync,
    else: oneWaySync,
  },
} as const;

/** PUBLIC and the server's own roles are nobody's login. */
const role = { type: 'string', pattern: '^(?!(public|none)$)(?!pg_)[^\\u0000]+$', maxLength: 63 } as const;

const database = {
  type: 'object',
  additionalProperties: false,
  required: ['env'],
  properties: {
    env: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$' },
    roles: { type: 'object', additionalProperties: false, properties: { runner: role, reader: role } },
  },
} as const;

const approval = {
  type: 'object',
  additionalProperties: false,
  required: ['hazard', 'object', 'reason', 'expires'],
  properties: {
    hazard: { enum: Object.keys(HAZARDS) },
    object: text,
    reason: text,
    expires: { type: 'string', pattern: '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' },
    upToRows: { type: 'integer', minimum: 1 },
  },
} as const;

/** `ReplicationConfig` of `src/index.ts` as a closed JSON Schema: a key that it does not know is an error. */
export const configSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['databases', 'syncs'],
  properties: {
    project: { ...name, maxLength: 40 },
    databases: { type: 'object', minProperties: 1, propertyNames: name, additionalProperties: database },
    syncs: { type: 'object', minProperties: 1, propertyNames: name, additionalProperties: sync },
    approve: { type: 'array', items: approval },
  },
} as const;
