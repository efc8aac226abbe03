import { readFileSync } from 'node:fs';
import { env, type Conflict, take } from 'sarrio';

let asked = 0;

/** Reached from the config: what is wrong here is pointed at here. */
export function counting(conflict: Conflict) {
  asked += 1;
  return take(conflict.versions[asked % 2]?.database ?? env('EAST_URL').env);
}

export function reading(conflict: Conflict) {
  return take(readFileSync('winner.txt', 'utf8') + conflict.table);
}

export default function unnamed() {
  return take('east');
}
