import { distance } from 'fastest-levenshtein';

/** `Did you mean 'orders'?` when one of the known names is close to the wanted one, else null. */
export function didYouMean(wanted: string, known: readonly string[]): string | null {
  const nearest = nearestName(wanted, known);
  return nearest === null ? null : `Did you mean '${nearest}'?`;
}

function nearestName(wanted: string, known: readonly string[]): string | null {
  let nearest: string | null = null;
  // Two steps, since letters that changed places are two; never a wholly different word.
  let least = Math.min(wanted.length, Math.max(2, Math.floor(wanted.length / 3)) + 1);
  for (const name of known) {
    const steps = distance(wanted.toLowerCase(), name.toLowerCase());
    if (steps >= least) continue;
    nearest = name;
    least = steps;
  }
  return nearest;
}
