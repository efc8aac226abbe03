import { hasTurn } from './share.ts';

/**
 * Files that show the same kind of thing in different ways, and take long. All tests together take half an hour of two processors, which is
 * more than somebody waits for; so one run of the whole suite takes one list of each row, the next commit's another. `npm run test:whole` takes all.
 */
const ROWS: readonly (readonly (readonly string[])[])[] = [
  [['crash/network'], ['crash/frozen'], ['crash/stop']],
  [['masters/bucardo-postgres'], ['masters/bucardo-conflict', 'masters/bucardo-star'], ['masters/bucardo-dev', 'masters/merging-star']],
  [['masters/handlers'], ['masters/merging', 'masters/exceptions'], ['masters/unique', 'masters/unique-handler', 'masters/rewritten']],
  [['masters/changed'], ['masters/stopped', 'masters/record', 'masters/backlog'], ['masters/shapes', 'masters/origins', 'masters/sequences']],
  [['history/backups'], ['history/source-crash', 'history/failover', 'history/masters']],
  [
    ['verify/program', 'verify/types'],
    ['verify/masters', 'verify/repair'],
    ['verify/moments', 'verify/load'],
  ],
  [['cutover/resumed'], ['cutover/cutover', 'cutover/reversed']],
  [['changed-tables/killed'], ['changed-tables/paused'], ['changed-tables/under-load']],
  [['round/large-values'], ['round/backlog', 'round/distance'], ['round/seals', 'round/empty-flag']],
  [['round/values', 'round/property'], ['round/random-tables'], ['round/key-types']],
  [['round/copy-ranges'], ['round/guard', 'round/backlog-scan'], ['full-copy/interrupted', 'full-copy/methods']],
  [['security/secrets'], ['security/roles', 'commands/query-counts']],
  [['commands/workflows'], ['commands/cli'], ['commands/exit-codes']],
  [['masters/exception-changes'], ['masters/rings', 'masters/ring-crash'], ['masters/common-row', 'masters/many', 'masters/starting']],
  [['round/rebuild-indexes'], ['round/adopt', 'round/streams']],
  [
    ['round/truncate', 'round/families'],
    ['round/purge', 'round/purge-races', 'round/wake'],
  ],
  [
    ['runner/apply-drift', 'runner/shadow'],
    ['runner/checks', 'runner/case-locks'],
  ],
  [['sequences/carried'], ['verify/differences', 'compiler/byte-stability']],
  [
    ['capture/bulk', 'capture/masters-truncate'],
    ['capture/names', 'capture/replica-role', 'capture/keys'],
  ],
];

/** The files, as `round/values`, that wait for another run's turn. */
export function waitingFiles(): readonly string[] {
  return ROWS.flatMap((row) => row.filter((_, index) => !hasTurn(index, row.length)).flat());
}
