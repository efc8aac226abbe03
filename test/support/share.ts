import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';

/** Lists are cut independently of which files have their turn: 12 is a multiple of every row's length in `turns.ts`. */
const ROUND_OF_FILES = 12;
const PARTS = 4;

/**
 * Which turn this run is: `all`, which is everything, or the number of a share of it. SARRIO_TURN says so; `commit` there takes the number
 * from the commit, so that a failure comes again on the same commit and each change is met by other places. Processes that this one starts inherit it.
 */
export const turn: number | 'all' = readTurn();

/** The part of a long list that this run goes through: every `of`-th, all of it when everything is run. The list's order is kept. */
export function share<T>(list: readonly T[], of = PARTS): readonly T[] {
  if (turn === 'all') return list;
  const part = Math.floor(turn / ROUND_OF_FILES) % of;
  return list.filter((_, index) => index % of === part);
}

/** Whether one of several that take turns has its turn: each has it in one run of `of`. */
export function hasTurn(index: number, of: number): boolean {
  return turn === 'all' || index % of === turn % of;
}

function readTurn(): number | 'all' {
  const said = process.env['SARRIO_TURN'] ?? 'all';
  const given = said === 'commit' ? turnOfCommit() : said;
  if (given !== 'all' && !/^\d{1,6}$/.test(given)) throw new Error(`SARRIO_TURN is ${given}; it takes a number, 'commit' or 'all'`);
  process.env['SARRIO_TURN'] = given;
  return given === 'all' ? given : Number(given);
}

/** 0 where there is no repository to ask. */
function turnOfCommit(): string {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const { status, stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' });
  return status === 0 ? String(createHash('sha256').update(stdout.trim()).digest().readUInt16BE(0)) : '0';
}
