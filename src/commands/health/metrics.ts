import type { HealthReport, StreamHealth } from './health.ts';

/**
 * The report in the text format of Prometheus, version 0.0.4 (prometheus.io, "Exposition formats"). Counters begin with the process, those of
 * rows anew with each plan that is taken, as counters may.
 */
export function metricsText({ isReady, streams, rounds, conflicts }: HealthReport): string {
  const ofStreams = (of: (stream: StreamHealth) => number): readonly Sample[] =>
    streams.map((each) => ({ labels: { sync: each.sync, source: each.source, target: each.target }, value: of(each) }));
  const ofSyncs = (counts: ReadonlyMap<string, number>): readonly Sample[] => [...counts].map(([sync, value]) => ({ labels: { sync }, value }));
  const states = streams.map(({ sync, source, target, state }) => ({ labels: { sync, source, target, state }, value: 1 }));
  return [
    family('sarrio_ready', 'gauge', 'Every stream does its work, or rests for a reason of ours.', [{ labels: {}, value: Number(isReady) }]),
    family('sarrio_stream_state', 'gauge', 'What each stream is doing: 1 for the state that it is in.', states),
    family(
      'sarrio_stream_caught_up',
      'gauge',
      'Nothing was pending when the stream looked last.',
      ofStreams(({ isCaughtUp }) => Number(isCaughtUp)),
    ),
    family(
      'sarrio_stream_rows_total',
      'counter',
      'Rows that the stream has applied.',
      ofStreams(({ rows }) => rows),
    ),
    family('sarrio_rounds_total', 'counter', 'Rounds that brought something.', ofSyncs(rounds)),
    family('sarrio_conflicts_total', 'counter', 'Conflicts that were decided.', ofSyncs(conflicts)),
  ].join('');
}

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

function family(name: string, type: 'gauge' | 'counter', help: string, samples: readonly Sample[]): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map((sample) => `${name}${labelsText(sample)} ${sample.value}\n`).join('')}`;
}

function labelsText({ labels }: Sample): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
