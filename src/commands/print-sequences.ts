import type { Diagnostic } from '../plan/diagnostic.ts';
import type { SequenceStatus } from '../runner/8-round/sequences/sequence-status.ts';

/** Sequences that need a person: near their end, or not carried. */
export function sequenceWarnings({ watched, carried }: SequenceStatus): readonly Diagnostic[] {
  const warning = (code: string, where: string, message: string, hint: string): Diagnostic => ({ code, severity: 'warning', where, message, hint, span: null });
  return [
    ...watched.flatMap(({ database, sequence, percent, last, end, alarmedAt }) =>
      alarmedAt === null
        ? []
        : [
            warning(
              'SAR640',
              `database ${database}, sequence ${sequence}`,
              `${percent} % of its values are given: it is at ${last} and ends at ${end} (noticed ${alarmedAt})`,
              'Give the column and the sequence a larger type on both sides, then run `sarrio pull`, `compile`, `apply`.',
            ),
          ],
    ),
    ...carried.flatMap(({ sync, source, target, from, to, error }) =>
      error === null
        ? []
        : [
            warning(
              'SAR641',
              `sync ${sync}, ${source} -> ${target}, sequence ${to}`,
              `it is not carried from ${from}: ${error}`,
              'Until that is put right the target would give values again that the source has given.',
            ),
          ],
    ),
  ];
}

/** One line for each stream that carries sequences; the warnings say the rest. */
export function sequenceText({ carried }: SequenceStatus): readonly string[] {
  const names = [...new Set(carried.map(nameOf))];
  return names.map((name) => {
    const each = carried.filter((one) => nameOf(one) === name);
    const done = each.filter(({ carriedAt, error }) => carriedAt !== null && error === null);
    const last = done.flatMap(({ carriedAt }) => carriedAt ?? []).sort();
    const rest = each.length - done.length;
    return `sequences of ${name}: ${done.length} carried${last.length > 0 ? ` (last ${last.at(-1)})` : ''}${rest > 0 ? `, ${rest} not` : ''}`;
  });
}

function nameOf({ sync, target }: SequenceStatus['carried'][number]): string {
  return `${sync} -> ${target}`;
}
