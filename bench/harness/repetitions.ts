import { dropDatabase, openDatabase, type TestDatabase } from '../../test/support/database.ts';
import type { TestServer } from '../../test/support/server.ts';
import type { Databases, Peer, PeerName } from './peer.ts';
import { isInstalled } from './program.ts';
import { type Quiet, waitForQuiet } from './quiet.ts';
import type { Pair } from './servers.ts';
import { median } from './statistics.ts';
import { databaseFrom } from './tables.sql.ts';
import type { Measures, Workload } from './workload.ts';

export type Repetition = { readonly peer: PeerName; readonly quiet: Quiet; readonly measures: Measures };

/** Everything measured of one workload. */
export type Measured = {
  readonly workload: Workload;
  readonly repetitions: readonly Repetition[];
  /** Peers that could not be measured here, and why. */
  readonly missing: ReadonlyMap<PeerName, string>;
};

export type RunOptions = { readonly repeat: number; readonly scale: number; readonly say: (text: string) => void };

/** Repetitions of all peers in turn, in another order each time, so that no peer has the machine's good moments to itself. */
export async function runWorkload(pair: Pair, workload: Workload, options: RunOptions): Promise<Measured> {
  const repetitions: Repetition[] = [];
  const { peers, missing } = await presentPeers(workload);
  if (peers.length === 0) return { workload, repetitions, missing };
  await prepareTemplates(pair, workload, options.scale);
  for (let round = 0; round < options.repeat; round += 1) {
    for (const peer of rotated(peers, round)) {
      const repetition = await measureOnce(pair, { workload, peer, scale: options.scale });
      repetitions.push(repetition);
      options.say(`${workload.name} ${round + 1}/${options.repeat} ${peer.name}: ${repetitionText(repetition)}`);
    }
  }
  for (const [server, name] of templates(pair)) await dropDatabase(server.url('postgres'), name);
  return { workload, repetitions, missing };
}

/** The peer's median; null when it has no such figure. */
export function figure({ repetitions }: Measured, peer: PeerName, measure: string): number | null {
  const values = repetitions.flatMap((each) => (each.peer === peer ? (each.measures[measure] ?? []) : []));
  return values.length === 0 ? null : median(values);
}

async function presentPeers({ peers, needs }: Workload): Promise<{ peers: readonly Peer[]; missing: ReadonlyMap<PeerName, string> }> {
  const missing = new Map<PeerName, string>();
  const lacks = needs === undefined || (await isInstalled(needs)) ? null : `no ${needs}`;
  for (const peer of peers) {
    const why = lacks ?? (await peer.missing());
    if (why !== null) missing.set(peer.name, why);
  }
  return { peers: peers.filter(({ name }) => !missing.has(name)), missing };
}

const SOURCE_TEMPLATE = 'bench_source';
const TARGET_TEMPLATE = 'bench_target';

function templates({ source, target }: Pair): readonly (readonly [TestServer, string])[] {
  return [
    [source, SOURCE_TEMPLATE],
    [target, TARGET_TEMPLATE],
  ];
}

async function prepareTemplates(pair: Pair, workload: Workload, scale: number): Promise<void> {
  for (const [server, name] of templates(pair)) {
    const database = await server.createDatabase(name);
    await workload.prepare(database, { isSource: name === SOURCE_TEMPLATE, scale });
    await database.close();
  }
}

type Once = { readonly workload: Workload; readonly peer: Peer; readonly scale: number };

async function measureOnce(pair: Pair, { workload, peer, scale }: Once): Promise<Repetition> {
  const databases: Databases = {
    source: await copyOf(pair.source, 'bench_now', SOURCE_TEMPLATE),
    target: await copyOf(pair.target, 'bench_now', TARGET_TEMPLATE),
  };
  try {
    const quiet = await waitForQuiet();
    return { peer: peer.name, quiet, measures: await workload.measure(peer, databases, scale) };
  } finally {
    for (const database of Object.values(databases)) await database.close();
    for (const server of [pair.target, pair.source]) await dropDatabase(server.url('postgres'), 'bench_now');
  }
}

async function copyOf(server: TestServer, name: string, template: string): Promise<TestDatabase> {
  const maintenance = openDatabase(server.url('postgres'));
  await maintenance.query(databaseFrom(name, template));
  await maintenance.close();
  return openDatabase(server.url(name));
}

function rotated<T>(values: readonly T[], by: number): readonly T[] {
  const at = by % values.length;
  return [...values.slice(at), ...values.slice(0, at)];
}

function repetitionText({ measures, quiet }: Repetition): string {
  const figures = Object.entries(measures).map(([name, value]) => `${name} ${value.toFixed(2)}`);
  return `${figures.join(', ')} (load ${quiet.load.toFixed(1)}, busy ${Math.round(quiet.busy * 100)} %)`;
}
