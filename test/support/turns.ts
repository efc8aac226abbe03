import { hasTurn } from './share.ts';

/**
 * Files that show the same kind of thing in different ways, and take long. All tests together keep two processors busy for twenty minutes, which
 * is more than somebody waits for who only wants to go on; so `npm run test:turn` takes one list of each row, at the next commit another.
 */
const ROWS: readonly (readonly (readonly string[])[])[] = [
  [
    ['crash/network'],
    ['changed-tables/killed', 'changed-tables/paused'],
    ['crash/frozen', 'changed-tables/masters-killed'],
    ['changed-tables/under-load', 'history/source-crash'],
    ['crash/stop', 'changed-tables/masters-under-load'],
    ['history/failover', 'history/masters', 'masters/backlog'],
  ],
  [
    ['masters/bucardo-postgres'],
    ['masters/handlers', 'masters/trips'],
    ['masters/bucardo-conflict', 'masters/bucardo-star'],
    ['masters/merging', 'masters/exceptions'],
    ['masters/bucardo-dev', 'masters/merging-star', 'masters/rewritten'],
    ['masters/unique', 'masters/unique-handler'],
  ],
  [
    ['masters/changed'],
    ['masters/exception-changes'],
    ['masters/stopped', 'masters/record'],
    ['masters/rings', 'masters/ring-crash'],
    ['masters/shapes', 'masters/origins', 'masters/sequences'],
    ['masters/common-row', 'masters/many', 'masters/starting'],
  ],
  [
    ['round/large-values'],
    ['round/values', 'round/property'],
    ['round/backlog', 'round/distance'],
    ['round/random-tables', 'round/streams'],
    ['round/seals', 'round/empty-flag'],
    ['round/key-types', 'round/wake'],
  ],
  [
    ['round/copy-ranges'],
    ['commands/workflows'],
    ['round/guard', 'round/backlog-scan'],
    ['commands/cli', 'full-copy/migrated'],
    ['full-copy/interrupted', 'full-copy/methods'],
    ['commands/exit-codes'],
  ],
  [
    ['verify/program', 'verify/types'],
    ['verify/masters', 'verify/repair'],
    ['verify/moments', 'verify/load'],
    ['verify/differences', 'history/backups'],
  ],
  [['cutover/resumed', 'with-schema/refused'], ['security/secrets'], ['cutover/cutover', 'cutover/reversed'], ['security/roles', 'commands/query-counts']],
  [
    ['capture/bulk', 'capture/masters-truncate'],
    ['round/truncate', 'round/families'],
    ['capture/names', 'capture/replica-role', 'capture/keys'],
    ['round/purge', 'round/purge-races'],
  ],
  [['round/rebuild-indexes'], ['runner/apply-drift', 'runner/shadow'], ['round/adopt'], ['runner/checks', 'runner/case-locks']],
  [['sequences/carried'], ['compiler/byte-stability', 'with-schema/majors'], ['docs/guide']],
];

/** The files, as `round/values`, that wait for another run's turn. */
export function waitingFiles(): readonly string[] {
  return ROWS.flatMap((row) => row.filter((_, index) => !hasTurn(index, row.length)).flat());
}
